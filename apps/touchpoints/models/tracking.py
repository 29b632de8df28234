"""What customer data platforms send by names of their own: what these mean, and what could not be taken."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.touchpoints.models.journey import Touchpoint


class TrackedName(models.Model):
    """The name of a tracked event: assigned to a touchpoint, left out on purpose, or still unmapped."""

    name = models.CharField(_("name"), max_length=200, unique=True)
    touchpoint = models.ForeignKey(
        Touchpoint, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("touchpoint")
    )
    is_ignored = models.BooleanField(_("left out on purpose"), default=False)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))
    unmapped_count = models.PositiveBigIntegerField(_("came unmapped"), default=0)
    last_payload = models.TextField(_("last message"), blank=True, default="")

    class Meta:
        verbose_name = _("tracked name")
        verbose_name_plural = _("tracked names")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(touchpoint__isnull=True) | models.Q(is_ignored=False),
                name="tracked_name_mapped_or_ignored",
            )
        ]
        indexes = [models.Index(fields=["-last_seen_at"], name="tracked_name_by_time")]

    def __str__(self) -> str:
        return self.name


class TrackingProblem(models.Model):
    """Why messages were not taken, one row per reason: how many, and the last one."""

    class Reason(models.TextChoices):
        ANONYMOUS = "anonymous", _("no user id and no e-mail address")
        WRONG = "wrong", _("wrong fields")
        DROPPED = "dropped", _("taken without some fields that are wrong")
        OTHER_TYPE = "other_type", _("neither track nor identify")
        TOO_MANY_NAMES = "too_many_names", _("too many different names")

    reason = models.CharField(_("reason"), max_length=20, choices=Reason, unique=True)
    count = models.PositiveBigIntegerField(_("messages"), default=0)
    last_seen_at = models.DateTimeField(_("last seen"))
    detail = models.CharField(_("detail"), max_length=500, blank=True, default="")
    last_payload = models.TextField(_("last message"), blank=True, default="")

    class Meta:
        verbose_name = _("tracking problem")
        verbose_name_plural = _("tracking problems")

    def __str__(self) -> str:
        return self.reason
