"""Contacts, companies, why we may write to them, and how often we do."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from apps.common.admin import BaseAdmin, BaseStacked, BaseTabular, FlowAdmin, ReadOnly, SingletonAdmin
from apps.common.admin_site import tenant_admin
from apps.contacts import phones
from apps.contacts.ledger import ZONE_KEY, home_calendar
from apps.contacts.models import (
    BusinessCalendar,
    Company,
    ConsentPolicy,
    Contact,
    ContactBudget,
    LegalBasis,
    OptIn,
    Outreach,
    Preference,
)


@admin.register(Company, site=tenant_admin)
class CompanyAdmin(BaseAdmin):
    list_display = ("name", "external_id")
    search_fields = ("name", "=external_id")
    ordering = ("name",)
    paginator = InfinitePaginator


PLACE = ("time_zone", "country", "region")
REFUSALS = {
    "suppressed": _("not asked: the address is blocked"),
    "already_confirmed": _("not asked: confirmed before"),
    "asked_too_often": _("not asked: three unanswered mails within 30 days"),
    "error": _("not asked: an error came in the way"),
}


PROOF = ("kind", "source", "text_version", "wording", "granted_at")


class LegalBasisForm(forms.ModelForm):
    """A legal basis as it was given; it can be ended, and then it stays ended."""

    class Meta:
        model = LegalBasis
        fields = (*PROOF, "revoked_at")
        widgets = {"wording": UnfoldAdminTextareaWidget(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.had_ended = bool(self.instance.pk and self.instance.revoked_at)
        if self.instance.pk and self.instance.confirmed_at:
            # What the person confirmed by their own click is nobody's to reword.
            for name in PROOF:
                if name in self.fields:
                    self.fields[name].disabled = True

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.had_ended and not data.get("revoked_at") and "revoked_at" not in self.errors:
            message = _("This one has ended. Enter the new agreement as one of its own, with another source.")
            self.add_error("revoked_at", ValidationError(message))
        return data


class LegalBasisInline(BaseStacked):
    """Never deleted: without the row nobody would know of the objection, and the next purchase would count again."""

    model = LegalBasis
    form = LegalBasisForm
    fields = (*PROOF, "confirmed_at", "opt_in", "revoked_at")
    readonly_fields = ("confirmed_at", "opt_in")
    can_delete = False


class PreferenceInline(ReadOnly, BaseTabular):
    """Only the contact changes it, on the page that every mail leads to."""

    model = Preference
    fields = ("wants_surveys", "wants_follow_ups", "min_days_between", "changed_at")


class ContactForm(forms.ModelForm):
    """A contact; its telephone number may be typed as people do."""

    phone = forms.CharField(
        label=_("telephone"),
        required=False,
        max_length=phones.MAX_TYPED,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "tel", "autocomplete": "off"}),
        help_text=_("For text messages. Without a country's code it is taken for one of the contact's own country."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        typed = (data.get("phone") or "").strip()
        if typed:
            company = data.get("company")
            region = data.get("country") or (company.country if company else "") or home_calendar().country
            data["phone"] = phones.e164(typed, region)
            if not data["phone"]:
                self.add_error("phone", _("Write the number with its country, for example +49 170 1234567."))
        return data


@admin.register(Contact, site=tenant_admin)
class ContactAdmin(BaseAdmin):
    form = ContactForm
    inlines = (LegalBasisInline, PreferenceInline)
    autocomplete_fields = ("company",)
    fields = (
        "name",
        "email",
        "phone",
        "external_id",
        "locale",
        "company",
        *PLACE,
        "properties",
        "created_at",
        "updated_at",
    )
    readonly_fields = ("created_at", "updated_at")
    list_display = ("__str__", "email", "external_id", "locale", "company", "created_at")
    list_filter = ("locale",)
    list_select_related = ("company",)
    search_fields = ("name", "email", "=phone", "=external_id", "company__name")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    paginator = InfinitePaginator

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting the row would leave what was sent about the contact elsewhere; erasing is a service's work."""
        return False


@admin.register(LegalBasis, site=tenant_admin)
class LegalBasisAdmin(FlowAdmin):
    """What we may write to whom for, with the proof."""

    fields = (
        "contact", "kind", "source", "text_version", "wording", "granted_at", "confirmed_at", "opt_in", "revoked_at",
    )  # fmt: skip
    list_display = ("granted_at", "contact", "kind", "source", "text_version", "confirmed_at", "revoked_at")
    list_filter = (
        "kind",
        ("confirmed_at", admin.EmptyFieldListFilter),
        ("revoked_at", admin.EmptyFieldListFilter),
        "source",
    )
    list_select_related = ("contact",)
    search_fields = ("contact__email", "contact__name", "source")
    date_hierarchy = "granted_at"
    ordering = ("-granted_at", "-id")
    paginator = InfinitePaginator


@admin.register(OptIn, site=tenant_admin)
class OptInAdmin(FlowAdmin):
    """Who was asked for their consent, and what they answered."""

    list_display = ("requested_at", "email", "source", "became", "mailed_at", "confirmed_at", "expires_at")
    list_filter = (
        ("confirmed_at", admin.EmptyFieldListFilter),
        ("mailed_at", admin.EmptyFieldListFilter),
        "refused_because",
    )
    list_select_related = ("contact",)
    search_fields = ("=email", "source", "=reason")
    search_help_text = _("The whole address, where it is from, or the reason")
    date_hierarchy = "requested_at"
    ordering = ("-requested_at", "-id")
    paginator = InfinitePaginator

    @display(
        description=_("status"),
        label={"confirmed": "success", "asked": "info", "waits": "info", "refused": "warning"},
    )
    def became(self, row: OptIn) -> tuple[str, Any]:
        if row.confirmed_at:
            return "confirmed", _("confirmed")
        if row.refused_because:
            return "refused", REFUSALS.get(row.refused_because, row.refused_because)
        return ("asked", _("asked")) if row.mailed_at else ("waits", _("waits"))


@admin.register(ConsentPolicy, site=tenant_admin)
class ConsentPolicyAdmin(SingletonAdmin):
    """One row: which consents count."""


@admin.register(Outreach, site=tenant_admin)
class OutreachAdmin(FlowAdmin):
    list_display = ("at", "contact", "kind", "budget_state", "reason")
    list_filter = ("kind", "state")
    list_select_related = ("contact",)
    search_fields = ("contact__email", "contact__name", "=reason")
    date_hierarchy = "at"
    ordering = ("-at", "-id")
    paginator = InfinitePaginator

    @display(
        description=_("state"),
        ordering="state",
        label={"reserved": "info", "spent": "success", "released": "warning"},
    )
    def budget_state(self, outreach: Outreach) -> tuple[str, str]:
        return outreach.state, outreach.get_state_display()


@admin.register(BusinessCalendar, site=tenant_admin)
class BusinessCalendarAdmin(SingletonAdmin):
    """One row: the tenant's own clock and holidays."""

    fields = PLACE

    def save_model(self, request: HttpRequest, row: BusinessCalendar, form: Any, change: bool) -> None:
        super().save_model(request, row, form, change)
        cache.delete(ZONE_KEY)


@admin.register(ContactBudget, site=tenant_admin)
class ContactBudgetAdmin(SingletonAdmin):
    """One row: how often a contact may be approached."""
