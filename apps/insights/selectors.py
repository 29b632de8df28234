"""Stretches of time that figures are told for."""

from datetime import date

MONTHS = 12


def last_months(*, today: date, number: int) -> list[date]:
    """First days of the last ``number`` months, oldest first, this month included."""
    last = today.year * 12 + today.month - 1
    return [date(index // 12, index % 12 + 1, 1) for index in range(last - number + 1, last + 1)]
