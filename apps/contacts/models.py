"""Contacts, the companies they belong to, why we may write to them, and how often we did."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7
from apps.common.schedule import valid_region, valid_zone


class Bucket(models.Func):
    """0 … 65,535 from the last two bytes of a UUID, which are random in a version 7 UUID."""

    template = "(get_byte(uuid_send(%(expressions)s), 14) * 256 + get_byte(uuid_send(%(expressions)s), 15))"
    output_field = models.IntegerField()


def check_zone(value: str) -> None:
    """Refuse what is no time zone."""
    if not valid_zone(value):
        raise ValidationError(_("“%(value)s” is no time zone such as Europe/Berlin."), params={"value": value})


class Place(models.Model):
    """Where somebody is: the clock and the public holidays to keep to. Empty: the next wider one's."""

    time_zone = models.CharField(
        _("time zone"), max_length=60, blank=True, validators=[check_zone], help_text=_("For example Europe/Berlin.")
    )
    country = models.CharField(
        _("country"), max_length=2, blank=True, help_text=_("Two letters, for example DE: for its public holidays.")
    )
    region = models.CharField(_("region"), max_length=60, blank=True, help_text=_("For example BY for Bavaria."))

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        self.country, self.region = self.country.strip().upper(), self.region.strip().upper()
        if self.region and self.country and not valid_region(self.country, self.region):
            raise ValidationError({"region": _("This country has no such region.")})
        if self.country and not valid_region(self.country, ""):
            raise ValidationError({"country": _("The public holidays of this country are not known.")})


class BusinessCalendar(Place):
    """The tenant's own clock and holidays. One row per tenant."""

    class Meta:
        verbose_name = _("calendar")
        verbose_name_plural = _("calendar")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="business_calendar_single_row")]

    def __str__(self) -> str:
        return str(_("Calendar"))

    def clean(self) -> None:
        super().clean()
        if self._state.adding and BusinessCalendar.objects.exists():
            raise ValidationError(_("There is one calendar; change it instead."))
        self.pk = 1


class Company(Place):
    """The organisation a contact belongs to (B2B)."""

    name = models.CharField(_("name"), max_length=200)
    external_id = models.CharField(_("external id"), max_length=200, unique=True, null=True, blank=True)
    properties = models.JSONField(_("properties"), default=dict, blank=True)

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")

    def __str__(self) -> str:
        return self.name


class Contact(Place):
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
        indexes = [
            # The id's last two bytes are random: by them a cadence spreads contacts over its period.
            models.Index(Bucket("id"), name="contact_bucket"),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.external_id or str(self.id)

    def clean(self) -> None:
        super().clean()
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

    class Outcome(models.TextChoices):
        ANSWERED = "answered", _("answered")
        DECLINED = "declined", _("declined")

    contact = models.ForeignKey(
        Contact, models.CASCADE, db_index=False, related_name="outreaches", verbose_name=_("contact")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    reason = models.CharField(
        _("reason"), max_length=120, unique=True, help_text=_("What it was for, e.g. invitation:…")
    )
    at = models.DateTimeField(_("at"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RESERVED)
    topic = models.CharField(_("about"), max_length=60, blank=True, help_text=_("What was asked, e.g. survey:3"))
    priority = models.SmallIntegerField(_("priority"), default=0)
    give_up_at = models.DateTimeField(_("pointless after"), null=True)
    plan = models.JSONField(_("plan"), default=dict)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, blank=True)
    outcome_at = models.DateTimeField(_("since"), null=True)

    class Meta:
        verbose_name = _("outreach")
        verbose_name_plural = _("outreaches")
        indexes = [
            models.Index(fields=["contact", "at"], name="outreach_by_contact"),
            models.Index(fields=["contact", "outcome_at"], name="outreach_outcomes", condition=~models.Q(outcome="")),
            # How many a rule with a daily limit has planned per day.
            models.Index(
                KeyTextTransform("origin", "plan"),
                "at",
                name="outreach_capped",
                condition=models.Q(plan__has_key="daily_cap"),
            ),
        ]

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
    max_per_90_days = models.PositiveSmallIntegerField(
        _("at most per 90 days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Approaches to one contact. Empty: no limit."),
    )
    max_per_365_days = models.PositiveSmallIntegerField(
        _("at most per 365 days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Approaches to one contact. Empty: no limit."),
    )
    max_per_company = models.PositiveSmallIntegerField(
        _("at most per company"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Approaches to all contacts of one company within the days below. Empty: no limit."),
    )
    company_days = models.PositiveSmallIntegerField(
        _("days of the company's limit"), default=30, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    days_after_response = models.PositiveSmallIntegerField(
        _("days of rest after a response"),
        default=0,
        validators=[MaxValueValidator(365)],
        help_text=_("Nothing new is asked within this time after the contact answered."),
    )
    days_after_decline = models.PositiveSmallIntegerField(
        _("days of rest after a refusal"),
        default=30,
        validators=[MaxValueValidator(365)],
        help_text=_("Nothing new is asked within this time after the contact closed a question unanswered."),
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
