"""Surveys: questions, thanks, and the versions that were shown."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, URLValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.common.fields import TextsField
from apps.common.texts import FALLBACK, localized
from apps.messaging.models import MailTemplate
from apps.surveys.definition import LEADS, MAX_OPTIONS, option_problem

MAX_INCENTIVE = 200
"""So many letters a promise has: it stands on small screens and in the first lines of mails."""
RESERVED = frozenset({"touchpoint", "lang", "score", "page", "embed", "k"})
"""What the address of a survey says of itself."""


def check_options(value: Any) -> None:
    """Refuse what is no list of options with a key and a text each."""
    if problem := option_problem(value):
        raise ValidationError(
            {
                "shape": _("Options are a list with a key and a text each."),
                "key": _("Each option needs a key of small letters, digits, - and _, used once."),
                "text": _("Each option needs a text."),
                "many": _("At most %(limit)s options."),
            }[problem],
            params={"limit": MAX_OPTIONS},
        )


class Survey(models.Model):
    """Questions in order; the first is the recommendation, the satisfaction or the effort question."""

    key = models.SlugField(_("key"), max_length=60, unique=True)
    name = TextsField(_("name"))
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Switched off, nobody is asked, and links say that the survey is closed."),
    )
    is_anonymous = models.BooleanField(
        _("anonymous"),
        default=False,
        help_text=_(
            "Answers are stored without contact, link or time of day: nobody can tell whose they are. No follow-up is "
            "possible, and whoever has left the page cannot change the answer any more."
        ),
    )
    is_public = models.BooleanField(
        _("public link"), default=False, help_text=_("Anybody who knows the address may answer: link, QR code, kiosk.")
    )
    public_properties = models.JSONField(
        _("properties of the public link"),
        default=list,
        blank=True,
        help_text=_("Names that the address may carry, such as store; others are ignored."),
    )
    closes_at = models.DateTimeField(
        _("closes"), null=True, blank=True, help_text=_("Until then answers can be given and changed. Empty: no end.")
    )
    min_days_between = models.PositiveSmallIntegerField(
        _("days between two askings"),
        default=0,
        validators=[MaxValueValidator(730)],
        help_text=_("The same contact is asked this survey again after so many days at the earliest. 0: no limit."),
    )
    invitation_template = models.ForeignKey(
        MailTemplate,
        models.PROTECT,
        null=True,
        blank=True,
        limit_choices_to={"purpose": MailTemplate.Purpose.INVITATION},
        related_name="surveys",
        verbose_name=_("template of the invitation"),
        help_text=_("Empty: the default template for invitations, or the built-in one."),
    )
    incentive = TextsField(
        _("promised for answering"),
        blank=True,
        db_default={},
        help_text=_(
            "For example: 5 € voucher as a thank-you. Stands on the survey page and in invitations. It must not depend "
            "on the score. By German law an answer given for a reward must not be used in advertising without saying "
            "so: such responses are marked, and figures can leave them out."
        ),
    )
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)
    current_version = models.ForeignKey(
        "SurveyVersion", models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("version")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("survey")
        verbose_name_plural = _("surveys")

    def __str__(self) -> str:
        return localized(self.name, get_language() or FALLBACK) or self.key

    def clean(self) -> None:
        super().clean()
        if self.key == "open":
            raise ValidationError({"key": _("“open” has a meaning of its own in the address. Take another key.")})
        texts = self.incentive.values() if isinstance(self.incentive, dict) else ()
        if any(len(text) > MAX_INCENTIVE for text in texts if isinstance(text, str)):
            message = _("Say it in at most %(limit)s letters.")
            raise ValidationError({"incentive": ValidationError(message, params={"limit": MAX_INCENTIVE})})
        taken = RESERVED & set(self.public_properties if isinstance(self.public_properties, list) else [])
        if taken:
            message = _("“%(name)s” has a meaning of its own in the address. Take another name.")
            raise ValidationError(
                {"public_properties": ValidationError(message, params={"name": ", ".join(sorted(taken))})}
            )


class SurveyVersion(models.Model):
    """A survey as it was shown: never changed, so that old answers keep the questions they were given to."""

    survey = models.ForeignKey(Survey, models.CASCADE, related_name="versions", verbose_name=_("survey"))
    number = models.PositiveIntegerField(_("version"))
    definition = models.JSONField()
    created_at = models.DateTimeField(_("created"))
    created_by = models.CharField(_("by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["survey", "number"], name="survey_version_number_once")]

    def __str__(self) -> str:
        return f"{self.survey_id} v{self.number}"


class Question(models.Model):
    """One question of a survey, worded per language and, where it matters, per segment."""

    class Kind(models.TextChoices):
        NPS = "nps", _("recommendation, 0–10")
        CSAT = "csat", _("satisfaction, 1–5")
        CES = "ces", _("effort, 1–7")
        COMMENT = "comment", _("comment")
        TEXT = "text", _("text")
        SINGLE = "single", _("one of several")
        MULTIPLE = "multiple", _("several of several")
        RATING = "rating", _("rating, 1–5")
        SCALE = "scale", _("scale")
        YES_NO = "yes_no", _("yes or no")
        OPT_IN = "opt_in", _("agreement to e-mail")

    class Style(models.TextChoices):
        NUMBERS = "numbers", _("numbers")
        STARS = "stars", _("stars")
        SMILEYS = "smileys", _("smileys")

    survey = models.ForeignKey(Survey, models.CASCADE, related_name="questions", verbose_name=_("survey"))
    key = models.SlugField(_("key"), max_length=60)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    style = models.CharField(_("shown as"), max_length=10, choices=Style, default=Style.NUMBERS)
    text = TextsField(_("text"))
    text_promoter = TextsField(_("text for promoters"), blank=True)
    text_passive = TextsField(_("text for passives"), blank=True)
    text_detractor = TextsField(_("text for detractors"), blank=True)
    is_required = models.BooleanField(_("required"), default=False)
    options = models.JSONField(_("options"), default=list, blank=True, validators=[check_options])
    low = models.PositiveSmallIntegerField(_("from"), default=1, validators=[MaxValueValidator(1)])
    high = models.PositiveSmallIntegerField(_("to"), default=5, validators=[MaxValueValidator(10)])
    low_label = TextsField(_("lowest means"), blank=True)
    high_label = TextsField(_("highest means"), blank=True)
    show_if = models.JSONField(_("shown if"), default=dict, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_retired = models.BooleanField(
        default=False, editable=False, help_text=_("Taken out of the survey; kept because it was answered.")
    )

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["survey", "key"], name="question_key_once_per_survey"),
            models.UniqueConstraint(
                fields=["survey", "kind"],
                condition=models.Q(kind__in=["nps", "comment"], is_retired=False),
                name="question_one_score_one_comment",
                violation_error_message=_("A survey has one recommendation question and one comment question."),
            ),
            models.CheckConstraint(
                condition=models.Q(low__lte=1, high__gte=2, high__lte=10), name="question_scale_in_bounds"
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def is_lead(self) -> bool:
        """Whether a survey may begin with it."""
        return self.kind in LEADS


class ThankYou(models.Model):
    """What is said once all is answered: to one segment, or to everybody who has no page of their own."""

    class Segment(models.TextChoices):
        ANY = "", _("everybody else")
        PROMOTER = "promoter", _("promoters")
        PASSIVE = "passive", _("passives")
        DETRACTOR = "detractor", _("detractors")

    survey = models.ForeignKey(Survey, models.CASCADE, related_name="thanks", verbose_name=_("survey"))
    segment = models.CharField(_("for"), max_length=10, choices=Segment, blank=True, default=Segment.ANY)
    heading = TextsField(_("heading"), blank=True)
    text = TextsField(_("text"), multiline=True, blank=True)
    button_label = TextsField(_("button"), blank=True)
    button_url = models.URLField(
        _("button leads to"),
        blank=True,
        max_length=500,
        validators=[URLValidator(schemes=["http", "https"])],
        help_text=_("For example your page at a review site."),
    )
    offers_call_back = models.BooleanField(
        _("offer to call back"), default=False, help_text=_("Asks for a telephone number and a good time.")
    )

    class Meta:
        verbose_name = _("thank-you page")
        verbose_name_plural = _("thank-you pages")
        ordering = ["segment"]
        constraints = [models.UniqueConstraint(fields=["survey", "segment"], name="thanks_once_per_segment")]

    def __str__(self) -> str:
        return str(self.get_segment_display())

    def clean(self) -> None:
        super().clean()
        if bool(self.button_url) != bool(self.button_label):
            raise ValidationError({"button_label": _("A button needs a label and an address.")})
