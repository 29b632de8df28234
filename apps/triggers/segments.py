"""Segments in the database: who belongs, how many, and whose turn it is."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models.expressions import RawSQL

from apps.common.conditions import Kind
from apps.common.conditions_sql import Columns, to_sql
from apps.common.db import connection
from apps.common.recurrence import Slice
from apps.triggers.models import TriggerRule
from apps.triggers.rules import parse_segment

# The same expression as the index contact_bucket.
_BUCKET = "(get_byte(uuid_send(c.id), 14) * 256 + get_byte(uuid_send(c.id), 15))"
_FROM = "contacts_contact c LEFT JOIN contacts_company o ON o.id = c.company_id"
_ANSWERED = "FROM responses_response r WHERE r.contact_id = c.id AND NOT r.is_suspected"
_LAST_SCORE = f"(SELECT r.score {_ANSWERED} AND r.score IS NOT NULL ORDER BY r.answered_at DESC, r.id DESC LIMIT 1)"
_LAST_TIME = f"(SELECT r.answered_at {_ANSWERED} ORDER BY r.answered_at DESC LIMIT 1)"
_MEMBERS = "EXISTS (SELECT FROM triggers_autopilotmember m WHERE m.contact_id = c.id AND m.platform = %s)"
_DECIDED = "FROM touchpoints_event e WHERE e.contact_id = c.id AND e.status = 'decided'"


def _own_or_told(table: str, name: str) -> str:
    """A column, or else the text property of the same name."""
    told = f"{table}.properties->'{name}'"
    text = f"CASE jsonb_typeof({told}) WHEN 'string' THEN {table}.properties->>'{name}' END"
    return f"COALESCE(NULLIF({table}.{name}, ''), {text})"


def _columns(now: datetime) -> Columns:
    """Where SQL finds what conditions speak of. ``now`` is only ever a time that we made ourselves."""
    moment = f"'{now.isoformat()}'::timestamptz"
    since = f"LEAST(c.created_at, (SELECT min(e.occurred_at) {_DECIDED}))"
    closed = {
        "contact.email": ("c.email", Kind.TEXT),
        "contact.external_id": ("c.external_id", Kind.TEXT),
        "contact.name": ("c.name", Kind.TEXT),
        "contact.locale": ("c.locale", Kind.TEXT),
        "contact.country": (_own_or_told("c", "country"), Kind.TEXT),
        "contact.region": (_own_or_told("c", "region"), Kind.TEXT),
        "contact.time_zone": ("c.time_zone", Kind.TEXT),
        "contact.created_at": ("c.created_at", Kind.TIME),
        "company.name": ("o.name", Kind.TEXT),
        "company.external_id": ("o.external_id", Kind.TEXT),
        "company.country": (_own_or_told("o", "country"), Kind.TEXT),
        "history.last_score": (_LAST_SCORE, Kind.NUMBER),
        "history.last_response_at": (_LAST_TIME, Kind.TIME),
        "history.days_since_response": (
            f"floor(extract(epoch FROM {moment} - {_LAST_TIME}) / 86400)", Kind.NUMBER,
        ),
        "history.responses": (f"(SELECT count(*) {_ANSWERED})", Kind.NUMBER),
        "history.events": (f"(SELECT count(*) {_DECIDED})", Kind.NUMBER),
        "history.lifetime_days": (
            f"GREATEST(0, floor(extract(epoch FROM {moment} - {since}) / 86400))", Kind.NUMBER,
        ),
    }  # fmt: skip
    return Columns(closed=closed, open={"contact": "c.properties", "company": "o.properties"})


def _where(tree: object, now: datetime, members_of: str = "") -> tuple[str, list[Any]]:
    """The condition in SQL; with ``members_of`` only for those an integration put on that list."""
    where, params = to_sql(parse_segment(tree), _columns(now), now)
    return (f"{_MEMBERS} AND ({where})", [members_of, *params]) if members_of else (where, params)


def size(*, condition: object, now: datetime, members_of: str = "") -> int:
    """How many contacts fit a segment's condition. Raises ConditionError."""
    where, params = _where(condition, now, members_of)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {_FROM} WHERE {where}", params)  # noqa: S608
        return int(cursor.fetchone()[0])


def members(*, condition: object, of: Collection[UUID], now: datetime) -> set[UUID]:
    """Those of the contacts that belong to a segment. Raises ConditionError."""
    where, params = _where(condition, now)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT c.id FROM {_FROM} WHERE c.id = ANY(%s) AND {where}", [list(of), *params])  # noqa: S608
        return {row[0] for row in cursor.fetchall()}


def subquery(*, condition: object, now: datetime) -> RawSQL:
    """The ids of a segment's contacts, for ``filter(contact_id__in=…)``. Raises ConditionError."""
    where, params = _where(condition, now)
    return RawSQL(f"SELECT c.id FROM {_FROM} WHERE {where}", params)  # noqa: S608, S611


def bucket_counts(*, condition: object, now: datetime, members_of: str = "") -> dict[int, int]:
    """How many contacts of a segment lie in each bucket; for the preview of a cadence."""
    where, params = _where(condition, now, members_of)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_BUCKET}, count(*) FROM {_FROM} WHERE {where} GROUP BY 1", params)  # noqa: S608
        return dict(cursor.fetchall())


def contact_ids(
    turns: Sequence[Slice], *, condition: object, now: datetime, after: UUID | None, limit: int, members_of: str = ""
) -> list[UUID]:
    """Contacts of a segment in these buckets, by id, after the given one."""
    where, values = _where(condition, now, members_of)
    ranges = " OR ".join(f"({_BUCKET} >= %s AND {_BUCKET} < %s)" for _ in turns)
    params: list[Any] = [bound for turn in turns for bound in (turn.low, turn.high)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.id FROM {_FROM} WHERE ({ranges}) AND c.id > %s AND {where} ORDER BY c.id LIMIT %s",  # noqa: S608
            [*params, after or UUID(int=0), *values, limit],
        )
        return [row[0] for row in cursor.fetchall()]


def bucket_of(contact_id: UUID) -> int:
    """A contact's bucket, as the database computes it."""
    return int.from_bytes(contact_id.bytes[14:], "big")


def is_named_by_rules(*, key: str) -> bool:
    """Whether a rule's condition names the segment: without it the rule could not be decided any more."""
    return any(_names(tree, key) for tree in TriggerRule.objects.values_list("condition", flat=True))


def _names(tree: object, key: str) -> bool:
    if isinstance(tree, list):
        return any(_names(part, key) for part in tree)
    if not isinstance(tree, dict):
        return False
    return tree.get("value") == key if tree.get("field") == "segment" else _names(list(tree.values()), key)
