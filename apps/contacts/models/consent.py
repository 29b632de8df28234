"""Why we may write to contacts, how that was confirmed, and what they wish."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7
from apps.contacts.models.people import Contact


class LegalBasis(models.Model):
    """Why we may write to a contact (UWG §7): consent, or the existing-customer exception with notice given.

    What it says is proof and stays as it was given: a new agreement is a new row.
    """

    class Kind(models.TextChoices):
        CONSENT = "consent", _("consent")
        EXISTING_CUSTOMER = "existing_customer", _("existing customer, notice given")

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="legal_bases", verbose_name=_("contact"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    source = models.CharField(_("source"), max_length=120)
    text_version = models.CharField(_("version of the text"), max_length=60, blank=True)
    wording = models.TextField(
        _("wording"),
        blank=True,
        default="",
        db_default="",
        help_text=_("The text that was agreed to, or the notice that was given."),
    )
    granted_at = models.DateTimeField(_("since"))
    confirmed_at = models.DateTimeField(
        _("confirmed"), null=True, blank=True, help_text=_("When the link in the confirmation mail was used.")
    )
    opt_in = models.ForeignKey(
        "OptIn",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="legal_bases",
        verbose_name=_("confirmation"),
    )
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("legal basis")
        verbose_name_plural = _("legal bases")
        constraints = [
            models.UniqueConstraint(fields=["contact", "kind", "source"], name="legal_basis_once_per_source")
        ]
        indexes = [models.Index(fields=["opt_in"], name="legal_basis_opt_in", condition=models.Q(opt_in__isnull=False))]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.source})"

    def clean(self) -> None:
        super().clean()
        told = self.text_version.strip() or self.wording.strip()
        if self.kind == self.Kind.EXISTING_CUSTOMER and not told:
            raise ValidationError(
                {"wording": _("Give the notice that the customer got, or its version: without it nothing is proven.")}
            )


class OptIn(models.Model):
    """One question to an address whether it agrees: mailed once, answered by the link in that mail.

    The row is the proof: who was asked what, when, and when the link was used. It waits for its mail while
    ``due_at`` is set; only then does it get its link.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    contact = models.ForeignKey(
        Contact,
        models.CASCADE,
        null=True,
        related_name="opt_ins",
        verbose_name=_("contact"),
        help_text=_("Empty until the mail is written, where only an address is known."),
    )
    email = models.EmailField(_("address"))
    source = models.CharField(_("source"), max_length=120)
    text_version = models.CharField(_("version of the text"), max_length=60, blank=True)
    wording = models.TextField(_("wording"))
    language = models.CharField(_("language"), max_length=20, blank=True)
    reason = models.CharField(_("reason"), max_length=120, unique=True)
    is_own_wish = models.BooleanField(
        _("asked for after unsubscribing"),
        default=False,
        help_text=_("From the person's own page: only then an unsubscribed address is asked."),
    )
    requested_at = models.DateTimeField(_("requested"))
    due_at = models.DateTimeField(_("mail due"), null=True)
    mailed_at = models.DateTimeField(_("mail written"), null=True)
    refused_because = models.CharField(_("not asked because"), max_length=40, blank=True)
    expires_at = models.DateTimeField(_("link valid until"), null=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    token_hash = models.BinaryField(max_length=32, unique=True, null=True, editable=False)

    class Meta:
        verbose_name = _("request for consent")
        verbose_name_plural = _("requests for consent")
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="opt_in_email_lower_case"),
            models.CheckConstraint(
                condition=models.Q(confirmed_at__isnull=True) | models.Q(mailed_at__isnull=False),
                name="opt_in_confirmed_by_mail",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="opt_in_due", condition=models.Q(due_at__isnull=False)),
            models.Index(fields=["email", "-mailed_at"], name="opt_in_by_email"),
            models.Index(fields=["-requested_at", "-id"], name="opt_in_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.email} ({self.source})"


class Preference(models.Model):
    """What a contact wishes to get from us, and how often. Without a row: everything, as usual."""

    class Gap(models.IntegerChoices):
        MONTH = 30, _("at most once a month")
        QUARTER = 90, _("at most once in three months")
        YEAR = 365, _("at most once a year")

    contact = models.OneToOneField(
        Contact, models.CASCADE, primary_key=True, related_name="preference", verbose_name=_("contact")
    )
    wants_surveys = models.BooleanField(_("wants surveys"), default=True)
    wants_follow_ups = models.BooleanField(_("wants mails that follow an answer"), default=True)
    min_days_between = models.PositiveSmallIntegerField(
        _("how often"), choices=Gap, null=True, blank=True, help_text=_("Empty: as usual.")
    )
    changed_at = models.DateTimeField(_("changed"))

    class Meta:
        verbose_name = _("contact's wishes")
        verbose_name_plural = _("contacts' wishes")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(min_days_between__isnull=True) | models.Q(min_days_between__in=[30, 90, 365]),
                name="preference_known_gap",
            )
        ]

    def __str__(self) -> str:
        return f"{self.contact_id}"


class ConsentPolicy(models.Model):
    """Which consents count. One row per tenant."""

    requires_double_opt_in = models.BooleanField(
        _("only confirmed consent counts"),
        default=False,
        help_text=_("A consent without the click in a confirmation mail is no legal basis then."),
    )

    class Meta:
        verbose_name = _("consent policy")
        verbose_name_plural = _("consent policy")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="consent_policy_single_row")]

    def __str__(self) -> str:
        return str(_("Consent policy"))

    def clean(self) -> None:
        if self._state.adding and ConsentPolicy.objects.exists():
            raise ValidationError(_("There is one consent policy; change it instead."))
        self.pk = 1
