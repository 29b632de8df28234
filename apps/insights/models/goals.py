"""What people want of the figures, and what they noted beside them."""

from datetime import date

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7
from apps.touchpoints.models import Touchpoint

DAYS = (MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2099, 12, 31)))
"""Days that can be meant: what lies outside was mistyped."""


class Target(models.Model):
    """The score to be reached at a touchpoint, or over everything; each one met proposes the next."""

    # In the workspace rather than in the admin, where roles get their rights all the same.
    has_own_pages = True

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        MET = "met", _("met")
        DROPPED = "dropped", _("dropped")

    touchpoint = models.ForeignKey(
        Touchpoint, models.CASCADE, null=True, blank=True, related_name="targets", verbose_name=_("touchpoint"),
        help_text=_("Empty: over all touchpoints."),
    )  # fmt: skip
    goal = models.SmallIntegerField(
        _("target"), validators=[MinValueValidator(-100), MaxValueValidator(100)],
        help_text=_("The Net Promoter Score to be reached, −100 to 100."),
    )  # fmt: skip
    days = models.PositiveSmallIntegerField(
        _("measured over days"), default=90, validators=[MinValueValidator(7), MaxValueValidator(366)]
    )
    due_on = models.DateField(_("by"), null=True, blank=True, validators=DAYS)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.OPEN)
    follows = models.OneToOneField(
        "self", models.SET_NULL, null=True, blank=True, editable=False, related_name="next", verbose_name=_("after")
    )
    # How it stood when it began, and when it ended: so that nobody has to believe it.
    start_score = models.FloatField(null=True, editable=False)
    start_n = models.PositiveIntegerField(default=0, editable=False)
    end_score = models.FloatField(null=True, editable=False)
    end_n = models.PositiveIntegerField(default=0, editable=False)
    ended_on = models.DateField(_("ended"), null=True, editable=False)
    proposed = models.SmallIntegerField(
        null=True, editable=False, help_text=_("Once met: the target that could come next.")
    )
    checked_on = models.DateField(
        null=True, editable=False, help_text=_("The last day it was looked whether it is met.")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        constraints = [
            models.CheckConstraint(condition=Q(goal__gte=-100, goal__lte=100), name="target_goal_is_a_score"),
            models.CheckConstraint(condition=Q(days__gte=7, days__lte=366), name="target_days_in_bounds"),
            models.CheckConstraint(
                condition=Q(status="open", ended_on__isnull=True)
                | Q(status="met", ended_on__isnull=False)
                | Q(status="dropped", ended_on__isnull=False),
                name="target_ended_has_a_day",
            ),
            models.UniqueConstraint(
                fields=["touchpoint"],
                condition=Q(status="open"),
                name="target_one_open_per_touchpoint",
                nulls_distinct=False,
                violation_error_message=_("There is an open target already. End it, or change it."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.touchpoint_id or '*'} → {self.goal:+d}"


class Comparison(models.Model):
    """What an effect is measured against: others for whom nothing changed."""

    has_own_pages = True

    window = models.PositiveSmallIntegerField(
        _("days before and after"),
        default=30,
        validators=[MinValueValidator(7), MaxValueValidator(180)],
        help_text=_("So many days before are compared with so many after."),
    )
    control_touchpoint = models.ForeignKey(
        Touchpoint, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("compared with touchpoint"),
        help_text=_("A touchpoint where nothing was changed. What happened there as well is taken off the effect."),
    )  # fmt: skip
    control_segment = models.CharField(
        _("compared with segment"), max_length=60, blank=True, default="",
        help_text=_("Key of a segment of contacts for whom nothing was changed."),
    )  # fmt: skip

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        if self.control_touchpoint_id is not None and self.control_segment:
            raise ValidationError({"control_segment": _("Compare with a touchpoint or with a segment, not with both.")})
        place: int | None = getattr(self, "touchpoint_id", None)
        if self.control_touchpoint_id is not None and self.control_touchpoint_id == place:
            raise ValidationError({"control_touchpoint": _("Choose another touchpoint: one where nothing changed.")})


class Annotation(Comparison):
    """Something that happened on a day, marked in the charts, with its effect measured."""

    day = models.DateField(_("day"), validators=DAYS)
    text = models.CharField(_("what happened"), max_length=200)
    touchpoint = models.ForeignKey(
        Touchpoint, models.CASCADE, null=True, blank=True, related_name="annotations", verbose_name=_("touchpoint"),
        help_text=_("Empty: everywhere."),
    )  # fmt: skip
    external_id = models.CharField(_("external id"), max_length=200, null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("annotation")
        verbose_name_plural = _("annotations")
        ordering = ["-day", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="annotation_says_something"),
            models.CheckConstraint(condition=Q(window__gte=7, window__lte=180), name="annotation_window_in_bounds"),
            models.CheckConstraint(
                condition=Q(control_touchpoint__isnull=True) | Q(control_segment=""), name="annotation_one_control"
            ),
            models.UniqueConstraint(fields=["external_id"], name="annotation_once_per_external_id"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.text}"


class Action(Comparison):
    """What is tried at a touchpoint so that it hurts less: why, by whom, since when, and whether it helped."""

    class Status(models.TextChoices):
        PLANNED = "planned", _("planned")
        RUNNING = "running", _("in progress")
        DONE = "done", _("done")
        DROPPED = "dropped", _("dropped")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    touchpoint = models.ForeignKey(Touchpoint, models.CASCADE, related_name="actions", verbose_name=_("touchpoint"))
    title = models.CharField(_("what we do"), max_length=120)
    hypothesis = models.TextField(
        _("hypothesis"), max_length=1000, blank=True, help_text=_("What we believe is wrong, and why this helps.")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.PLANNED)
    starts_on = models.DateField(_("begins"), null=True, blank=True, validators=DAYS)
    due_on = models.DateField(_("to be done by"), null=True, blank=True, validators=DAYS)
    done_on = models.DateField(
        _("in effect since"),
        null=True,
        blank=True,
        validators=DAYS,
        help_text=_("From this day on customers notice it."),
    )
    learned = models.TextField(_("what we learnt"), max_length=1000, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"))
    updated_at = models.DateTimeField(_("changed"))

    class Meta:
        verbose_name = _("improvement action")
        verbose_name_plural = _("improvement actions")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="action_says_something"),
            models.CheckConstraint(condition=Q(window__gte=7, window__lte=180), name="action_window_in_bounds"),
            models.CheckConstraint(
                condition=Q(control_touchpoint__isnull=True) | Q(control_segment=""), name="action_one_control"
            ),
            models.CheckConstraint(
                condition=Q(status="done", done_on__isnull=False) | ~Q(status="done"), name="action_done_has_a_day"
            ),
            models.CheckConstraint(
                condition=Q(status="planned") | Q(status="running") | Q(status="done") | Q(status="dropped"),
                name="action_status_known",
            ),
        ]

    def __str__(self) -> str:
        return self.title
