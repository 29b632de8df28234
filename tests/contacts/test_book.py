"""Who takes a slot and who makes way, whatever the order in which approaches come."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from apps.common.schedule import Calendar, Window, is_open, local_day
from apps.contacts.book import Book, Person
from apps.contacts.budget import Entry, Limit, Plan, Policy

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
PEOPLE = [Person(UUID(int=n), company_id=n % 2, calendar=Calendar("Europe/Berlin", "DE", "BY")) for n in range(3)]
OFFICE = (Window(frozenset({0, 1, 2, 3, 4}), 9 * 60, 17 * 60),)
DAYS_HORIZON = 60


class Wish(NamedTuple):
    """Somebody wants to approach a person at a moment, in hours from the start."""

    person: int
    decided: int
    after: int
    lasting: int
    priority: int
    survey: int
    windows: bool


wishes = st.lists(
    st.builds(
        Wish, st.integers(0, 2), st.integers(0, 24 * 40), st.integers(0, 24 * 10), st.integers(1, 24 * 40),
        st.integers(0, 3), st.integers(1, 2), st.booleans(),
    ),
    max_size=14,
)  # fmt: skip
policies = st.builds(
    lambda gap, n90, company: Policy(
        timedelta(days=gap), (Limit(n90, timedelta(days=30)),), Limit(company, timedelta(days=5)) if company else None
    ),
    st.integers(0, 14), st.integers(1, 3), st.integers(0, 3),
)  # fmt: skip


def play(wished: list[Wish], policy: Policy) -> tuple[Book, list[Entry]]:
    """Decide the wishes in the order of their time; returns the book and every entry that was ever placed."""
    book, placed = Book(policy), []
    for wish in sorted(wished, key=lambda w: w.decided):
        now = START + timedelta(hours=wish.decided)
        wanted = now + timedelta(hours=wish.after)
        entry = Entry(
            reason=f"invitation:{len(placed)}",
            at=wanted,
            topic=f"survey:{wish.survey}",
            priority=wish.priority,
            give_up_at=wanted + timedelta(hours=wish.lasting),
            plan=Plan(windows=OFFICE if wish.windows else (), skip_holidays=wish.windows, topic_gap=timedelta(days=9)),
        )
        decided = book.decide(PEOPLE[wish.person], entry, now)
        assert (decided.verdict.at is None) == (entry not in book.entries[PEOPLE[wish.person].id])
        if decided.verdict.at is not None:
            assert max(wanted, now) <= decided.verdict.at
            assert entry.give_up_at is not None
            assert decided.verdict.at <= entry.give_up_at
            placed.append(entry)
        for move in decided.moves:
            assert move.entry.priority < wish.priority
            assert move.at is None or (move.at > now and move.at >= move.came_from)
    return book, placed


def most_within(times: list[datetime], within: timedelta) -> int:
    return max((sum(start <= t < start + within for t in times) for start in times), default=0)


@given(wishes, policies)
def test_the_budget_is_never_exceeded_whatever_comes_in_whatever_order(wished: list[Wish], policy: Policy) -> None:
    book, _placed = play(wished, policy)
    for person in PEOPLE:
        times = sorted(entry.at for entry in book.entries[person.id])
        for limit in policy.limits:
            assert most_within(times, limit.within) <= limit.most
        for survey in ("survey:1", "survey:2"):
            same = [entry.at for entry in book.entries[person.id] if entry.topic == survey]
            assert most_within(same, timedelta(days=9)) <= 1
    if policy.company:
        for company in (0, 1):
            times = [e.at for p in PEOPLE if p.company_id == company for e in book.entries[p.id]]
            assert sorted(times) == book.companies[company]
            assert most_within(times, policy.company.within) <= policy.company.most


@given(wishes, policies)
def test_nothing_is_planned_outside_its_window_or_past_its_expiry(wished: list[Wish], policy: Policy) -> None:
    book, _placed = play(wished, policy)
    for person in PEOPLE:
        for entry in book.entries[person.id]:
            assert entry.give_up_at is not None
            assert entry.at <= entry.give_up_at
            assert is_open(entry.at, entry.plan.windows, person.calendar, skip_holidays=entry.plan.skip_holidays)


def entry(days: float, priority: int = 0, lasting: float = 30, **plan: object) -> Entry:
    at = START + timedelta(days=days)
    return Entry(f"invitation:{days}:{priority}", at, priority=priority, give_up_at=at + timedelta(days=lasting),
                 plan=Plan(**plan))  # type: ignore[arg-type]  # fmt: skip


def test_a_stronger_survey_takes_the_slot_and_pushes_the_weaker_one_back() -> None:
    book = Book(Policy(timedelta(days=10)))
    weak, strong = entry(5), entry(7, priority=5)
    book.decide(PEOPLE[0], weak, START)
    decided = book.decide(PEOPLE[0], strong, START)
    assert decided.verdict.at == START + timedelta(days=7)
    [move] = decided.moves
    assert (move.entry, move.at) == (weak, START + timedelta(days=17))
    assert weak.at == START + timedelta(days=17)


def test_who_cannot_wait_is_pushed_out() -> None:
    book = Book(Policy(timedelta(days=10)))
    weak = entry(5, lasting=3)
    book.decide(PEOPLE[0], weak, START)
    [move] = book.decide(PEOPLE[0], entry(7, priority=5), START).moves
    assert move.at is None
    assert weak not in book.entries[PEOPLE[0].id]


def test_what_was_sent_is_not_pushed_back() -> None:
    book = Book(Policy(timedelta(days=10)))
    book.entries[PEOPLE[0].id].append(Entry("made", START - timedelta(days=1), is_spent=True))
    decided = book.decide(PEOPLE[0], entry(0, priority=5), START)
    assert (decided.verdict.status, decided.verdict.at) == ("deferred", START + timedelta(days=9))


def test_a_daily_cap_spreads_over_the_day_and_goes_on_the_next() -> None:
    book = Book(Policy())
    times = []
    for n in range(25):
        wanted = entry(0, lasting=20, daily_cap=10, origin="rule:1", windows=OFFICE)
        verdict, _moves = book.decide(Person(UUID(int=100 + n)), wanted, START)
        assert verdict.at is not None
        times.append(verdict.at)
    per_day = [sum(t.date() == START.date() + timedelta(days=d) for t in times) for d in range(3)]
    assert per_day == [10, 10, 5]
    first_day = sorted(t for t in times if t.date() == START.date())
    assert first_day[0] >= START.replace(hour=9)
    assert first_day[-1] < START.replace(hour=17)
    gaps = [(b - a).total_seconds() / 3600 for a, b in pairwise(first_day)]
    assert max(gaps) < 2.5  # ten in eight hours


@given(st.lists(st.integers(0, 24 * 20), max_size=30), st.integers(1, 4))
def test_no_day_ever_holds_more_than_the_cap(hours: list[int], cap: int) -> None:
    home = Calendar("Europe/Berlin")
    book = Book(Policy(), home)
    for n, hour in enumerate(sorted(hours)):
        now = START + timedelta(hours=hour)
        wanted = Entry(str(n), now, give_up_at=now + timedelta(days=9), plan=Plan(daily_cap=cap, origin="rule:1"))
        book.decide(Person(UUID(int=n)), wanted, now)
    days = [local_day(e.at, home) for entries in book.entries.values() for e in entries]
    assert all(days.count(day) <= cap for day in days)
