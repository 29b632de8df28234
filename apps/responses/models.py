"""What contacts answered."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7
from apps.contacts.models import Contact
from apps.surveys.models import Invitation, Question, Survey, SurveyVersion
from apps.touchpoints.models import Touchpoint


class Response(models.Model):
    """One contact's answer to one invitation; later changes keep the row and add a revision."""

    class FollowUp(models.TextChoices):
        PENDING = "pending", _("pending")
        ENROLLED = "enrolled", _("enrolled")
        NONE = "none", _("no campaign")

    class Channel(models.TextChoices):
        EMAIL = "email", _("e-mail")
        LINK = "link", _("public link")
        EMBED = "embed", _("embedded in a page")
        KIOSK = "kiosk", _("kiosk")
        API = "api", _("API")
        IMPORT = "import", _("imported")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    invitation = models.OneToOneField(
        Invitation, models.PROTECT, null=True, related_name="response", verbose_name=_("invitation")
    )
    survey = models.ForeignKey(Survey, models.PROTECT, related_name="responses", verbose_name=_("survey"))
    version = models.ForeignKey(
        SurveyVersion, models.PROTECT, null=True, related_name="+", verbose_name=_("version"), db_index=False
    )
    touchpoint = models.ForeignKey(
        Touchpoint, models.PROTECT, null=True, related_name="responses", verbose_name=_("touchpoint")
    )
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, db_index=False, related_name="responses", verbose_name=_("contact")
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel, default=Channel.EMAIL)
    token_hash = models.BinaryField(null=True, editable=False, max_length=32)
    score = models.PositiveSmallIntegerField(_("score"), null=True, help_text=_("Empty: the question was skipped."))
    comment = models.TextField(_("comment"), blank=True)
    call_back = models.CharField(_("call back"), max_length=200, blank=True)
    properties = models.JSONField(_("properties"), default=dict, blank=True)
    tags = models.JSONField(_("tags"), default=list, db_default=[], blank=True)
    # Where it was taken, if not here, and what it is called there: the same one is never taken over twice.
    source = models.CharField(_("source"), max_length=60, blank=True, default="", db_default="")
    external_id = models.CharField(_("external id"), max_length=200, null=True)
    locale = models.CharField(_("language"), max_length=20, blank=True)
    answered_at = models.DateTimeField(_("answered"))
    updated_at = models.DateTimeField(_("changed"))
    is_partial = models.BooleanField(_("partial"), default=False, help_text=_("Some questions are still open."))
    page_made_at = models.DateTimeField(null=True, editable=False)
    suspicions = models.JSONField(_("suspected because"), default=list, blank=True)
    is_suspected = models.BooleanField(
        _("suspected"), default=False, help_text=_("Probably a link scanner's: not counted, not followed up.")
    )
    is_incentivised = models.BooleanField(
        _("promised an incentive"),
        default=False,
        db_default=False,
        help_text=_("Something was promised for answering, whatever the answer."),
    )
    judged_by = models.CharField(_("judged by"), max_length=150, blank=True)
    follow_up = models.CharField(_("follow-up"), max_length=10, choices=FollowUp, default=FollowUp.PENDING)
    follow_up_at = models.DateTimeField(
        _("follow up at"), null=True, help_text=_("A while after an answer that is not complete yet.")
    )

    class Meta:
        verbose_name = _("response")
        verbose_name_plural = _("responses")
        constraints = [
            models.CheckConstraint(condition=models.Q(score__gte=0, score__lte=10), name="response_score_0_to_10"),
            models.UniqueConstraint(
                fields=["token_hash"],
                condition=models.Q(token_hash__isnull=False),
                name="response_token_once",
            ),
            models.UniqueConstraint(
                fields=["source", "external_id"],
                condition=models.Q(external_id__isnull=False),
                name="response_once_per_source",
            ),
        ]
        indexes = [
            models.Index(
                fields=["follow_up_at"],
                name="response_follow_up_at",
                condition=models.Q(follow_up="pending", is_suspected=False),
            ),
            models.Index(fields=["-answered_at"], name="response_suspected", condition=models.Q(is_suspected=True)),
            models.Index(fields=["-answered_at", "-id"], name="response_by_time"),
            models.Index(fields=["contact", "-answered_at"], name="response_by_contact"),
            models.Index(fields=["updated_at", "id"], name="response_by_change"),
            models.Index(fields=["-answered_at", "-id"], name="response_with_comment", condition=~models.Q(comment="")),
        ]

    def __str__(self) -> str:
        return f"{self.score if self.score is not None else '–'} ({self.answered_at:%Y-%m-%d})"


class Answer(models.Model):
    """The answer to one further question: a number, yes or no as 1 and 0, words, or keys of options."""

    response = models.ForeignKey(Response, models.CASCADE, related_name="answers", verbose_name=_("response"))
    question = models.ForeignKey(Question, models.PROTECT, related_name="answers", verbose_name=_("question"))
    value = models.PositiveSmallIntegerField(_("value"), null=True)
    text = models.TextField(_("text"), blank=True)
    choices = models.JSONField(_("choices"), default=list, blank=True)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        constraints = [
            models.UniqueConstraint(fields=["response", "question"], name="answer_once_per_question"),
            models.CheckConstraint(
                condition=models.Q(value__isnull=True) | models.Q(value__lte=10), name="answer_value_0_to_10"
            ),
            models.CheckConstraint(
                condition=models.Q(value__isnull=False) | ~models.Q(text="") | ~models.Q(choices=[]),
                name="answer_says_something",
            ),
        ]

    def __str__(self) -> str:
        return str(self.value if self.value is not None else self.text or ", ".join(self.choices))


class Revision(models.Model):
    """What a response said before it was changed."""

    response = models.ForeignKey(Response, models.CASCADE, related_name="revisions", verbose_name=_("response"))
    score = models.PositiveSmallIntegerField(_("score"), null=True)
    comment = models.TextField(_("comment"), blank=True)
    answers = models.JSONField(_("answers"), default=dict, blank=True)
    suspicions = models.JSONField(_("suspected because"), default=list, blank=True)
    page_made_at = models.DateTimeField(null=True, editable=False)
    replaced_at = models.DateTimeField(_("replaced"))

    class Meta:
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")
        ordering = ["replaced_at"]

    def __str__(self) -> str:
        return f"{self.score if self.score is not None else '–'} ({self.replaced_at:%Y-%m-%d})"


class ScoreChange(models.Model):
    """What a stored, changed or erased score adds to the figures; folded into the rollups later.

    Written in the response's own transaction and only ever appended to, so that writers never
    wait for each other on a shared counter and figures are exact at any time.
    """

    day = models.DateField()
    survey = models.ForeignKey(Survey, models.CASCADE, related_name="+")
    touchpoint = models.ForeignKey(Touchpoint, models.CASCADE, null=True, related_name="+")
    is_incentivised = models.BooleanField(default=False, db_default=False)
    score = models.PositiveSmallIntegerField()
    weight = models.SmallIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.score} {self.weight:+d}"
