"""What contacts answered."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7
from apps.contacts.models import Contact
from apps.surveys.models import Invitation, Question, Survey
from apps.touchpoints.models import Touchpoint


class Response(models.Model):
    """One contact's answer to one invitation; later changes keep the row and add a revision."""

    class FollowUp(models.TextChoices):
        PENDING = "pending", _("pending")
        ENROLLED = "enrolled", _("enrolled")
        NONE = "none", _("no campaign")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    invitation = models.OneToOneField(
        Invitation, models.PROTECT, null=True, related_name="response", verbose_name=_("invitation")
    )
    survey = models.ForeignKey(Survey, models.PROTECT, related_name="responses", verbose_name=_("survey"))
    touchpoint = models.ForeignKey(
        Touchpoint, models.PROTECT, null=True, related_name="responses", verbose_name=_("touchpoint")
    )
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, db_index=False, related_name="responses", verbose_name=_("contact")
    )
    score = models.PositiveSmallIntegerField(_("score"))
    comment = models.TextField(_("comment"), blank=True)
    locale = models.CharField(_("language"), max_length=20, blank=True)
    answered_at = models.DateTimeField(_("answered"))
    updated_at = models.DateTimeField(_("changed"))
    follow_up = models.CharField(_("follow-up"), max_length=10, choices=FollowUp, default=FollowUp.PENDING)

    class Meta:
        verbose_name = _("response")
        verbose_name_plural = _("responses")
        constraints = [
            models.CheckConstraint(condition=models.Q(score__gte=0, score__lte=10), name="response_score_0_to_10")
        ]
        indexes = [
            models.Index(
                fields=["answered_at"], name="response_follow_up_due", condition=models.Q(follow_up="pending")
            ),
            models.Index(fields=["-answered_at", "-id"], name="response_by_time"),
            models.Index(fields=["contact", "-answered_at"], name="response_by_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.score} ({self.answered_at:%Y-%m-%d})"


class Answer(models.Model):
    """The answer to one further question of the survey (rating 1–5)."""

    response = models.ForeignKey(Response, models.CASCADE, related_name="answers", verbose_name=_("response"))
    question = models.ForeignKey(Question, models.PROTECT, related_name="answers", verbose_name=_("question"))
    value = models.PositiveSmallIntegerField(_("value"))

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = [
            models.UniqueConstraint(fields=["response", "question"], name="answer_once_per_question"),
            models.CheckConstraint(condition=models.Q(value__gte=1, value__lte=5), name="answer_value_1_to_5"),
        ]

    def __str__(self) -> str:
        return str(self.value)


class Revision(models.Model):
    """What a response said before it was changed."""

    response = models.ForeignKey(Response, models.CASCADE, related_name="revisions", verbose_name=_("response"))
    score = models.PositiveSmallIntegerField(_("score"))
    comment = models.TextField(_("comment"), blank=True)
    replaced_at = models.DateTimeField(_("replaced"))

    class Meta:
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")
        ordering = ["replaced_at"]

    def __str__(self) -> str:
        return f"{self.score} ({self.replaced_at:%Y-%m-%d})"


class ScoreChange(models.Model):
    """What a stored, changed or erased score adds to the figures; folded into the rollups later.

    Written in the response's own transaction and only ever appended to, so that writers never
    wait for each other on a shared counter and figures are exact at any time.
    """

    day = models.DateField()
    survey = models.ForeignKey(Survey, models.CASCADE, related_name="+")
    touchpoint = models.ForeignKey(Touchpoint, models.CASCADE, null=True, related_name="+")
    score = models.PositiveSmallIntegerField()
    weight = models.SmallIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.score} {self.weight:+d}"
