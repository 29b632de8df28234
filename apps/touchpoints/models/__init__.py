"""The journey with its events, and the ways that other tools' messages become events."""

from apps.touchpoints.models.hooks import Hook, HookPayload, HookTouchpoint
from apps.touchpoints.models.journey import Event, Stage, Touchpoint
from apps.touchpoints.models.tracking import TrackedName, TrackingProblem

__all__ = [
    "Event",
    "Hook",
    "HookPayload",
    "HookTouchpoint",
    "Stage",
    "Touchpoint",
    "TrackedName",
    "TrackingProblem",
]
