"""What each kind of import does with a batch of good rows: foresee what would happen, or make it happen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from apps.contacts.identity import CompanyData, resolve_companies
from apps.messaging import suppressions
from apps.messaging.models import Suppression
from apps.messaging.suppressions import Entry, address_hash
from apps.responses import past
from apps.responses.past import PastResponse
from apps.surveys.models import Survey
from apps.transfers import bases, changes, people
from apps.transfers.models import Import
from apps.transfers.outcomes import Outcome
from apps.transfers.tables import Table

MAX_SEEN = 4_000_000
"""So many identities a check remembers; after that, rows that repeat one of them are taken for new."""


@dataclass(slots=True)
class Work:
    """An import at work: ``now`` is this batch's time."""

    source: Import
    now: datetime
    survey_id: int = 0
    seen: set[int] = field(default_factory=set)


class Doing(NamedTuple):
    """What a kind of import can do."""

    foresee: Callable[[Table, Work], Outcome]
    take: Callable[[Table, Work], Outcome]


def work_of(source: Import, now: datetime) -> Work:
    """An import, ready to be worked on. One query where it has a survey."""
    key = source.options.get("survey")
    survey_id = Survey.objects.filter(key=key).values_list("pk", flat=True).first() if key else None
    return Work(source=source, now=now, survey_id=survey_id or 0)


def _seen(work: Work, *identities: str) -> bool:
    """Whether an earlier row of the file had one of these; remembers them."""
    hashes = {hash(identity) for identity in identities if identity}
    found = not work.seen.isdisjoint(hashes)
    if len(work.seen) < MAX_SEEN:
        work.seen |= hashes
    return found


def _foresee_contacts(table: Table, work: Work) -> Outcome:
    external_ids, emails = table.column("external_id"), table.column("email")
    known = people.known_among(external_ids, emails)
    outcome = Outcome()
    skip_known = work.source.options.get("existing") == "skip"
    for external_id, email in zip(external_ids, emails, strict=True):
        is_known = external_id in known.external_ids or email in known.emails
        if is_known and skip_known:
            outcome.skipped += 1
        elif _seen(work, external_id and f"#{external_id}", email) or is_known:
            outcome.updated += 1
        else:
            outcome.created += 1
    return outcome


def _take_contacts(table: Table, work: Work) -> Outcome:
    source = work.source
    skip_known = source.options.get("existing") == "skip"
    outcome, ids = people.take(table=table, source_id=source.pk, now=work.now, skip_known=skip_known)
    told = source.options.get("legal_basis") or {}
    outcome.legal_bases = bases.record(table=table, ids=ids, told=told, at=source.created_at)
    return outcome


def _foresee_companies(table: Table, work: Work) -> Outcome:
    keys = table.column("external_id")
    known = changes.read_companies(keys)
    outcome = Outcome()
    for key in keys:
        if _seen(work, key) or key in known:
            outcome.updated += 1
        else:
            outcome.created += 1
    return outcome


def _take_companies(table: Table, work: Work) -> Outcome:
    keys = table.column("external_id")
    companies = [_company(table, row) for row in range(len(keys))]
    before = changes.read_companies(keys)
    resolve_companies(companies=companies)
    fresh, changed = changes.note_companies(source_id=work.source.pk, named=set(keys), before=before)
    return Outcome(created=fresh, updated=changed, unchanged=len(keys) - fresh - changed)


def _company(table: Table, row: int) -> CompanyData:
    targets = ("external_id", "name", "time_zone", "country", "region")
    found: dict[str, Any] = {target: table.column(target)[row] for target in targets if target in table.values}
    return cast("CompanyData", {**found, "properties": table.properties[row]})


def _blocked(table: Table) -> dict[bytes, int]:
    """The hashes of addresses that are blocked already, and the keys of their rows. One query."""
    hashes = [address_hash(address) for address in table.column("address")]
    rows = Suppression.objects.filter(address_hash__in=hashes, lifted_at=None).values_list("address_hash", "pk")
    return {bytes(value): pk for value, pk in rows}


