"""The rows behind the lists about hooks and tracked names."""

from typing import Any

from django.db.models import F, Q, QuerySet

from apps.touchpoints.models import Hook, TrackedName
from apps.workspace.tracking_forms import ASSIGNED, IGNORED, UNMAPPED


def hooks(values: dict[str, Any]) -> QuerySet[Hook]:
    """Hooks that fit a HookFilter, with the touchpoint that a row names."""
    found = Hook.objects.select_related("touchpoint__stage").defer("token", "secret", "properties")
    if values["q"]:
        found = found.filter(Q(name__icontains=values["q"]) | Q(touchpoint__key__icontains=values["q"]))
    if values["tool"]:
        found = found.filter(tool=values["tool"])
    if values["state"] == "error":
        newest = Q(last_error_at__gte=F("last_received_at")) | Q(last_received_at=None)
        return found.filter(newest, last_error_at__isnull=False)
    return found.filter(state=values["state"]) if values["state"] else found


def tracked_names(values: dict[str, Any]) -> QuerySet[TrackedName]:
    """Tracked names that fit a TrackedNameFilter."""
    found = TrackedName.objects.select_related("touchpoint__stage")
    if values["q"]:
        found = found.filter(name__icontains=values["q"])
    wanted = {
        UNMAPPED: Q(touchpoint=None, is_ignored=False),
        ASSIGNED: Q(touchpoint__isnull=False),
        IGNORED: Q(is_ignored=True),
    }
    return found.filter(wanted.get(values["state"], Q()))
