"""Senders, and what their domains' DNS needs so that mails may leave in their name."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Lower, StrIndex, Substr
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from apps.common.admin import BaseAdmin
from apps.common.admin_site import tenant_admin
from apps.messaging import identities, sender_domains
from apps.messaging.dns_findings import State
from apps.messaging.models import Sender, SenderDomain
from apps.relays import services as relays

RECORDS = {
    "owner": (_("Ownership"), _("Shows that the domain is yours and nobody else's here.")),
    "dkim": ("DKIM", _("Lets the mail service sign as your domain.")),
    "spf": ("SPF", _("Lets the mail service send for your domain. It or the Return-Path is enough.")),
    "return_path": ("Return-Path", _("Undeliverable mails come back under your domain.")),
    "dmarc": ("DMARC", _("Tells receivers what to do with mails that are neither signed nor sent as you.")),
}
STATES = {
    State.OK: _("in place"),
    State.MISSING: _("missing"),
    State.DIFFERENT: _("different"),
    State.SEVERAL: _("several, but one is allowed"),
    State.TOO_MANY_LOOKUPS: _("more than 10 lookups"),
    State.UNANSWERED: _("no answer"),
    State.UNKNOWN: _("not asked for"),
}
HELP = {
    State.SEVERAL: _("Merge them into one record and delete the others; receivers ignore them otherwise."),
    State.TOO_MANY_LOOKUPS: _("Receivers give up after 10. Take out services that you no longer use."),
    State.UNANSWERED: _("Your DNS did not answer in time. Check again later."),
}


class SenderForm(forms.ModelForm):
    """A sender; the mail service is one of those that the platform offers."""

    relay = forms.ChoiceField(label=_("Sent through"), required=False, widget=UnfoldAdminSelectWidget())

    class Meta:
        model = Sender
        fields = ("name", "email", "reply_to", "relay", "is_default")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "relay" not in self.fields:
            return
        offered = [("", _("The platform's usual mail service")), *relays.choices()]
        stored = self.instance.relay
        if stored and stored not in dict(offered):
            offered.append((stored, _("%(key)s (no longer offered)") % {"key": stored}))
        choice: Any = self.fields["relay"]
        choice.choices = offered


@admin.register(Sender, site=tenant_admin)
class SenderAdmin(BaseAdmin):
    form = SenderForm
    list_display = ("name", "email", "reply_to", "is_verified", "is_default")
    list_filter = ("is_default",)
    search_fields = ("name", "email")
    search_help_text = _("Name or address")
    ordering = ("name", "pk")
    change_form_outer_after_template = "messaging/sender_domain.html"

    class Media:
        css = {"all": ["relays/admin.css"]}
        js = ("embed/admin.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sender]:
        rows: QuerySet[Sender] = super().get_queryset(request)
        domain = Lower(Substr(OuterRef("email"), StrIndex(OuterRef("email"), Value("@")) + 1))
        return rows.annotate(verified=Exists(SenderDomain.objects.filter(domain=domain, verified_at__isnull=False)))

    @display(description=_("domain verified"), boolean=True)
    def is_verified(self, sender: Sender) -> bool:
        return bool(getattr(sender, "verified", False))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.check_domain)
        return [path("<int:object_id>/check/", view, name="messaging_sender_check"), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Sender, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        sender_domains.register(domain=obj.domain, now=timezone.now())
        if sender_domains.is_free_mail(obj.domain):
            text = _("%(domain)s belongs to a mailbox provider and cannot be verified. Mails leave from the platform's "
                     "address; answers go to this one.")  # fmt: skip
            messages.warning(request, text % {"domain": obj.domain})

    def check_domain(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Ask DNS now, while somebody waits."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        sender = get_object_or_404(Sender, pk=object_id)
        if not self.has_change_permission(request, sender):
            raise PermissionDenied
        row = sender_domains.look_now(domain=sender.domain, now=timezone.now())
        if row is None:
            messages.warning(request, _("This domain cannot be verified."))
        elif row.verified_at:
            messages.success(request, _("%(domain)s is verified.") % {"domain": row.domain})
        else:
            messages.warning(request, _("%(domain)s is not verified yet; the table says why.") % {"domain": row.domain})
        return HttpResponseRedirect(reverse("admin:messaging_sender_change", args=[object_id]))

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        sender = Sender.objects.filter(pk=object_id).first() if str(object_id).isdecimal() else None
        about = {"about": _about(sender)} if sender is not None and request.method == "GET" else {}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **about})


def _about(sender: Sender) -> dict[str, Any]:
    """What the page says about the sender's domain."""
    row = SenderDomain.objects.filter(domain=sender.domain).first()
    checked = row is not None and bool(row.findings)
    table = [_line(finding) for finding in (row.findings if checked and row else _unchecked(sender.domain))]
    return {
        "sender": sender,
        "domain": sender.domain,
        "row": row,
        "identity": identities.of(sender),
        "is_free_mail": sender_domains.is_free_mail(sender.domain),
        "says_nothing": any(line["record"] == "dkim" and line["state"] == State.UNKNOWN for line in table),
        "table": table,
        "is_checked": checked,
    }


def _unchecked(domain: str) -> list[dict[str, Any]]:
    """What to put where, before anything has been looked at."""
    table = sender_domains.expected(domain)
    return [{**finding.as_json(), "state": ""} for finding in table if finding.state != State.UNKNOWN]


def _line(finding: dict[str, Any]) -> dict[str, Any]:
    title, purpose = RECORDS[finding["record"]]
    state = State(finding["state"]) if finding["state"] else None
    return {
        **finding,
        "title": title,
        "purpose": purpose,
        "label": STATES[state] if state else _("not looked at yet"),
        "help": HELP.get(state, "") if state else "",
        "is_good": state == State.OK or (state == State.UNKNOWN and finding["record"] != "dkim"),
    }
