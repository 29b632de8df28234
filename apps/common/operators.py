"""What conditions compare with, and how: kinds of fields, operators and the values they take. Pure: no Django.

What is decided here is decided a second time by ``conditions_sql``; the tests hold the two together.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

MATCHED_TEXT = 2000
"""Longer texts match no pattern."""

Check = Callable[[Any, datetime], bool]
"""What was found, now → does it fit?"""


class Kind(StrEnum):
    """What a field holds: a text, an int or float, a datetime, a bool; ANY is whatever JSON holds."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    BOOL = "bool"
    ANY = "any"


class Op(StrEnum):
    """How a field is compared."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    MATCHES = "matches"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    BETWEEN = "between"
    BEFORE = "before"
    AFTER = "after"
    WITHIN_DAYS = "within_days"
    OLDER_DAYS = "older_days"
    EXISTS = "exists"
    MISSING = "missing"
    IN_SEGMENT = "in_segment"
    NOT_IN_SEGMENT = "not_in_segment"


_EQUAL = (Op.EQ, Op.NE, Op.IN, Op.NOT_IN)
_TEXT = (Op.CONTAINS, Op.NOT_CONTAINS, Op.MATCHES)
_NUMBER = (Op.LT, Op.LE, Op.GT, Op.GE, Op.BETWEEN)
_TIME = (Op.BEFORE, Op.AFTER, Op.WITHIN_DAYS, Op.OLDER_DAYS)
_GIVEN = (Op.EXISTS, Op.MISSING)
SEGMENT_OPERATORS = (Op.IN_SEGMENT, Op.NOT_IN_SEGMENT)
OPERATORS: Mapping[Kind, tuple[Op, ...]] = {
    Kind.TEXT: (*_EQUAL, *_TEXT, *_GIVEN),
    Kind.NUMBER: (Op.EQ, Op.NE, *_NUMBER, Op.IN, Op.NOT_IN, *_GIVEN),
    Kind.TIME: (*_TIME, *_GIVEN),
    Kind.BOOL: (Op.EQ, Op.NE, *_GIVEN),
    Kind.ANY: (*_EQUAL, *_TEXT, *_NUMBER, *_TIME, *_GIVEN),
}
"""Which operators fit a field, in the order in which to offer them."""
NEGATIVE: Mapping[Op, Op] = {
    Op.NE: Op.EQ,
    Op.NOT_IN: Op.IN,
    Op.NOT_CONTAINS: Op.CONTAINS,
    Op.MISSING: Op.EXISTS,
    Op.NOT_IN_SEGMENT: Op.IN_SEGMENT,
}
"""Operators that hold exactly where another one does not, so also where nothing is found."""

# Both patterns mean the same to Python and to PostgreSQL, which reads the very same text of them.
DECIMAL = r"-?[0-9]{1,15}(\.[0-9]{1,10})?"
_YEAR = "(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})"
_LEAP_YEAR = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
_MONTH_AND_DAY = (
    "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
)
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?"
_OFFSET = "(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])"
# Only days that exist, so that what fits can be converted without fear of an error.
MOMENT = f"({_YEAR}-{_MONTH_AND_DAY}|{_LEAP_YEAR}-02-29)([T ]{_CLOCK}{_OFFSET}?)?"
_is_decimal = re.compile(DECIMAL).fullmatch
_is_moment = re.compile(MOMENT).fullmatch
_unstorable = re.compile(r"[\x00\ud800-\udfff]").search
_NUMBERS = (int, float)

# One letter for one letter, whatever stands next to it: unlike str.lower() with its İ of two and its final ς.
# PostgreSQL's lower() depends on the locale the server was set up with, so conditions_sql uses this table too.
LOWER: Mapping[int, str] = {
    **{code: chr(code).lower() for code in range(0x2200) if chr(code).lower() != chr(code)},
    ord("İ"): "i",
}


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can store it: it takes neither NUL nor half a surrogate pair."""
    return _unstorable(text) is None


def fold(text: str) -> str:
    """The text in small letters, each in its place."""
    return text.lower() if text.isascii() else text.translate(LOWER)


def exact(number: int | float) -> Decimal:
    """The number as it is written: 0.1 is a tenth, not the fraction nearest to it."""
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


