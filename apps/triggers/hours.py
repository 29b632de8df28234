"""At which hour contacts answer, read from their answers. Nothing is kept besides: answers are the truth.

So an answer that turns out to be a machine's, or is erased, is unlearnt by itself; an anonymous one teaches nothing,
for nobody knows whose it is; submitting an answer costs nothing more; and a dry run learns from no answer that came
after the stretch it looks at began.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.cache import cache

from apps.common.bulk import fetch_rows
from apps.contacts import ledger
from apps.contacts.best_hour import COMPANY_MINIMUM, HOURS, OWN_MINIMUM, TENANT_MINIMUM, good_hours, histogram
from apps.contacts.book import Person
from apps.messaging.models import MailPolicy

BACK = timedelta(days=365)
"""Older habits are forgotten."""
LATELY = timedelta(days=90)
KEPT_SECONDS = 3600
"""What all contacts of a tenant do changes slowly: it is counted once an hour."""
COMPANY_ANSWERS = 500
_OWN = """
    SELECT contact_id, answered_at FROM responses_response
    WHERE contact_id = ANY(%s) AND answered_at >= %s AND answered_at < %s AND NOT is_suspected AND channel = 'email'
"""
_OPENED = """
    SELECT m.contact_id, min(d.at) FROM messaging_outgoingemail m JOIN messaging_deliveryevent d ON d.email_id = m.id
    WHERE m.contact_id = ANY(%s) AND m.queued_at >= %s AND d.at < %s AND d.kind = 'opened' GROUP BY m.id
"""
_COMPANIES = """
    SELECT o.id, r.answered_at FROM unnest(%s::bigint[]) AS o(id) CROSS JOIN LATERAL (
        SELECT r.answered_at FROM contacts_contact c JOIN responses_response r ON r.contact_id = c.id
        WHERE c.company_id = o.id AND r.answered_at >= %s AND r.answered_at < %s AND NOT r.is_suspected
          AND r.channel = 'email'
        ORDER BY r.answered_at DESC LIMIT %s) r
"""
_EVERYBODY = """
    SELECT touchpoint_id, extract(hour FROM answered_at AT TIME ZONE %s)::int, count(*) FROM responses_response
    WHERE answered_at >= %s AND answered_at < %s AND NOT is_suspected AND channel = 'email' AND contact_id IS NOT NULL
    GROUP BY 1, 2
"""

Everybody = dict[int | None, list[int]]


@dataclass(slots=True)
class AnswerHours:
    """Histograms of answers up to a moment: of contacts, companies, touchpoints, and of everybody."""

    before: datetime
    learns_from_opens: bool
    own: dict[UUID, list[int]] = field(default_factory=dict)
    companies: dict[int, list[int]] = field(default_factory=dict)
    touchpoints: Everybody = field(default_factory=dict)
    everybody: list[int] = field(default_factory=lambda: [0] * HOURS)
    _good: dict[tuple[UUID, int | None], Sequence[int]] = field(default_factory=dict)

    def meet(self, people: Mapping[UUID, Person]) -> None:
        """Read about contacts that are not known yet. Three queries at most."""
        fresh = {pk: person for pk, person in people.items() if pk not in self.own}
        if not fresh:
            return
        span = [list(fresh), self.before - BACK, self.before]
        moments = _by_key(fetch_rows(_OWN, span))
        if self.learns_from_opens:
            for contact_id, at in fetch_rows(_OPENED, span):
                moments[contact_id].append(at)
        for pk, person in fresh.items():
            self.own[pk] = histogram(moments.get(pk, ()), person.calendar.zone)
        self._meet_companies(fresh)

    def _meet_companies(self, people: Mapping[UUID, Person]) -> None:
        zones = {p.company_id: p.calendar.zone for p in people.values() if p.company_id is not None}
        fresh = [company_id for company_id in zones if company_id not in self.companies]
        if fresh:
            moments = _by_key(fetch_rows(_COMPANIES, [fresh, self.before - BACK, self.before, COMPANY_ANSWERS]))
            for company_id in fresh:
                self.companies[company_id] = histogram(moments.get(company_id, ()), zones[company_id])

    def good(self, person: Person, touchpoint_id: int | None) -> Sequence[int]:
        """The hours at which a contact is likely to answer, the best first.

        Learnt from the contact's own answers; from its company's where there are too few; then from those of all who
        were asked at the same touchpoint; then from everybody's.
        """
        key = (person.id, touchpoint_id)
        found = self._good.get(key)
        if found is None:
            nobody = [0] * HOURS
            company = self.companies.get(person.company_id, nobody) if person.company_id is not None else nobody
            found = self._good[key] = good_hours(
                [
                    (self.own.get(person.id, nobody), OWN_MINIMUM),
                    (company, COMPANY_MINIMUM),
                    (self.touchpoints.get(touchpoint_id, nobody), TENANT_MINIMUM),
                    (self.everybody, TENANT_MINIMUM),
                ]
            )
        return found


def read(people: Mapping[UUID, Person], *, before: datetime) -> AnswerHours:
    """When these contacts, and those like them, answered up to a moment."""
    policy = MailPolicy.objects.values_list("learns_from_opens", flat=True).first()
    touchpoints = _touchpoints(before)
    everybody = [sum(counts[hour] for counts in touchpoints.values()) for hour in range(HOURS)]
    found = AnswerHours(before, bool(policy), touchpoints=touchpoints, everybody=everybody)
    found.meet(people)
    return found


def _touchpoints(before: datetime) -> Everybody:
    """Answers per touchpoint and hour of the tenant's clock; as old as an hour."""
    key = f"answer-hours:{int(before.timestamp()) // KEPT_SECONDS}"
    found: Everybody | None = cache.get(key)
    if found is None:
        found = defaultdict(lambda: [0] * HOURS)
        rows = fetch_rows(_EVERYBODY, [ledger.home_calendar().zone, before - LATELY, before])
        for touchpoint_id, hour, count in rows:
            found[touchpoint_id][hour] = count
        found = dict(found)
        cache.set(key, found, KEPT_SECONDS)
    return found


def _by_key(rows: Iterable[tuple[Any, ...]]) -> dict[Any, list[datetime]]:
    found: dict[Any, list[datetime]] = defaultdict(list)
    for key, at in rows:
        found[key].append(at)
    return found
