"""Campaigns: who enters, what is done, and how its success is measured."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint
from apps.triggers.models import Segment as ContactSegment


class Segment(models.TextChoices):
    """Who the answer came from."""

    ANY = "", _("everybody")
    PROMOTER = "promoter", _("promoters")
    PASSIVE = "passive", _("passives")
    DETRACTOR = "detractor", _("detractors")


def no_steps() -> dict[str, Any]:
    """A sequence that is still to be written."""
    return {"steps": []}


class Campaign(models.Model):
    """A follow-up sequence: for one segment or all, for all surveys and touchpoints or for some."""

    class Entry(models.TextChoices):
        RESPONSE = "response", _("with each response that fits")
        BY_HAND = "by_hand", _("only when somebody starts it for responses there are")

    class Goal(models.TextChoices):
        NONE = "", _("none")
        ANSWERED = "answered", _("the contact answers again")
        HIGHER = "higher", _("the contact's next score is higher")
        COMMENT = "comment", _("the contact says why")
        EVENT = "event", _("an event at the touchpoint below")
        REDEEMED = "redeemed", _("the voucher is redeemed")

    name = models.CharField(_("name"), max_length=120)
    entry = models.CharField(_("starts"), max_length=10, choices=Entry, default=Entry.RESPONSE, db_default="response")
    segment = models.CharField(_("segment"), max_length=10, choices=Segment, blank=True, default=Segment.ANY)
    contact_segment = models.ForeignKey(
        ContactSegment,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="campaigns",
        verbose_name=_("segment of contacts"),
        help_text=_("Empty: all contacts."),
    )
    survey = models.ForeignKey(
        Survey, models.PROTECT, null=True, blank=True, verbose_name=_("survey"), help_text=_("Empty: all.")
    )
    touchpoint = models.ForeignKey(
        Touchpoint,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="campaigns",
        verbose_name=_("touchpoint"),
        help_text=_("Empty: all."),
    )
    condition = models.JSONField(
        _("and only if"), default=dict, db_default={}, blank=True, help_text=_("Empty: whatever was answered.")
    )
    priority = models.SmallIntegerField(
        _("priority"),
        default=0,
        db_default=0,
        help_text=_("A response enters one campaign: the one of the highest priority, then the most specific one."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    stop_on_response = models.BooleanField(_("a new response of the contact ends it"), default=True, db_default=True)
    pause_while_case = models.BooleanField(
        _("rests while the contact has an open case"),
        default=True,
        db_default=False,
        help_text=_("Steps that are marked so go out nevertheless, e.g. the apology."),
    )
    holdout_percent = models.PositiveSmallIntegerField(
        _("share left out for comparison"),
        default=0,
        db_default=0,
        help_text=_("Percent of contacts who get nothing, so that the effect can be measured. At most 50."),
    )
    goal = models.CharField(_("goal"), max_length=10, choices=Goal, blank=True, default=Goal.NONE, db_default="")
    goal_touchpoint = models.ForeignKey(
        Touchpoint, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("touchpoint of the goal")
    )
    goal_days = models.PositiveSmallIntegerField(
        _("days for the goal"), default=30, db_default=30, help_text=_("1 to 365, counted from the enrolment.")
    )
    # What is worked on; what runs is the current version.
    draft = models.JSONField(_("steps"), default=no_steps, db_default={"steps": []})
    current_version = models.ForeignKey(
        "CampaignVersion",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("version"),
        help_text=_("Empty: never published, so that nothing is done."),
    )

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(holdout_percent__lte=50),
                name="campaign_holdout_at_most_half",
                violation_error_message=_("At most half of the contacts can be left out."),
            ),
            models.CheckConstraint(
                condition=models.Q(goal_days__gte=1, goal_days__lte=365),
                name="campaign_goal_days",
                violation_error_message=_("Give 1 to 365 days for the goal."),
            ),
            models.CheckConstraint(
                condition=~models.Q(goal="event") | models.Q(goal_touchpoint__isnull=False),
                name="campaign_goal_event_has_touchpoint",
                violation_error_message=_("Say at which touchpoint the event of the goal happens."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self.goal == self.Goal.EVENT and self.goal_touchpoint_id is None:
            raise ValidationError({"goal_touchpoint": _("Say at which touchpoint the event of the goal happens.")})


class CampaignVersion(models.Model):
    """A sequence as it was published: never changed, so that who runs through it is not disturbed."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="versions", verbose_name=_("campaign"))
    number = models.PositiveIntegerField(_("version"))
    document = models.JSONField(_("steps"))
    published_at = models.DateTimeField(_("published"))
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("published by")
    )

    class Meta:
        verbose_name = _("version of a campaign")
        verbose_name_plural = _("versions of campaigns")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["campaign", "number"], name="campaign_version_number")]

    def __str__(self) -> str:
        return f"{self.campaign_id}.{self.number}"
