"""What there is to tell."""

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """What a notice is about."""

    RESPONSE = "response", _("a response")
    CASE_ASSIGNED = "case_assigned", _("a case was given to somebody")
    CASE_MENTION = "case_mention", _("somebody was mentioned in a case")
    CASE_DUE = "case_due", _("a case is due soon")
    CASE_OVERDUE = "case_overdue", _("a case is overdue")
    CASE_ESCALATED = "case_escalated", _("a case was escalated")
    CASE_REPLY = "case_reply", _("a contact wrote back")
    VOUCHERS_LOW = "vouchers_low", _("vouchers are running out")
    CAMPAIGN_FAILED = "campaign_failed", _("a campaign's step failed for good")
    MAP_REVIEW = "map_review", _("the journey map is due for review")


PERSONAL = frozenset(
    {
        Kind.CASE_ASSIGNED, Kind.CASE_MENTION, Kind.CASE_DUE, Kind.CASE_OVERDUE, Kind.CASE_ESCALATED, Kind.CASE_REPLY,
    }
)  # fmt: skip
"""What concerns somebody personally: it comes without a subscription, as that person's settings say."""

WORKING_HOURS = frozenset({Kind.CASE_DUE, Kind.CASE_OVERDUE})
"""What can wait until work begins."""

RIGHTS: Mapping[str, str] = {
    Kind.VOUCHERS_LOW: "incentives.view_voucherpool",
    Kind.CAMPAIGN_FAILED: "campaigns.view_campaign",
    Kind.MAP_REVIEW: "touchpoints.change_touchpoint",
}
"""Which right a user needs to be told of it: the one that the page asks for.

Whoever may sign in sees responses and cases, so these need none: a case's owner is always told.
"""
