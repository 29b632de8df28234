"""What a user wants told, to whom, and when."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.alerts.models.channels import Channel
from apps.alerts.models.kinds import Kind
from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint
from apps.triggers.models import Segment


class ScoreSegment(models.TextChoices):
    """Who an answer came from."""

    DETRACTOR = "detractor", _("detractors (0–6)")
    PASSIVE = "passive", _("passives (7–8)")
    PROMOTER = "promoter", _("promoters (9–10)")


class When(models.TextChoices):
    """When a subscription's notices go out."""

    INSTANT = "instant", _("at once")
    DAILY = "daily", _("once a day, all together")
    WEEKLY = "weekly", _("once a week, all together")


WEEKDAYS = (
    (0, _("Monday")), (1, _("Tuesday")), (2, _("Wednesday")), (3, _("Thursday")), (4, _("Friday")),
    (5, _("Saturday")), (6, _("Sunday")),
)  # fmt: skip


def _kinds() -> list[str]:
    return [Kind.RESPONSE.value]


class Subscription(models.Model):
    """Tell me, or a team, about these things."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="alert_subscriptions", verbose_name=_("user")
    )
    name = models.CharField(_("name"), max_length=120)
    kinds = ArrayField(models.CharField(max_length=20, choices=Kind), verbose_name=_("tell about"), default=_kinds)
    score_segments = ArrayField(
        models.CharField(max_length=10, choices=ScoreSegment), verbose_name=_("from"), default=list, blank=True,
        help_text=_("Nothing chosen: from everybody, also answers without a score."),
    )  # fmt: skip
    keywords = ArrayField(
        models.CharField(max_length=80), verbose_name=_("words in the comment"), default=list, blank=True
    )
    touchpoints = models.ManyToManyField(
        Touchpoint, related_name="+", blank=True, verbose_name=_("touchpoints"), help_text=_("None: all.")
    )
    survey = models.ForeignKey(
        Survey, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("survey"),
        help_text=_("Empty: all."),
    )  # fmt: skip
    segment = models.ForeignKey(
        Segment, models.PROTECT, null=True, blank=True, related_name="alert_subscriptions",
        verbose_name=_("segment of contacts"), help_text=_("For example your important companies. Empty: all."),
    )  # fmt: skip
    when = models.CharField(_("when"), max_length=7, choices=When, default=When.INSTANT)
    hour = models.PositiveSmallIntegerField(_("hour"), default=8)
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=WEEKDAYS, default=0)
    channel = models.ForeignKey(
        Channel, models.CASCADE, null=True, blank=True, related_name="subscriptions", verbose_name=_("team channel"),
        help_text=_("Empty: to me, by e-mail."),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(hour__lte=23), name="alert_subscription_hour"),
            models.CheckConstraint(condition=models.Q(weekday__lte=6), name="alert_subscription_weekday"),
            models.CheckConstraint(condition=~models.Q(kinds=[]), name="alert_subscription_is_about_something"),
            models.CheckConstraint(
                condition=models.Q(when="instant") | models.Q(when="daily") | models.Q(when="weekly"),
                name="alert_subscription_when_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def other_kinds(self) -> list[str]:
        """What it is about besides responses, as words."""
        return [str(Kind(kind).label) for kind in self.kinds if kind in Kind.values and kind != Kind.RESPONSE]
