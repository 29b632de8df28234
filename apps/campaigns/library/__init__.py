"""Ready-made campaigns, in every language of the platform: what each is for, what it asks, and its steps."""

from apps.campaigns.library import leaving, promoters, reasons, sorry, themes
from apps.campaigns.library.blocks import Choices, Entry, Plan

__all__ = ["Choices", "Entry", "Plan", "entries", "entry"]
_ENTRIES = {
    one.key: one
    for one in (
        promoters.PROMOTERS,
        reasons.PASSIVES,
        sorry.DETRACTORS,
        reasons.NO_COMMENT,
        leaving.CANCELLATION,
        themes.YOU_SAID,
    )
}


def entries() -> tuple[Entry, ...]:
    """All of them, in the order in which they are shown."""
    return tuple(_ENTRIES.values())


def entry(key: str) -> Entry | None:
    """The one with this key."""
    return _ENTRIES.get(key)