def moment(found: object) -> datetime | None:
    """The time that a datetime or an ISO 8601 text names; without an offset it is UTC."""
    if isinstance(found, str):
        found = datetime.fromisoformat(found) if _is_moment(found) else None
    if not isinstance(found, datetime):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What equals one of some values, by the type in which it may be found."""

    texts: frozenset[str]
    bools: frozenset[bool]
    numbers: frozenset[int | float]
    decimals: frozenset[Decimal]
    """For texts that are numbers; they do not have to be written the same ("129.90")."""

    @classmethod
    def of(cls, values: Iterable[Any]) -> "Wanted":
        """Numbers equal the texts they are written in, true and false the words; two texts must be the same."""
        values = list(values)
        texts = {value for value in values if isinstance(value, str)}
        bools = {value for value in values if isinstance(value, bool)}
        numbers = {value for value in values if isinstance(value, _NUMBERS) and not isinstance(value, bool)}
        return cls(
            texts=frozenset(texts | {"true" if value else "false" for value in bools}),
            bools=frozenset(bools | {word == "true" for word in texts & {"true", "false"}}),
            numbers=frozenset(numbers.union(*(_same_numbers(text) for text in texts))),
            decimals=frozenset(exact(value) for value in numbers),
        )


def _same_numbers(text: str) -> list[int | float]:
    """The JSON number that a text is written like; none if a float cannot be that exact."""
    if not _is_decimal(text):
        return []
    number = Decimal(text)
    same = int(number) if number == int(number) else float(number)
    return [same] if exact(same) == number else []


def check_for(op: Op, value: Any) -> Check:
    """The comparison with a value that the operator is known to take."""
    if op not in NEGATIVE:
        return _CHECKS[op](value)
    check = _CHECKS[NEGATIVE[op]](value)
    return lambda found, now: not check(found, now)


def _equals(values: Iterable[Any]) -> Check:
    wanted = Wanted.of(values)
    texts, bools, numbers, decimals = wanted.texts, wanted.bools, wanted.numbers, wanted.decimals

    def check(found: Any, _now: datetime) -> bool:
        if isinstance(found, str):
            return found in texts or (bool(decimals) and bool(_is_decimal(found)) and Decimal(found) in decimals)
        if isinstance(found, bool):  # before numbers, since Python takes it for one
            return found in bools
        return isinstance(found, _NUMBERS) and found in numbers

    return check


def _contains(value: Any) -> Check:
    equals = _equals([value])
    needle = fold(value) if isinstance(value, str) else None

    def check(found: Any, now: datetime) -> bool:
        if isinstance(found, str):
            return needle is not None and needle in fold(found)
        return isinstance(found, list) and any(equals(element, now) for element in found)

    return check


def _matches(pattern: str) -> Check:
    pieces = ["".join("." if c == "?" else re.escape(c) for c in piece) for piece in re.split(r"\*+", fold(pattern))]
    head, *middle = pieces[:-1] or [""]
    # Each piece is taken where it comes first and never tried elsewhere: no text takes long.
    start = head + "".join(f"(?>.*?{piece})" for piece in middle)
    fits = re.compile(f"{start}.*{pieces[-1]}" if len(pieces) > 1 else pieces[0], re.DOTALL).fullmatch

    def check(found: Any, _now: datetime) -> bool:
        return isinstance(found, str) and len(found) <= MATCHED_TEXT and fits(fold(found)) is not None

    return check


def _number(compare: Callable[[Any, Any], bool]) -> Callable[[Any], Check]:
    def make(value: Any) -> Check:
        precise = [exact(part) for part in value] if isinstance(value, list) else exact(value)

        def check(found: Any, _now: datetime) -> bool:
            if isinstance(found, _NUMBERS):
                return found is not True and found is not False and compare(found, value)
            return isinstance(found, str) and bool(_is_decimal(found)) and compare(Decimal(found), precise)

        return check

    return make


def _time(fits: Callable[[datetime, datetime, Any], bool], read: Callable[[Any], Any]) -> Callable[[Any], Check]:
    def make(value: Any) -> Check:
        wanted = read(value)

        def check(found: Any, now: datetime) -> bool:
            at = moment(found)
            return at is not None and fits(at, now, wanted)

        return check

    return make


def _days(value: int) -> timedelta:
    return timedelta(days=value)


def _exists(_value: Any) -> Check:
    return lambda found, _now: found is not None and found not in ("", [])


_CHECKS: Mapping[Op, Callable[[Any], Check]] = {
    Op.EQ: lambda value: _equals([value]),
    Op.IN: _equals,
    Op.CONTAINS: _contains,
    Op.MATCHES: _matches,
    Op.LT: _number(operator.lt),
    Op.LE: _number(operator.le),
    Op.GT: _number(operator.gt),
    Op.GE: _number(operator.ge),
    Op.BETWEEN: _number(lambda found, ends: bool(ends[0] <= found <= ends[1])),
    Op.BEFORE: _time(lambda at, _now, wanted: at < wanted, moment),
    Op.AFTER: _time(lambda at, _now, wanted: at > wanted, moment),
    Op.WITHIN_DAYS: _time(lambda at, now, span: now - span <= at <= now, _days),
    Op.OLDER_DAYS: _time(lambda at, now, span: at < now - span, _days),
    Op.EXISTS: _exists,
}
