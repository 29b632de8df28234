"""A condition as SQL, to count over tables what ``Condition.test`` decides one by one. Pure: only builds strings.

Both say the same about the same data. What people wrote becomes a parameter, never SQL. No expression is ever null,
and none can fail: a text is cast only after a pattern has found it in order.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from apps.common.conditions import Catalogue, Comparison, Condition, Kind, Node, Op, parse
from apps.common.operators import DECIMAL, LOWER, MATCHED_TEXT, MOMENT, NEGATIVE, Wanted, exact, fold, moment


@dataclass(frozen=True, slots=True)
class Columns:
    """Where SQL finds what conditions speak of. All of it is SQL of ours; a ``%`` in it must be doubled."""

    closed: Mapping[str, tuple[str, Kind]]
    """Known field → an expression, and what it is: text, a number, a timestamptz, a boolean; ANY is a jsonb."""
    open: Mapping[str, str] = field(default_factory=dict)
    """Open root → an expression for a jsonb with its properties."""

    @property
    def catalogue(self) -> Catalogue:
        """What a condition over these columns may speak of."""
        return Catalogue({name: kind for name, (_sql, kind) in self.closed.items()}, frozenset(self.open))


def to_sql(condition: object, columns: Columns, now: datetime) -> tuple[str, list[Any]]:
    """A boolean expression with ``%s``, and its parameters, for a Condition or for the tree of one.

    Raises ConditionError if it is a tree and wrong; ValueError if a field has no column, or ``now`` no offset.
    """
    if now.tzinfo is None:
        raise ValueError("now has no offset from UTC")
    ready = condition if isinstance(condition, Condition) else parse(condition, columns.catalogue)
    built = _node(ready.root, columns, now)
    return built.text, list(built.params)


@dataclass(frozen=True, slots=True)
class _Sql:
    """A piece of SQL with its parameters."""

    text: str
    params: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a field's value is."""

    sql: _Sql
    kind: Kind


def _fill(template: str, **parts: Any) -> _Sql:
    """Put pieces of SQL where their ``{name}`` stands; anything else becomes a parameter."""
    params: list[Any] = []

    def replacement(name: re.Match[str]) -> str:
        part = parts[name[1]]
        params.extend(part.params if isinstance(part, _Sql) else [part])
        return part.text if isinstance(part, _Sql) else "%s"

    return _Sql(re.sub(r"\{([a-z]+)\}", replacement, template), tuple(params))


def _node(node: Node, columns: Columns, now: datetime) -> _Sql:
    if isinstance(node, Comparison):
        if node.saved is not None:
            positive = _node(node.saved.root, columns, now)
        else:
            positive = _BUILDERS[NEGATIVE.get(node.op, node.op)](_source(node, columns), node.value, now)
        return _fill("NOT {positive}", positive=positive) if node.op in NEGATIVE else positive
    parts = [_node(part, columns, now) for part in node.parts]
    if not parts:
        return _Sql("TRUE")
    if node.word == "not":
        return _Sql(f"NOT {parts[0].text}", parts[0].params)
    word = " AND " if node.word == "all" else " OR "
    return _Sql(f"({word.join(part.text for part in parts)})", tuple(p for part in parts for p in part.params))


def _source(leaf: Comparison, columns: Columns) -> _Source:
    sql, kind = columns.closed.get(leaf.field, (None, Kind.ANY))
    root, *parts = leaf.field.split(".")
    if kind != leaf.kind or (sql is None and root not in columns.open):
        raise ValueError(f"no column of the kind {leaf.kind} for {leaf.field}")
    if sql is not None:
        return _Source(_Sql(f"({sql})"), kind)
    # Not #>, which takes "0" for a place in a list; -> with a text finds only what objects hold.
    return _Source(_Sql(f"({columns.open[root]}{' -> %s::text' * len(parts)})", tuple(parts)), Kind.ANY)


# A jsonb's text without quotes is v #>> '{}'.
_TEXT = {
    Kind.TEXT: "{v}::text",
    Kind.ANY: "CASE jsonb_typeof({v}) WHEN 'string' THEN {v} #>> '{}' END",
}
_NUMBER = {
    Kind.NUMBER: "{v}::numeric",
    Kind.ANY: (
        "CASE WHEN jsonb_typeof({v}) = 'number' OR (jsonb_typeof({v}) = 'string' AND ({v} #>> '{}') ~ {decimal})"
        " THEN ({v} #>> '{}')::numeric END"
    ),
}
# In the form that PostgreSQL reads whatever its settings: with an offset, and cut, not rounded, to microseconds.
_TIME = {
    Kind.TIME: "{v}::timestamptz",
    Kind.ANY: (
        "CASE WHEN jsonb_typeof({v}) = 'string' AND ({v} #>> '{}') ~ {moment} THEN (regexp_replace("
        "({v} #>> '{}') || CASE WHEN length({v} #>> '{}') = 10 THEN 'T00:00:00Z'"
        " WHEN ({v} #>> '{}') ~ '(Z|[+-][0-9]{2}:?[0-9]{2})$' THEN '' ELSE 'Z' END,"
        " '([.][0-9]{6})[0-9]+', '\\1'))::timestamptz END"
    ),
}
_EQUAL = {
    Kind.TEXT: "COALESCE({v}::text = ANY({texts}::text[]), FALSE)",
    Kind.NUMBER: "COALESCE({v}::numeric = ANY({numbers}::numeric[]), FALSE)",
    Kind.BOOL: "COALESCE({v}::boolean = ANY({bools}::boolean[]), FALSE)",
    Kind.ANY: (
        "CASE jsonb_typeof({v})"
        " WHEN 'string' THEN ({v} #>> '{}') = ANY({texts}::text[])"
        " OR CASE WHEN ({v} #>> '{}') ~ {decimal} THEN ({v} #>> '{}')::numeric = ANY({decimals}::numeric[])"
        " ELSE FALSE END"
        " WHEN 'boolean' THEN ({v} #>> '{}')::boolean = ANY({bools}::boolean[])"
        " WHEN 'number' THEN ({v} #>> '{}')::numeric = ANY({numbers}::numeric[])"
        " ELSE FALSE END"
    ),
}
_GIVEN = {
    Kind.TEXT: "COALESCE({v}::text <> '', FALSE)",
    Kind.ANY: "COALESCE({v} NOT IN ('null'::jsonb, '\"\"'::jsonb, '[]'::jsonb), FALSE)",
}


