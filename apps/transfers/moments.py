"""Dates and times as spreadsheets and other tools write them. Pure: no Django."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo

_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
_unix = re.compile(r"[0-9]{9,10}(?:[0-9]{3})?").fullmatch
_written = re.compile(
    r"(?P<a>\d{1,2})(?P<cut>[./-])(?P<b>\d{1,2})(?P=cut)(?P<year>\d{4}|\d{2})"
    r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?:\.\d+)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?"
    r"(?:\s*(?:Uhr|UTC))?"
).fullmatch


def moment_reader(*, zone: tzinfo, day_first: bool) -> Callable[[str], datetime | None]:
    """Reads one text; None: no time, or one before 2000. Without an offset it is meant in ``zone``.

    ISO 8601, Unix seconds, 31.01.2026 14:30 and 1/31/2026 2:30 PM; ``day_first`` says what 03/04/2026 means.
    """

    def read(text: str) -> datetime | None:
        try:
            found = _iso(text) or _numbered(text) or _by_parts(text, day_first)
            if found is None:
                return None
            aware = found if found.tzinfo is not None else found.replace(tzinfo=zone)
            return aware if aware >= _OLDEST else None
        except (ValueError, OverflowError):
            return None

    return read


def day_comes_first(values: Sequence[str]) -> bool:
    """Whether 03/04/2026 is the third of April here, as far as the values tell. Points always mean so."""
    for text in values:
        parts = _written(text.strip())
        if parts is not None and parts["cut"] != ".":
            if int(parts["a"]) > 12:
                return True
            if int(parts["b"]) > 12:
                return False
    return False


def _iso(text: str) -> datetime | None:
    if not text[:4].isdigit() or text[4:5] != "-":
        return None
    return datetime.fromisoformat(text.removesuffix(" UTC").strip())


def _numbered(text: str) -> datetime | None:
    if not _unix(text):
        return None
    return datetime.fromtimestamp(int(text) / (1000 if len(text) > 10 else 1), UTC)


def _by_parts(text: str, day_first: bool) -> datetime | None:
    parts = _written(text)
    if parts is None:
        return None
    first, second = int(parts["a"]), int(parts["b"])
    day, month = (first, second) if day_first or parts["cut"] == "." else (second, first)
    year = int(parts["year"]) + (2000 if len(parts["year"]) == 2 else 0)
    hour = int(parts["hour"] or 0)
    if parts["half"]:
        hour = hour % 12 + (12 if parts["half"][0] in "pP" else 0)
    return datetime(year, month, day, hour, int(parts["minute"] or 0), int(parts["second"] or 0))  # noqa: DTZ001
