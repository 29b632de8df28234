"""The journey map over time: versions, reviews, and how much each touchpoint weighs on the whole."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.touchpoints.models import Touchpoint


class JourneyVersion(models.Model):
    """The map as it once was, with the figures it had then: never changed."""

    number = models.PositiveIntegerField(_("version"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    note = models.TextField(_("what changed, and why"), max_length=1000, blank=True)
    layout = models.JSONField(help_text="Stages with sub-steps and touchpoints, in order.")
    figures = models.JSONField(help_text="Counts per touchpoint in the period, by the touchpoint's id.")
    since = models.DateField()
    until = models.DateField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("version of the journey map")
        verbose_name_plural = _("versions of the journey map")
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


class JourneyReview(models.Model):
    """Somebody looks whether the map still shows how things are: once a year, or because the business changed."""

    class Reason(models.TextChoices):
        YEARLY = "yearly", _("once a year")
        CHANGED = "changed", _("our business changed")

    reason = models.CharField(_("reason"), max_length=8, choices=Reason, default=Reason.YEARLY)
    note = models.TextField(_("what changed"), max_length=1000, blank=True)
    due_on = models.DateField(_("due"))
    reminded_on = models.DateField(_("reminded"), null=True, editable=False)
    done_at = models.DateTimeField(_("done"), null=True, editable=False)
    finding = models.TextField(_("what we found"), max_length=1000, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("by")
    )
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+",
        verbose_name=_("done by"),
    )  # fmt: skip
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("review of the journey map")
        verbose_name_plural = _("reviews of the journey map")
        ordering = ["-due_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["reason"], condition=Q(done_at__isnull=True), name="journey_review_one_open_per_reason"
            ),
            models.CheckConstraint(
                condition=Q(reason="yearly") | Q(reason="changed"), name="journey_review_reason_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.due_on}"


class Influence(models.Model):
    """How scores at a touchpoint went together with the relationship scores the same contacts gave later."""

    # Counted anew each day, for touchpoints as well where nothing happened: it keeps none of them.
    is_derived = True

    touchpoint = models.OneToOneField(
        Touchpoint, models.CASCADE, related_name="influence", verbose_name=_("touchpoint")
    )
    pairs = models.JSONField(default=dict, help_text="“score here,score later” → contacts.")
    since = models.DateField()
    until = models.DateField()
    computed_at = models.DateTimeField(_("computed"))

    class Meta:
        verbose_name = _("influence of a touchpoint")
        verbose_name_plural = _("influence of touchpoints")

    def __str__(self) -> str:
        return f"{self.touchpoint_id} {self.computed_at:%Y-%m-%d}"
