"""What holds for cases now: working hours, and how long things may take."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.cases import hours
from apps.cases.models import Case, CasePolicy
from apps.common.schedule import Calendar, ScheduleError, Window, parse_windows
from apps.contacts.ledger import home_calendar

Alarm = Case.Alarm


@dataclass(frozen=True, slots=True)
class Terms:
    """The tenant's rules for cases, by its own clock. Spans are working time."""

    windows: tuple[Window, ...]
    calendar: Calendar
    skip_holidays: bool
    contact_within: timedelta
    """Nothing: there is no time of its own for the first contact."""
    close_within: timedelta
    remind_before: timedelta
    """Nothing: nobody is reminded."""
    escalate_after: timedelta
    escalate_to_id: int | None

    def after(self, at: datetime, amount: timedelta) -> datetime:
        """So much working time later."""
        return hours.add_working_time(at, amount, self.windows, self.calendar, self.skip_holidays)

    def before(self, at: datetime, amount: timedelta) -> datetime:
        """So much working time earlier."""
        return hours.take_working_time(at, amount, self.windows, self.calendar, self.skip_holidays)

    def alarms(self, case: Case) -> list[tuple[datetime, Alarm, datetime]]:
        """When who is to be told what about an open case, and the time that it is about; in order of time."""
        deadlines = [case.due_at]
        if case.first_contact_at is None and case.contact_due_at is not None and case.contact_due_at < case.due_at:
            deadlines.append(case.contact_due_at)
        found = []
        for due in deadlines:
            if self.remind_before:
                found.append((self.before(due, self.remind_before), Alarm.REMIND, due))
            found.append((due, Alarm.OVERDUE, due))
            found.append((self.after(due, self.escalate_after), Alarm.ESCALATE, due))
        return sorted(found)

    def set_alarm(self, case: Case, *, now: datetime) -> None:
        """Note on the case what comes next after ``now``; nothing for one that is closed. Does not save."""
        coming = [] if case.is_closed else [entry for entry in self.alarms(case) if entry[0] > now]
        case.alarm_at, case.alarm = (coming[0][0], coming[0][1]) if coming else (None, Alarm.NONE)


def current_terms() -> Terms:
    """The tenant's rules for cases; without any, the model's defaults. Two queries."""
    row = CasePolicy.objects.first() or CasePolicy()
    try:
        windows = parse_windows(row.hours)
    except ScheduleError:  # What was saved past the form must not stop cases from being opened.
        windows = parse_windows(CasePolicy().hours)
    return Terms(
        windows=windows,
        calendar=home_calendar(),
        skip_holidays=row.skip_holidays,
        contact_within=row.contact_within,
        close_within=row.close_within,
        remind_before=row.remind_before,
        escalate_after=row.escalate_after,
        escalate_to_id=row.escalate_to_id,
    )
