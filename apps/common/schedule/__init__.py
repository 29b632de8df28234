"""When may something be sent? Send windows, public holidays, working days by the recipient's clock. Pure: no Django.

Wall time is that of the IANA time zone database, public holidays are those of the library ``holidays``.
Moments go in aware (else ValueError) and come out in UTC.
"""

from apps.common.schedule.calendars import (
    EARLIEST,
    LATEST,
    Calendar,
    Problem,
    ScheduleError,
    add_working_days,
    at_wall_time,
    local_day,
    next_morning,
    start_of_day,
    valid_region,
    valid_zone,
)
from apps.common.schedule.windows import (
    Window,
    closes_at,
    dump_windows,
    is_open,
    next_open,
    open_hours,
    parse_windows,
)

__all__ = [
    "EARLIEST",
    "LATEST",
    "Calendar",
    "Problem",
    "ScheduleError",
    "Window",
    "add_working_days",
    "at_wall_time",
    "closes_at",
    "dump_windows",
    "is_open",
    "local_day",
    "next_morning",
    "next_open",
    "open_hours",
    "parse_windows",
    "start_of_day",
    "valid_region",
    "valid_zone",
]
