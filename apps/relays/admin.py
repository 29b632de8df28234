"""The operator's pages: mail services, how they fare, and the addresses they report to."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.mail import EmailMessage, get_connection
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from apps.common import sealed, tokens
from apps.common.admin import BaseAdmin, FlowAdmin
from apps.common.admin_site import operator_admin
from apps.relays import services, webhooks
from apps.relays.esps import Proof
from apps.relays.forms import NewRelayForm, TestMailForm, form_for, setting_names
from apps.relays.models import Relay, RelayState

_DNS = ("spf_include", "dkim_selector", "dkim_target", "dkim_value", "return_path_label", "return_path_target")


@admin.register(Relay, site=operator_admin)
class RelayAdmin(BaseAdmin):
    """A mail service is made with its kind; what it needs is entered on its own page."""

    list_display = ("name", "key", "kind", "is_active", "is_default", "is_offered", "state")
    list_filter = ("kind", "is_active", "is_offered")
    search_fields = ("name", "key")
    search_help_text = _("Name or key")
    ordering = ("name",)
    actions = ("reset",)
    actions_detail = ("send_test_mail", "webhook")

    class Media:
        css = {"all": ["relays/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Relay]:
        states = RelayState.objects.filter(key=OuterRef("key"))
        rows: QuerySet[Relay] = super().get_queryset(request)
        return rows.annotate(
            rests_until=Subquery(states.values("rests_until")[:1]), last_error=Subquery(states.values("last_error")[:1])
        )

    def get_form(self, request: HttpRequest, obj: Relay | None = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = NewRelayForm if obj is None else form_for(obj)
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Relay | None = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("name", "key", "kind")}),)
        return (
            (None, {"fields": ("name", "key", "kind", "is_active", "is_default", "is_offered", "batch_size", "state")}),
            (_("Settings"), {"fields": setting_names(obj)}),
            (
                _("What senders put into their DNS"),
                {"fields": _DNS, "description": _("Tenants see it when they set a sender up.")},
            ),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Relay | None = None) -> tuple[str, ...]:
        return () if obj is None else ("key", "kind", "state")

    def save_model(self, request: HttpRequest, obj: Relay, form: Any, change: bool) -> None:
        if not change:
            obj.is_active = False  # Until there is something to send with.
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Relay, post_url_continue: str | None = None) -> HttpResponse:
        messages.info(request, _("Now enter its settings and switch it on."))
        return HttpResponseRedirect(reverse("operator:relays_relay_change", args=[obj.pk]))

    @admin.display(description=_("state"))
    def state(self, relay: Relay) -> str:
        until = getattr(relay, "rests_until", None)
        if sealed.problem(relay.settings):
            return str(sealed.problem(relay.settings))
        if until is None or until <= timezone.now():
            return str(_("in use")) if relay.is_active else str(_("switched off"))
        return gettext("rests until %(time)s: %(error)s") % {
            "time": localize(timezone.localtime(until)), "error": getattr(relay, "last_error", ""),
        }  # fmt: skip

    @admin.action(description=_("Use again at once, whatever went wrong"), permissions=["change"])
    def reset(self, request: HttpRequest, queryset: QuerySet[Relay]) -> None:
        for key in queryset.values_list("key", flat=True):
            services.note_success(key=key)
        self.message_user(request, _("They are tried again with the next messages."), messages.SUCCESS)

    @action(description=_("Send a test mail"), url_path="test-mail", permissions=["change"], icon="outgoing_mail")
    def send_test_mail(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET asks whom to, POST sends."""
        relay = get_object_or_404(Relay, pk=object_id)
        form = TestMailForm(request.POST or None, initial={"to": getattr(request.user, "email", "")})
        outcome = _try(relay, form.cleaned_data["to"]) if form.is_bound and form.is_valid() else None
        return self._page(request, relay, "relays/test_mail.html", _("Send a test mail"), form=form, outcome=outcome)

    @action(description=_("Webhook"), url_path="webhook", permissions=["change"], icon="webhook")
    def webhook(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The address that the mail service reports to; POST makes a new secret, the old one is void at once."""
        relay = get_object_or_404(Relay, pk=object_id)
        if request.method == "POST":
            relay.webhook_secret = tokens.new_token()
            relay.save(update_fields=["webhook_secret"])
            messages.success(request, _("There is a new secret. Enter the new address at the mail service."))
            return HttpResponseRedirect(request.path)
        facts = {**_webhook_facts(relay), **_inbound_facts(relay)}
        return self._page(request, relay, "relays/webhook.html", _("Webhook"), **facts)

    def _page(self, request: HttpRequest, relay: Relay, template: str, title: Any, **more: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request), "title": title, "opts": self.opts, "relay": relay,
            "media": self.media + forms.Media(js=["embed/admin.js"]), **more,
        }  # fmt: skip
        response = TemplateResponse(request, template, context)
        response.headers["Cache-Control"] = "no-store"
        return response


def _inbound_facts(relay: Relay) -> dict[str, Any]:
    """Where the service brings mails that it received, if it can."""
    inbound = relay.esp.inbound if relay.esp is not None else None
    if inbound is None or sealed.problem(relay.settings) or sealed.problem(relay.webhook_secret):
        return {}
    lacks_key = bool(inbound.signing) and not relay.settings.get(inbound.signing)
    secret = "" if inbound.signing else relay.webhook_secret
    return {"inbound_address": webhooks.inbound_address(relay.key, secret), "inbound_lacks_key": lacks_key}


def _webhook_facts(relay: Relay) -> dict[str, Any]:
    esp, problem = relay.esp, sealed.problem(relay.settings) or sealed.problem(relay.webhook_secret)
    if esp is None or esp.proof is Proof.NONE or problem:
        return {"problem": problem, "reports": False}
    is_signed = esp.is_signed(relay.settings)
    return {
        "reports": True,
        "is_signed": is_signed,
        "lacks_key": esp.proof is Proof.SIGNATURE and not relay.settings.get(esp.signing),
        "address": webhooks.address(relay.key, "" if is_signed else relay.webhook_secret),
    }


def _try(relay: Relay, to: str) -> dict[str, Any]:
    """Send for real by this way, active or not; what went wrong is the operator's to read."""
    try:
        route = services.route_to(relay)
        connection = get_connection(route.backend, **route.options)
        subject = gettext("Test mail of %(name)s") % {"name": relay.name}
        text = gettext("This mail came by “%(name)s”. It works.") % {"name": relay.name}
        EmailMessage(subject, text, settings.DEFAULT_FROM_EMAIL, [to], connection=connection).send()
    except Exception as error:  # Whatever the other side and its library come up with.
        return {"is_sent": False, "to": to, "error": f"{type(error).__name__}: {error}"[:1000]}
    services.note_success(key=relay.key)
    return {"is_sent": True, "to": to}


@admin.register(RelayState, site=operator_admin)
class RelayStateAdmin(FlowAdmin):
    """The circuit breakers, that of the environment's service included."""

    list_display = ("__str__", "faults", "rests_until", "last_error")
    search_fields = ("key", "last_error")
    search_help_text = _("Key or error")
    list_filter = (("rests_until", admin.EmptyFieldListFilter),)
    ordering = ("key",)
    actions = ("reset",)

    def has_reset_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "has_perm", lambda _name: False)("relays.change_relay"))

    @admin.action(description=_("Use again at once, whatever went wrong"), permissions=["reset"])
    def reset(self, request: HttpRequest, queryset: QuerySet[RelayState]) -> None:
        for key in queryset.values_list("key", flat=True):
            services.note_success(key=key)
        self.message_user(request, _("They are tried again with the next messages."), messages.SUCCESS)
