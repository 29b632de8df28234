"""The past as campaigns would have seen it: what was known at a moment about responses and their contacts.

What is kept only as it is today (properties of contacts and companies, tags, statuses of cases) is told as of today.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.campaigns.facts import Facts, gather
from apps.common.bulk import fetch_rows
from apps.contacts import services as contacts
from apps.contacts.budget import Entry
from apps.contacts.models import Contact
from apps.contacts.preferences import Wishes, wishes_of
from apps.messaging import channels, suppressions
from apps.responses.models import Response
from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint
from apps.triggers.facts import with_companies
from apps.triggers.past import made_before

CHUNK = 2_000
_LATER = """
    SELECT contact_id, answered_at, id, score FROM responses_response
    WHERE contact_id = ANY(%s) AND NOT is_suspected AND channel <> 'import' AND answered_at > %s
    ORDER BY contact_id, answered_at, id
"""
_CASES = """
    SELECT response_id, contact_id, opened_at, closed_at, status FROM cases_case
    WHERE merged_into_id IS NULL AND (response_id = ANY(%s) OR contact_id = ANY(%s)) ORDER BY opened_at DESC
"""
_VOUCHERS = """
    SELECT response_id, pool_id, issued_at, redeemed_at FROM incentives_voucher
    WHERE response_id = ANY(%s) AND issued_at IS NOT NULL
"""
_BASES = """
    SELECT contact_id, CASE WHEN %s AND kind = 'consent' THEN COALESCE(confirmed_at, '9999-01-01') ELSE granted_at END,
           revoked_at, kind = 'consent' AND confirmed_at IS NOT NULL
    FROM contacts_legalbasis WHERE contact_id = ANY(%s)
