"""Contacts, the companies they belong to, why we may write to them, and how often we did."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7


class Company(models.Model):
    """The organisation a contact belongs to (B2B)."""

    name = models.CharField(_("name"), max_length=200)
    external_id = models.CharField(_("external id"), max_length=200, unique=True, null=True, blank=True)
    properties = models.JSONField(_("properties"), default=dict, blank=True)

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """A person who may be asked. Known by external id, e-mail address, or both."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    external_id = models.CharField(_("external id"), max_length=200, unique=True, null=True, blank=True)
    email = models.EmailField(_("e-mail"), unique=True, null=True, blank=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    locale = models.CharField(_("locale"), max_length=20, blank=True)
    properties = models.JSONField(_("properties"), default=dict, blank=True)
    company = models.ForeignKey(
        Company, models.SET_NULL, null=True, blank=True, related_name="contacts", verbose_name=_("company")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(external_id__isnull=False) | models.Q(email__isnull=False),
                name="contact_has_an_identity",
                violation_error_message=_("Give an external id or an e-mail address."),
            ),
            models.CheckConstraint(
                condition=models.Q(email__isnull=True) | models.Q(email=Lower("email")),
                name="contact_email_lower_case",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.external_id or str(self.id)

    def clean(self) -> None:
        self.email = self.email.strip().lower() or None if self.email else None
        self.external_id = self.external_id or None


class LegalBasis(models.Model):
    """Why we may write to a contact (UWG §7): consent, or the existing-customer exception with notice given."""

    class Kind(models.TextChoices):
        CONSENT = "consent", _("consent")
        EXISTING_CUSTOMER = "existing_customer", _("existing customer, notice given")

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="legal_bases", verbose_name=_("contact"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    source = models.CharField(_("source"), max_length=120)
    text_version = models.CharField(_("version of the text"), max_length=60, blank=True)
    granted_at = models.DateTimeField(_("since"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("legal basis")
        verbose_name_plural = _("legal bases")
        constraints = [
            models.UniqueConstraint(fields=["contact", "kind", "source"], name="legal_basis_once_per_source")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.source})"


class Outreach(models.Model):
    """One approach to a contact; the ledger of the contact budget."""

    class Kind(models.TextChoices):
        INVITATION = "invitation", _("invitation")
        REMINDER = "reminder", _("reminder")
        FOLLOW_UP = "follow_up", _("follow-up")
        WEB_PROMPT = "web_prompt", _("web prompt")

    class State(models.TextChoices):
        RESERVED = "reserved", _("reserved")
        SPENT = "spent", _("spent")
        RELEASED = "released", _("released")

    contact = models.ForeignKey(
        Contact, models.CASCADE, db_index=False, related_name="outreaches", verbose_name=_("contact")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    reason = models.CharField(
        _("reason"), max_length=120, unique=True, help_text=_("What it was for, e.g. invitation:…")
    )
    at = models.DateTimeField(_("at"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RESERVED)

    class Meta:
        verbose_name = _("outreach")
        verbose_name_plural = _("outreaches")
        indexes = [models.Index(fields=["contact", "at"], name="outreach_by_contact")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d}"


class ContactBudget(models.Model):
    """How often a contact may be approached over everything we send. One row per tenant."""

    min_days_between = models.PositiveSmallIntegerField(
        _("days between two approaches"),
        default=14,
        validators=[MaxValueValidator(365)],
        help_text=_("0 switches the limit off."),
    )

    class Meta:
        verbose_name = _("contact budget")
        verbose_name_plural = _("contact budget")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="contact_budget_single_row"),
            models.CheckConstraint(condition=models.Q(min_days_between__lte=365), name="contact_budget_year_at_most"),
        ]

    def __str__(self) -> str:
        return str(_("Contact budget"))

    def clean(self) -> None:
        if self._state.adding and ContactBudget.objects.exists():
            raise ValidationError(_("There is one contact budget; change it instead."))
        self.pk = 1