def _read(source: _Source, templates: Mapping[Kind, str]) -> _Sql:
    return _fill(templates[source.kind], v=source.sql, decimal=f"^{DECIMAL}$", moment=f"^{MOMENT}$")


def _folded(source: _Source, needle: str) -> _Sql:
    """The field's text in small letters, as far as the needle cares.

    Letters beyond ASCII are looked up in a table, and only those are that may be the needle's: it is searched anew for
    each letter of each text. "C" knows ASCII only, wherever the server runs.
    """
    sql = _fill('lower(({text}) COLLATE "C")', text=_read(source, _TEXT))
    large = [chr(code) for code, small in LOWER.items() if code > 0x7F and small in needle]
    if not large:
        return sql
    return _fill("translate({sql}, {large}, {small})", sql=sql, large="".join(large), small=fold("".join(large)))


def _equal(source: _Source, values: list[Any], _now: datetime) -> _Sql:
    wanted = Wanted.of(values)
    return _fill(
        _EQUAL[source.kind],
        v=source.sql,
        texts=sorted(wanted.texts),
        bools=sorted(wanted.bools),
        numbers=sorted(map(exact, wanted.numbers)),
        decimals=sorted(wanted.decimals),
        decimal=f"^{DECIMAL}$",
    )


def _contains(source: _Source, value: Any, now: datetime) -> _Sql:
    needle = fold(value) if isinstance(value, str) else ""
    within = _fill("strpos({folded}, {needle}) > 0", folded=_folded(source, needle), needle=needle)
    if source.kind != Kind.ANY:
        return _fill("COALESCE({within}, FALSE)", within=within)
    return _fill(
        "CASE jsonb_typeof({v}) WHEN 'string' THEN {within} WHEN 'array' THEN EXISTS (SELECT 1 FROM"
        " jsonb_array_elements(CASE jsonb_typeof({v}) WHEN 'array' THEN {v} ELSE '[]'::jsonb END)"
        " AS element_of_list(found) WHERE {equal}) ELSE FALSE END",
        v=source.sql,
        within=within if needle else _Sql("FALSE"),
        equal=_equal(_Source(_Sql("element_of_list.found"), Kind.ANY), [value], now),
    )


def _matches(source: _Source, value: str, _now: datetime) -> _Sql:
    pattern = fold(value)
    # PostgreSQL's LIKE gives up where no text is left, so that many stars do not take long there either.
    like = re.sub(r"([\\%_])", r"\\\1", pattern).replace("*", "%").replace("?", "_")
    return _fill(
        f"COALESCE(length({{text}}) <= {MATCHED_TEXT} AND {{folded}} LIKE {{like}}, FALSE)",
        text=_read(source, _TEXT),
        folded=_folded(source, pattern),
        like=like,
    )


def _number(sign: str) -> Callable[[_Source, Any, datetime], _Sql]:
    return lambda source, value, _now: _fill(
        f"COALESCE({{found}} {sign} {{value}}::numeric, FALSE)", found=_read(source, _NUMBER), value=exact(value)
    )


def _between(source: _Source, value: list[Any], _now: datetime) -> _Sql:
    low, high = map(exact, value)
    template = "COALESCE({found} BETWEEN {low}::numeric AND {high}::numeric, FALSE)"
    return _fill(template, found=_read(source, _NUMBER), low=low, high=high)


def _time(sign: str) -> Callable[[_Source, Any, datetime], _Sql]:
    return lambda source, value, _now: _fill(
        f"COALESCE({{found}} {sign} {{value}}::timestamptz, FALSE)", found=_read(source, _TIME), value=moment(value)
    )


def _within_days(source: _Source, value: int, now: datetime) -> _Sql:
    template = "COALESCE({found} BETWEEN {since}::timestamptz AND {now}::timestamptz, FALSE)"
    return _fill(template, found=_read(source, _TIME), since=now - timedelta(days=value), now=now)


def _older_days(source: _Source, value: int, now: datetime) -> _Sql:
    template = "COALESCE({found} < {since}::timestamptz, FALSE)"
    return _fill(template, found=_read(source, _TIME), since=now - timedelta(days=value))


def _exists(source: _Source, _value: None, _now: datetime) -> _Sql:
    return _fill(_GIVEN.get(source.kind, "({v} IS NOT NULL)"), v=source.sql)


_BUILDERS: Mapping[Op, Callable[[_Source, Any, datetime], _Sql]] = {
    Op.EQ: lambda source, value, now: _equal(source, [value], now),
    Op.IN: _equal,
    Op.CONTAINS: _contains,
    Op.MATCHES: _matches,
    Op.LT: _number("<"),
    Op.LE: _number("<="),
    Op.GT: _number(">"),
    Op.GE: _number(">="),
    Op.BETWEEN: _between,
    Op.BEFORE: _time("<"),
    Op.AFTER: _time(">"),
    Op.WITHIN_DAYS: _within_days,
    Op.OLDER_DAYS: _older_days,
    Op.EXISTS: _exists,
}
