"""Who is told what, when and where; and what is waiting to be told."""

from apps.alerts.models.channels import Channel
from apps.alerts.models.kinds import PERSONAL, RIGHTS, Kind
from apps.alerts.models.notices import Notice
from apps.alerts.models.settings import AlertSettings
from apps.alerts.models.subscriptions import ScoreSegment, Subscription, When

__all__ = [
    "PERSONAL",
    "RIGHTS",
    "AlertSettings",
    "Channel",
    "Kind",
    "Notice",
    "ScoreSegment",
    "Subscription",
    "When",
]