def _foresee_suppressions(table: Table, work: Work) -> Outcome:
    blocked = _blocked(table)
    outcome = Outcome()
    for address in table.column("address"):
        if _seen(work, address) or address_hash(address) in blocked:
            outcome.unchanged += 1
        else:
            outcome.created += 1
    return outcome


def _take_suppressions(table: Table, work: Work) -> Outcome:
    before = _blocked(table)
    told = work.source.options.get("reason") or Suppression.Reason.IMPORTED
    columns = (table.column(target) for target in ("address", "reason", "source"))
    entries = [
        Entry(address, reason or told, source or work.source.file_name[:120])
        for address, reason, source in zip(*columns, strict=True)
    ]
    added = suppressions.add(entries=entries, now=work.now)
    fresh = sorted(set(_blocked(table).values()) - set(before.values()))
    return Outcome(created=added, unchanged=len(entries) - added, suppressions=fresh)


_RESPONSE = ("score", "comment", "answered_at", "tags", "response_id", "locale", "incentivised")


def _responses(table: Table, work: Work, ids: Sequence[UUID | None]) -> list[PastResponse]:
    columns = (table.column(target) for target in _RESPONSE)
    told = [str(tag) for tag in work.source.options.get("tags") or ()]
    origin = f"import:{work.source.preset or 'file'}"
    return [
        PastResponse(
            survey_id=work.survey_id,
            answered_at=datetime.fromisoformat(answered_at),
            score=int(score) if score else None,
            comment=comment,
            contact_id=contact_id,
            locale=locale,
            properties=properties,
            tags=list(dict.fromkeys([*told, *(tag for part in tags.split(",") if (tag := part.strip()))])),
            source=origin,
            external_id=response_id or None,
            is_incentivised={"yes": True, "no": False}.get(promised),
        )
        for contact_id, properties, (score, comment, answered_at, tags, response_id, locale, promised) in zip(
            ids, table.properties, zip(*columns, strict=True), strict=True
        )
    ]


def _refused(found: dict[int, dict[str, str]]) -> list[tuple[int, str]]:
    codes = {"in_the_future": "future", "too_long": "too_long", "out_of_range": "score", "says_nothing": "no_score"}
    return [(row, codes.get(next(iter(fields.values())), "no_survey_question")) for row, fields in found.items()]


def _foresee_responses(table: Table, work: Work) -> Outcome:
    rows = _responses(table, work, [None] * len(table.numbers))
    refused = _refused(past.problems(rows=rows, now=work.now))
    return Outcome(created=len(rows) - len(refused), refused=refused)


def _take_responses(table: Table, work: Work) -> Outcome:
    """Contacts first; who is in none of the columns answered as nobody we know."""
    foreseen = _foresee_responses(table, work)
    if foreseen.refused:
        wrong = {row for row, _code in foreseen.refused}
        fine = [row for row in range(len(table.numbers)) if row not in wrong]
        outcome = _take_responses(table.only([row not in wrong for row in range(len(table.numbers))]), work)
        outcome.refused = [*foreseen.refused, *((fine[row], code) for row, code in outcome.refused)]
        return outcome
    pairs = zip(table.column("external_id"), table.column("email"), strict=True)
    named = [bool(external_id or email) for external_id, email in pairs]
    who = table.only(named)
    # What was known of them then may have changed since.
    who.properties = [{} for _row in who.numbers]
    found, contact_ids = people.take(table=who, source_id=work.source.pk, now=work.now)
    numbers = iter(contact_ids)
    ids = [UUID(str(next(numbers))) if is_named else None for is_named in named]
    stored = past.record_past_responses(rows=_responses(table, work, ids), now=work.now)
    fresh = [pk for pk in stored if pk is not None]
    return Outcome(created=len(fresh), unchanged=len(stored) - len(fresh), contacts=found.contacts, responses=fresh)


DOING: dict[str, Doing] = {
    Import.Kind.CONTACTS: Doing(_foresee_contacts, _take_contacts),
    Import.Kind.COMPANIES: Doing(_foresee_companies, _take_companies),
    Import.Kind.SUPPRESSIONS: Doing(_foresee_suppressions, _take_suppressions),
    Import.Kind.RESPONSES: Doing(_foresee_responses, _take_responses),
}
