"""Which values an operator takes. JSON says little about them, and a bool is no number here."""

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Any

from apps.common.operators import Kind, Op, is_storable, moment

MAX_TEXT = 200
MAX_VALUES = 200
MAX_NUMBER = 10**15
MAX_DAYS = 3660
MAX_PATTERN = 100
MAX_STARS = 8

Flaw = tuple[str, str, dict[str, Any]]
"""Something wrong with a value: in which entry of a list ("" is the whole), code, parameters."""


def text_flaws(value: object) -> Iterator[Flaw]:
    """What is wrong with something that should be a text of reasonable length."""
    if not isinstance(value, str):
        yield "", "wrong_type", {"expected": "text"}
        return
    if len(value) > MAX_TEXT:
        yield "", "too_long", {"limit": MAX_TEXT}
    if not is_storable(value):
        yield "", "bad_characters", {}


def value_flaws(op: Op, kind: Kind, value: object) -> Iterator[Flaw]:
    """What is wrong with the value of a leaf whose field is of this kind."""
    return _FLAWS[op](value, kind)


def _scalar(value: object, kind: Kind) -> Iterator[Flaw]:
    if isinstance(value, str) and kind in {Kind.TEXT, Kind.ANY}:
        yield from text_flaws(value)
    elif _is_number(value) and kind in {Kind.NUMBER, Kind.ANY}:
        yield from _number(value, kind)
    elif not isinstance(value, bool) or kind not in {Kind.BOOL, Kind.ANY}:
        yield "", "wrong_type", {"expected": "scalar" if kind == Kind.ANY else str(kind)}


def _list(value: object, kind: Kind) -> Iterator[Flaw]:
    if not isinstance(value, list):
        yield "", "wrong_type", {"expected": "list"}
        return
    if not value:
        yield "", "empty_value", {}
    if len(value) > MAX_VALUES:
        yield "", "too_many", {"limit": MAX_VALUES}
    for index, entry in enumerate(value[:MAX_VALUES]):
        yield from ((str(index), code, params) for _part, code, params in _scalar(entry, kind))


def _part(value: object, kind: Kind) -> Iterator[Flaw]:
    """What something may contain; the empty text is in everything."""
    if value == "":
        yield "", "empty_value", {}
    yield from _scalar(value, kind)


def _pattern(value: object, _kind: Kind) -> Iterator[Flaw]:
    yield from _part(value, Kind.TEXT)
    if isinstance(value, str) and (len(value) > MAX_PATTERN or value.count("*") > MAX_STARS):
        yield "", "bad_pattern", {"max_length": MAX_PATTERN, "max_stars": MAX_STARS}


def _number(value: object, _kind: Kind) -> Iterator[Flaw]:
    if not isinstance(value, int | float) or isinstance(value, bool):
        yield "", "wrong_type", {"expected": "number"}
    elif (isinstance(value, float) and not isfinite(value)) or abs(value) >= MAX_NUMBER:
        yield "", "bad_number", {"limit": MAX_NUMBER}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _range(value: object, kind: Kind) -> Iterator[Flaw]:
    if not isinstance(value, list) or len(value) != 2:
        yield "", "wrong_type", {"expected": "range"}
        return
    found = [(str(index), code, params) for index, end in enumerate(value) for _, code, params in _number(end, kind)]
    yield from found
    if not found and value[0] > value[1]:
        yield "", "bad_range", {"low": value[0], "high": value[1]}


def _time(value: object, _kind: Kind) -> Iterator[Flaw]:
    if not isinstance(value, str):
        yield "", "wrong_type", {"expected": "time"}
    elif moment(value) is None:
        yield "", "bad_time", {}


def _days(value: object, _kind: Kind) -> Iterator[Flaw]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield "", "wrong_type", {"expected": "days"}
    elif not 1 <= value <= MAX_DAYS:
        yield "", "bad_range", {"low": 1, "high": MAX_DAYS}


def _nothing(value: object, _kind: Kind) -> Iterator[Flaw]:
    if value is not None:
        yield "", "value_not_allowed", {}


_FLAWS: Mapping[Op, Callable[[object, Kind], Iterator[Flaw]]] = {
    Op.EQ: _scalar,
    Op.NE: _scalar,
    Op.IN: _list,
    Op.NOT_IN: _list,
    Op.CONTAINS: _part,
    Op.NOT_CONTAINS: _part,
    Op.MATCHES: _pattern,
    Op.LT: _number,
    Op.LE: _number,
    Op.GT: _number,
    Op.GE: _number,
    Op.BETWEEN: _range,
    Op.BEFORE: _time,
    Op.AFTER: _time,
    Op.WITHIN_DAYS: _days,
    Op.OLDER_DAYS: _days,
    Op.EXISTS: _nothing,
    Op.MISSING: _nothing,
}
