"""Working time between many pairs of moments: every stretch of work is looked up once, not once per pair. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from apps.common.schedule import Calendar, Window, local_day, open_hours

_ONE_DAY = timedelta(days=1)


class WorkingClock:
    """Runs only while there is work. Knows the time from ``first`` to ``last``; asked beyond it stands still."""

    def __init__(
        self,
        first: datetime,
        last: datetime,
        *,
        windows: Sequence[Window],
        calendar: Calendar,
        skip_holidays: bool = False,
    ) -> None:
        day, end = local_day(first, calendar) - _ONE_DAY, local_day(last, calendar) + _ONE_DAY
        self._opens: list[float] = []
        lengths: list[float] = []
        while day <= end:
            for opens, closes in open_hours(day, windows, calendar, skip_holidays=skip_holidays):
                self._opens.append(opens.timestamp())
                lengths.append((closes - opens).total_seconds())
            day += _ONE_DAY
        self._lengths = lengths
        self._before = list(accumulate(lengths, initial=0.0))

    def seconds(self, since: datetime, until: datetime) -> float:
        """Seconds of work between two moments; none if ``until`` is not later."""
        return max(0.0, self._shown(until) - self._shown(since))

    def _shown(self, at: datetime) -> float:
        """What the clock shows at a moment."""
        moment = at.astimezone(UTC).timestamp()
        place = bisect_right(self._opens, moment) - 1
        if place < 0:
            return 0.0
        return self._before[place] + min(moment - self._opens[place], self._lengths[place])
