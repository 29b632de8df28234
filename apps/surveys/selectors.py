"""Reading what surveys need of the journey."""

from apps.touchpoints.models import Touchpoint


def touchpoint_id(key: str) -> int | None:
    """The active touchpoint with this key; None if there is none."""
    if not key:
        return None
    return Touchpoint.objects.filter(key=key[:60], is_active=True).values_list("pk", flat=True).first()
