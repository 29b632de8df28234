"""Times of day, places in the window, and stars. Pure: no Django."""

from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from apps.workspace.demo.blueprint import Window


def day_time(rng: Random, at: datetime) -> datetime:
    """A moment of that day between about seven in the morning and ten at night."""
    morning = at.replace(hour=6, minute=0, second=0, microsecond=0)
    return morning + timedelta(seconds=int(rng.triangular(0, 15 * 3600, 10 * 3600)))


def work_time(rng: Random, at: datetime) -> datetime:
    """A moment in office hours; the weekend becomes Monday."""
    moved = at + timedelta(days=max(0, 7 - at.weekday()) if at.weekday() >= 5 else 0)
    morning = moved.replace(hour=7, minute=0, second=0, microsecond=0)
    return morning + timedelta(seconds=int(rng.triangular(0, 10 * 3600, 4 * 3600)))


def year_asked_at(window: Window) -> datetime:
    """When the survey about the whole went out: at nine in the morning of one day, six weeks before the end."""
    day = (window.end - timedelta(days=43)).date()
    return datetime.combine(day, time(9), ZoneInfo("Europe/Berlin")).astimezone(window.end.tzinfo)


def fraction(window: Window, at: datetime) -> float:
    """Where a moment lies in the window: 0 at its start, 1 at its end."""
    return (at - window.start) / (window.end - window.start)


def stars(rng: Random, mean: float, spread: float) -> int:
    """A rating from 1 to 5 around a mean."""
    return min(5, max(1, round(rng.gauss(mean, spread))))
