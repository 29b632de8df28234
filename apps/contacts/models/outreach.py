"""How often we approached contacts, and how often we may."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext_lazy as _

from apps.contacts.models.people import Contact


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
