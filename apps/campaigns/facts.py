"""What conditions of campaigns know about responses: read for a whole batch at once, and only what is asked for."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.cases.models import Case
from apps.common.bulk import fetch_rows
from apps.incentives.models import Voucher
from apps.messaging.models import OutgoingEmail
from apps.responses.models import Answer, Response
from apps.triggers.facts import company_facts, contact_facts

Facts = dict[str, dict[str, Any]]
_AGAIN = """
    SELECT DISTINCT ON (x.id) x.id, r.id, r.score FROM responses_response x
    JOIN responses_response r ON r.contact_id = x.contact_id AND r.answered_at > x.answered_at AND r.id <> x.id
         AND NOT r.is_suspected AND r.channel <> 'import'
    WHERE x.id = ANY(%s) ORDER BY x.id, r.score IS NULL, r.answered_at DESC, r.id DESC
"""


def gather(*, responses: Sequence[Response], fields: Collection[str]) -> dict[UUID, Facts]:
    """Response id → what conditions on these fields need. At most five queries for any batch.

    Contact, company, touchpoint and survey must have been read along.
    """
    roots = {name.partition(".")[0] for name in fields}
    found = {row.pk: _own(row) for row in responses}
    for root, read in _READERS.items():
        if root in roots:
            for pk, values in read(responses).items():
                found[pk][root] |= values
    return found


def later_answers(response_ids: Collection[UUID]) -> list[tuple[UUID, UUID, int | None]]:
    """Of each response the contact's newest later one: its id and score; one with a score before one without."""
    return [(pk, other, score) for pk, other, score in fetch_rows(_AGAIN, [list(response_ids)])]


def _own(row: Response) -> Facts:
    """What the response says itself, and what has not happened unless we find it."""
    contact = row.contact
    properties = row.properties if isinstance(row.properties, dict) else {}
    return {
        "response": {
            "score": row.score,
            "comment": row.comment or None,
            "has_comment": bool(row.comment.strip()),
            "wants_call": bool(row.call_back),
            "channel": row.channel,
            "language": row.locale or None,
            "touchpoint": row.touchpoint.key if row.touchpoint else None,
            "survey": row.survey.key,
            "tags": ", ".join(row.tags) or None,
        },
        "property": dict(properties),
        "answer": {},
        "contact": contact_facts(contact) if contact else {},
        "company": company_facts(contact.company) if contact else {},
        "again": {"answered": False},
        "case": {"opened": False, "open": False},
        "voucher": {"issued": False, "redeemed": False},
        "mail": {"bounced": False},
    }


def _again(responses: Sequence[Response]) -> Mapping[UUID, dict[str, Any]]:
    scores = {row.pk: row.score for row in responses}
    found = {}
    for pk, _other, score in later_answers(list(scores)):
        before = scores[pk]
        change = score - before if score is not None and before is not None else None
        found[pk] = {"answered": True, "score": score, "change": change}
    return found


def _vouchers(responses: Sequence[Response]) -> Mapping[UUID, dict[str, Any]]:
    found: dict[UUID, dict[str, Any]] = {}
    rows = Voucher.objects.filter(response__in=[row.pk for row in responses])
    for pk, status in rows.values_list("response_id", "status"):
        redeemed = found.get(pk, {}).get("redeemed", False) or status == Voucher.Status.REDEEMED
        found[pk] = {"issued": True, "redeemed": redeemed}
    return found


def _bounced(responses: Sequence[Response]) -> Mapping[UUID, dict[str, Any]]:
    rows = OutgoingEmail.objects.filter(
        step_run__enrolment__response__in=[row.pk for row in responses], status=OutgoingEmail.Status.BOUNCED
    )
    return {pk: {"bounced": True} for pk in rows.values_list("step_run__enrolment__response_id", flat=True)}


def _answers(responses: Sequence[Response]) -> Mapping[UUID, dict[str, Any]]:
    found: dict[UUID, dict[str, Any]] = defaultdict(dict)
    rows = Answer.objects.filter(response__in=[row.pk for row in responses])
    for pk, key, value, text, choices in rows.values_list("response_id", "question__key", "value", "text", "choices"):
        chosen = choices[0] if len(choices) == 1 else ", ".join(map(str, choices))
        found[pk][key] = value if value is not None else text or chosen
    return found


def _cases(responses: Sequence[Response]) -> Mapping[UUID, dict[str, Any]]:
    """Of each response the case it belongs to: its own or where that went, else the contact's newest open since."""
    people = {row.contact_id for row in responses if row.contact_id}
    own = {row.pk for row in responses}
    rows = Case.objects.filter(Q(response__in=own) | Q(contact__in=people, merged_into=None)).order_by("-opened_at")
    by_response: dict[UUID, Case] = {}
    by_contact: dict[UUID, list[Case]] = defaultdict(list)
    for case in rows.select_related("merged_into"):
        by_response[case.response_id] = case.merged_into or case
        if case.contact_id and case.merged_into_id is None:
            by_contact[case.contact_id].append(case)
    found = {}
    for row in responses:
        others = by_contact[row.contact_id] if row.contact_id else []
        # One that was open already got no second one beside it: the answer was noted there.
        later = [case for case in others if case.closed_at is None or case.closed_at >= row.answered_at]
        known = [*([by_response[row.pk]] if row.pk in by_response else []), *later]
        if known:
            is_open = any(case.closed_at is None for case in known)
            found[row.pk] = {"opened": True, "open": is_open, "status": known[0].status}
    return found


_READERS: Mapping[str, Callable[[Sequence[Response]], Mapping[UUID, dict[str, Any]]]] = {
    "answer": _answers,
    "again": _again,
    "case": _cases,
    "voucher": _vouchers,
    "mail": _bounced,
}
