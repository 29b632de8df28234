"""Addresses that must not be written to: entered by hand, lifted with a reason, imported and exported."""

import io
import tempfile
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from apps.common.admin import BaseAdmin
from apps.common.admin_site import tenant_admin
from apps.contacts.ledger import home_calendar
from apps.messaging import suppression_files, suppressions
from apps.messaging.models import Suppression
from apps.messaging.suppression_files import FileError
from apps.messaging.suppressions import address_hash, plain_address

MAX_LIFTED = 1000


class SuppressionForm(forms.ModelForm):
    """An address to be blocked by hand."""

    class Meta:
        model = Suppression
        fields = ("email", "source")
        labels = {"source": _("Why")}
        help_texts = {"email": _("An e-mail address, or a telephone number with its country.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "email" in self.fields:
            self.fields["email"].required = True

    def clean_email(self) -> str:
        address = plain_address(self.cleaned_data["email"], home_calendar().country)
        if not suppression_files.is_address(address):
            raise ValidationError(_("This is neither an e-mail address nor a telephone number."))
        if Suppression.objects.filter(address_hash=address_hash(address), lifted_at=None).exists():
            raise ValidationError(_("This address is blocked already."))
        return address


class LiftForm(forms.Form):
    """Why an address may be written to again."""

    because = forms.CharField(
        label=_("Why may we write there again?"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}),
        help_text=_("It is kept with the entry, together with your name."),
    )


class ImportForm(forms.Form):
    """A list of another system."""

    file = forms.FileField(
        label=_("CSV file"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,text/csv"}),
        help_text=_("One address per row; or a first row with the names address, reason and source. At most 10 MB."),
    )
    source = forms.CharField(
        label=_("Where is the list from?"),
        max_length=100,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("It is noted with every address whose row says nothing else."),
    )


class StateFilter(admin.SimpleListFilter):
    """What holds, and what was lifted."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("lifted", _("lifted")), ("all", _("all"))]

    def choices(self, changelist: Any) -> Any:
        """The default is not called “all” here."""
        first, *others = super().choices(changelist)
        return [{**first, "display": _("in force")}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(lifted_at__isnull=self.value() != "lifted")


@admin.register(Suppression, site=tenant_admin)
class SuppressionAdmin(BaseAdmin):
    """Nothing is ever deleted or changed here: an entry is lifted, and stays as history."""

    form = SuppressionForm
    list_display = ("created_at", "address", "why", "source", "lifted_at", "lifted_because", "lifted_by")
    list_filter = (StateFilter, "reason")
    search_fields = ("=email", "source", "lifted_because")
    search_help_text = _("The whole address, or where it is from")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    paginator = InfinitePaginator
    show_full_result_count = False
    actions = ("lift_these",)
    actions_list = ("import_page", "export_page")
    actions_detail = ("lift_this",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ("email", "source")
        lifted = ("lifted_at", "lifted_because", "lifted_by") if obj.lifted_at else ()
        return ("email", "reason", "source", "created_at", *lifted)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else self.get_fields(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_lift_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Lifting and importing are for whoever may change suppressions."""
        return bool(request.user.has_perm("messaging.change_suppression"))

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: bool) -> None:
        obj.address_hash = address_hash(obj.email)
        obj.reason = Suppression.Reason.MANUAL
        obj.created_at = timezone.now()
        super().save_model(request, obj, form, change)

    @admin.display(description=_("address"), ordering="email")
    def address(self, suppression: Suppression) -> Any:
        return suppression.email or _("(erased)")

    @display(
        description=_("reason"),
        ordering="reason",
        label={"unsubscribed": "info", "bounced": "warning", "complained": "danger", "manual": "primary"},
    )
    def why(self, suppression: Suppression) -> tuple[str, str]:
        return suppression.reason, suppression.get_reason_display()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.lift_view)
        return [path("lift/", view, name="messaging_suppression_lift"), *super().get_urls()]

    def _url(self, name: str) -> str:
        return reverse(f"{self.admin_site.name}:messaging_suppression_{name}")

    @admin.action(description=_("Lift …"), permissions=["lift"])
    def lift_these(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> HttpResponse:
        ids = queryset.values_list("pk", flat=True)[:MAX_LIFTED]
        return HttpResponseRedirect(f"{self._url('lift')}?ids={','.join(map(str, ids))}")

    @action(description=_("Lift …"), url_path="lift", icon="lock_open", permissions=["lift"])
    def lift_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(f"{self._url('lift')}?ids={object_id}")

    def lift_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for the reason, then lift what may be lifted and say what may not."""
        if not self.has_lift_permission(request):
            raise PermissionDenied
        given = request.GET.get("ids", "").split(",")[:MAX_LIFTED]
        ids = [int(text) for text in given if text.isascii() and text.isdigit() and len(text) < 19]
        form = LiftForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            self._lift(request, ids, form.cleaned_data["because"])
            return HttpResponseRedirect(self._url("changelist"))
        rows = Suppression.objects.filter(pk__in=ids, lifted_at=None).order_by("-created_at", "-id")
        context = {"form": form, "rows": rows[:50], "count": rows.count(), "binding": suppressions.BINDING}
        return self._shown(request, "lift", gettext("Write to these addresses again?"), context)

    def _lift(self, request: HttpRequest, ids: list[int], because: str) -> None:
        lifted = suppressions.lift(ids=ids, because=because, by=request.user.get_username(), now=timezone.now())
        for row in lifted.done:
            self.log_change(request, row, [{"changed": {"fields": ["lifted_at"]}}])
        if lifted.done:
            text = ngettext("%(count)d address is free again.", "%(count)d addresses are free again.", len(lifted.done))
            self.message_user(request, text % {"count": len(lifted.done)})
        if lifted.refused:
            text = ngettext(
                "%(count)d address stays blocked: its owner unsubscribed or complained, and only their new, confirmed "
                "consent can take that back.",
                "%(count)d addresses stay blocked: their owners unsubscribed or complained, and only their new, "
                "confirmed consent can take that back.",
                len(lifted.refused),
            )
            self.message_user(request, text % {"count": len(lifted.refused)}, level="warning")

    @action(description=_("Import"), url_path="import", icon="upload", permissions=["lift"])
    def import_page(self, request: HttpRequest) -> HttpResponse:
        """Take a list over, and say row by row what could not be taken."""
        form = ImportForm(request.POST or None, request.FILES or None)
        context: dict[str, Any] = {"form": form, "reasons": Suppression.Reason.choices}
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                context["result"] = suppression_files.take_in(
                    file=file.file,
                    size=file.size,
                    source=form.cleaned_data["source"],
                    region=home_calendar().country,
                    now=timezone.now(),
                )
            except FileError as error:
                form.add_error("file", str(error.sentence))
        return self._shown(request, "import", gettext("Import blocked addresses"), context)

    @action(description=_("Export"), url_path="export", icon="download", permissions=["view"])
    def export_page(self, request: HttpRequest) -> HttpResponseBase:
        """All entries as CSV. Written to a file of our own first: who reads slowly holds no database connection."""
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        suppression_files.write_out(file=text)
        text.detach()
        file.seek(0)
        name = f"suppressions-{timezone.localdate():%Y-%m-%d}.csv"
        return FileResponse(file, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")

    def _shown(self, request: HttpRequest, name: str, title: str, context: dict[str, Any]) -> HttpResponse:
        page = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/messaging/suppression/{name}.html", page)