"""
_BLOCKED = "SELECT address_hash, created_at, reason FROM messaging_suppression WHERE lifted_at IS NULL"
Blocked = Mapping[bytes, tuple[datetime, bool]]


class PastCase(NamedTuple):
    """A case, and when it was open."""

    response_id: UUID
    contact_id: UUID | None
    opened_at: datetime
    closed_at: datetime | None
    status: str

    def is_open(self, at: datetime) -> bool:
        """Whether somebody was at it then."""
        return self.opened_at <= at and (self.closed_at is None or self.closed_at > at)


class Basis(NamedTuple):
    """Why a contact could be written to, and from when to when."""

    since: datetime
    until: datetime | None
    is_confirmed: bool


def blocked_addresses() -> Blocked:
    """Hash of each address that is blocked today → since when, and whether its owner wanted it so."""
    return {bytes(value): (at, reason in suppressions.BINDING) for value, at, reason in fetch_rows(_BLOCKED, [])}


def in_order(found: QuerySet[Response], size: int = CHUNK) -> Iterator[list[Response]]:
    """Responses by the time of their answers, a chunk at a time, with all that belongs to them."""
    touchpoints, surveys = Touchpoint.objects.in_bulk(), Survey.objects.in_bulk()
    ordered = found.order_by("answered_at", "pk").defer("token_hash", "suspicions")
    after = Q()
    while True:
        rows = list(ordered.filter(after)[:size])
        if not rows:
            return
        people = with_companies(Contact.objects.filter(pk__in={row.contact_id for row in rows if row.contact_id}))
        for row in rows:
            row.contact = people.get(row.contact_id) if row.contact_id else None
            row.touchpoint = touchpoints.get(row.touchpoint_id) if row.touchpoint_id else None
            row.survey = surveys[row.survey_id]
        yield rows
        last = rows[-1]
        after = Q(answered_at__gte=last.answered_at) & ~Q(answered_at=last.answered_at, pk__lte=last.pk)


@dataclass(slots=True)
class Past:
    """All that is known about one chunk. A fixed number of queries, and memory for this chunk only."""

    blocked: Blocked
    facts: Mapping[UUID, Facts] = field(default_factory=dict)
    later: dict[UUID, list[tuple[datetime, UUID, int | None]]] = field(default_factory=lambda: defaultdict(list))
    cases_of: dict[UUID, list[PastCase]] = field(default_factory=lambda: defaultdict(list))
    own_case: dict[UUID, PastCase] = field(default_factory=dict)
    vouchers: dict[UUID, list[tuple[int, datetime, datetime | None]]] = field(default_factory=lambda: defaultdict(list))
    bases: dict[UUID, list[Basis]] = field(default_factory=lambda: defaultdict(list))
    wishes: Mapping[UUID, Wishes] = field(default_factory=dict)
    addresses: Mapping[UUID, str] = field(default_factory=dict)
    approaches: dict[UUID, list[Entry]] = field(default_factory=lambda: defaultdict(list))

    def read(self, responses: Sequence[Response], fields: frozenset[str], now: datetime, *, budget: bool) -> None:
        """Learn about these responses; ``fields`` is what conditions ask for, ``budget`` whether approaches count."""
        ids = [row.pk for row in responses]
        people = list({row.contact_id for row in responses if row.contact_id})
        own = {name for name in fields if name.partition(".")[0] not in ("again", "case", "voucher", "mail")}
        self.facts = gather(responses=responses, fields=own)
        since = min(row.answered_at for row in responses)
        for contact_id, at, pk, score in fetch_rows(_LATER, [people, since]):
            self.later[contact_id].append((at, pk, score))
        for row in fetch_rows(_CASES, [ids, people]):
            case = PastCase._make(row)
            self.own_case[case.response_id] = case
            if case.contact_id:
                self.cases_of[case.contact_id].append(case)
        for pk, pool, issued_at, redeemed_at in fetch_rows(_VOUCHERS, [ids]):
            self.vouchers[pk].append((pool, issued_at, redeemed_at))
        for contact_id, *basis in fetch_rows(_BASES, [contacts.needs_confirmation(), people]):
            self.bases[contact_id].append(Basis(*basis))
        self.wishes = wishes_of(contact_ids=people)
        rows = {row.contact.pk: row.contact for row in responses if row.contact}
        self.addresses = channels.reachable(rows.values()).addresses
        for contact_id, entry in made_before(people, now) if budget else ():
            self.approaches[contact_id].append(entry)

    def answers_after(self, response: Response, at: datetime) -> list[tuple[datetime, UUID, int | None]]:
        """What the contact answered between this response and a moment, in order."""
        found = self.later.get(response.contact_id, ()) if response.contact_id else ()
        return [one for one in found if response.answered_at < one[0] <= at and one[1] != response.pk]

    def case_until(self, response: Response, at: datetime) -> tuple[bool, datetime | None]:
        """Whether the contact had an open case then, and until when (None: it is open still)."""
        cases = self.cases_of.get(response.contact_id, ()) if response.contact_id else ()
        held = [case.closed_at for case in cases if case.is_open(at)]
        if not held:
            return False, None
        ends = [end for end in held if end is not None]
        return True, max(ends) if len(ends) == len(held) else None

    def blocked_at(self, contact: Contact, at: datetime) -> tuple[datetime, bool] | None:
        """Since when the contact's address was blocked then, and whether by its owner; None: it was not."""
        address = self.addresses.get(contact.pk)
        found = self.blocked.get(suppressions.address_hash(address)) if address and self.blocked else None
        return found if found is not None and found[0] <= at else None

    def may_write(self, contact_id: UUID, at: datetime) -> bool:
        """Whether there was a legal basis then."""
        return any(b.since <= at and (b.until is None or b.until > at) for b in self.bases.get(contact_id, ()))

    def refuses(self, contact_id: UUID, kind: str, at: datetime) -> bool:
        """Whether the contact did not wish to get this kind of mail then."""
        wishes = self.wishes.get(contact_id)
        return wishes is not None and wishes.changed_at <= at and kind in wishes.refuses

    def facts_at(self, response: Response, at: datetime) -> dict[str, Any]:
        """What conditions would have known then. What the trial itself does is for the caller to add."""
        later = self.answers_after(response, at)
        told = next((score for _at, _pk, score in reversed(later) if score is not None), None)
        both = told is not None and response.score is not None
        again = {"answered": bool(later)} | ({"score": told} if later else {})
        if both:
            again["change"] = told - response.score  # type: ignore[operator]
        given = [one for one in self.vouchers.get(response.pk, ()) if one[1] <= at]
        redeemed = any(one[2] is not None and one[2] <= at for one in given)
        return {
            **self.facts[response.pk],
            "again": again,
            "case": self._case(response, at),
            "voucher": {"issued": bool(given), "redeemed": redeemed},
            "mail": {"bounced": False},
        }

    def _case(self, response: Response, at: datetime) -> dict[str, Any]:
        own = self.own_case.get(response.pk)
        cases = self.cases_of.get(response.contact_id, ()) if response.contact_id else ()
        known = [case for case in ([own] if own else []) if case.opened_at <= at]
        since = [case for case in cases if case.closed_at is None or case.closed_at >= response.answered_at]
        known += [case for case in since if case.opened_at <= at and case is not own]
        if not known:
            return {"opened": False, "open": False}
        return {"opened": True, "open": any(case.is_open(at) for case in known), "status": known[0].status}
