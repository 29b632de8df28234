"""Surveys, how they look, and who was invited to answer them."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.common.fields import TextsField
from apps.common.ids import uuid7
from apps.common.texts import FALLBACK, localized
from apps.contacts.models import Contact
from apps.messaging.models import OutgoingEmail
from apps.touchpoints.models import Event, Touchpoint


class Theme(models.Model):
    """How a tenant's pages and mails look. One row per tenant."""

    brand_name = models.CharField(_("brand name"), max_length=120)
    accent = models.CharField(
        _("accent colour"), max_length=7, default="#0f766e", validators=[RegexValidator(r"^#[0-9a-fA-F]{6}\Z")]
    )
    imprint_url = models.URLField(_("imprint"), blank=True)
    privacy_url = models.URLField(_("privacy notice"), blank=True)
    postal_address = models.CharField(_("postal address"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("theme")
        verbose_name_plural = _("theme")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="theme_single_row")]

    def __str__(self) -> str:
        return self.brand_name

    def clean(self) -> None:
        if self._state.adding and Theme.objects.exists():
            raise ValidationError(_("There is one theme; change it instead."))
        self.pk = 1


class Survey(models.Model):
    """A set of questions that starts with the NPS question."""

    key = models.SlugField(_("key"), max_length=60, unique=True)
    name = TextsField(_("name"))
    is_active = models.BooleanField(_("active"), default=True)
    min_days_between = models.PositiveSmallIntegerField(
        _("days between two askings"),
        default=0,
        validators=[MaxValueValidator(730)],
        help_text=_("The same contact is asked this survey again after so many days at the earliest. 0: no limit."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("survey")
        verbose_name_plural = _("surveys")

    def __str__(self) -> str:
        return localized(self.name, get_language() or FALLBACK) or self.key


class Question(models.Model):
    """One question of a survey, worded per language and, where it matters, per segment."""

    class Kind(models.TextChoices):
        NPS = "nps", _("recommendation, 0–10")
        COMMENT = "comment", _("comment")
        RATING = "rating", _("rating, 1–5")

    survey = models.ForeignKey(Survey, models.CASCADE, related_name="questions", verbose_name=_("survey"))
    key = models.SlugField(_("key"), max_length=60)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    text = TextsField(_("text"))
    text_promoter = TextsField(_("text for promoters"), blank=True)
    text_passive = TextsField(_("text for passives"), blank=True)
    text_detractor = TextsField(_("text for detractors"), blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["survey", "key"], name="question_key_once_per_survey"),
            models.UniqueConstraint(
                fields=["survey", "kind"],
                condition=models.Q(kind__in=["nps", "comment"]),
                name="question_one_score_one_comment",
                violation_error_message=_("A survey has one recommendation question and one comment question."),
            ),
        ]

    def __str__(self) -> str:
        return self.key


class Invitation(models.Model):
    """One contact asked to answer one survey for one reason."""

    class Status(models.TextChoices):
        SCHEDULED = "scheduled", _("scheduled")
        QUEUED = "queued", _("handed to delivery")
        REVOKED = "revoked", _("revoked")
        EXPIRED = "expired", _("expired")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    survey = models.ForeignKey(Survey, models.PROTECT, related_name="invitations", verbose_name=_("survey"))
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, db_index=False, related_name="invitations", verbose_name=_("contact")
    )
    touchpoint = models.ForeignKey(Touchpoint, models.PROTECT, null=True, verbose_name=_("touchpoint"))
    event = models.ForeignKey(Event, models.SET_NULL, null=True, related_name="invitations", verbose_name=_("event"))
    reason = models.CharField(_("reason"), max_length=120, unique=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.SCHEDULED)
    status_reason = models.CharField(_("because"), max_length=40, blank=True)
    send_at = models.DateTimeField(_("send at"))
    give_up_at = models.DateTimeField(_("pointless after"))
    token_hash = models.BinaryField(unique=True, null=True, editable=False, max_length=32)
    link_expires_at = models.DateTimeField(_("link expires"), null=True)
    email = models.OneToOneField(
        OutgoingEmail, models.SET_NULL, null=True, related_name="invitation", verbose_name=_("e-mail")
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        indexes = [
            models.Index(fields=["send_at"], name="invitation_due", condition=models.Q(status="scheduled")),
            models.Index(fields=["contact", "-created_at"], name="invitation_by_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.survey_id} → {self.contact_id}"
