"""The database and ``Condition.test`` must say the same about the same facts, whatever those are."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apps.common import conditions_sql
from apps.common.conditions import OPERATORS, Catalogue, Condition, ConditionError, Kind, Op, parse
from apps.common.conditions_sql import Columns, to_sql
from apps.common.operators import moment
from tests.common.test_conditions import FITS, FITS_NOT
from tests.environment import SERVER_URL

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
COLUMNS = Columns(
    closed={
        "contact.country": ("t.f #>> '{contact,country}'", Kind.TEXT),
        "contact.vip": ("(t.f #>> '{contact,vip}')::boolean", Kind.BOOL),
        "contact.created_at": ("(t.f #>> '{contact,created_at}')::timestamptz", Kind.TIME),
        "history.last_score": ("(t.f #>> '{history,last_score}')::numeric", Kind.NUMBER),
    },
    open={"event": "t.f -> 'event'", "contact": "t.f -> 'contact'", "company": "t.f -> 'company'"},
)
CATALOGUE = COLUMNS.catalogue
Facts = dict[str, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[psycopg.Connection[Any]]:
    """A connection with settings unlike ours: what a text means must not depend on them."""
    options = "-c datestyle=SQL,DMY -c timezone=Pacific/Auckland"
    with psycopg.connect(SERVER_URL, autocommit=True, options=options) as connection:
        yield connection


def in_database(
    server: psycopg.Connection[Any], conditions: list[Condition], facts: list[Facts], *, client: bool = False
) -> list[list[bool]]:
    """Per facts, what each condition comes to. Django's cursors put parameters in themselves, psycopg's do not."""
    built = [to_sql(condition, COLUMNS, NOW) for condition in conditions]
    sql = (
        f"SELECT ARRAY[{', '.join(text for text, _params in built)}]"
        " FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS t(f, n) ORDER BY n"
    )
    cursor = psycopg.ClientCursor(server) if client else server.cursor()
    as_json = json.dumps(facts, default=datetime.isoformat)
    return [row[0] for row in cursor.execute(sql, [p for _sql, params in built for p in params] + [as_json])]


def moved_to_json(found: Any) -> Any:
    return json.loads(json.dumps(found, default=datetime.isoformat))


# --- what people write and what shops send: often the same few things, so that comparisons hold at times -------------

LETTERS = st.characters(codec="utf-8", exclude_characters="\0")
SHORT = st.one_of(
    st.sampled_from(
        ["", "a", "Ä", "ä", "München", "MÜNCHEN", "CH", "true", "false", "True", "null", "a%b_c\\", "a\nb"]
    ),
    st.sampled_from(
        [
            "0",
            "-0",
            "1",
            "01",
            "1.0",
            "0.10",
            "129.90",
            "1e3",
            " 1",
            "1\n",
            "٣",
            "9" * 15,
            "9" * 16,
            "123456789012345.1234567",
        ]
    ),
    st.sampled_from(["ΣΑΣ", "σας", "İ", "i", "ı", "ẞ", "ß", "\N{KELVIN SIGN}", "k", "\N{ANGSTROM SIGN}", "ǅ"]),
    st.text(st.characters(max_codepoint=255, exclude_characters="\0"), max_size=4),
    st.text(LETTERS, max_size=4),
)
TEXTS = SHORT | st.sampled_from(["x" * 2000, "xK" * 1001])
NUMBERS = st.one_of(
    st.sampled_from([0, -0.0, 1, 1.0, 0.1, 129.9, -1, 100, 1e-7, 123456789012345.12, 1e14]),
    st.integers(-5, 5),
    st.decimals(-10, 10, places=1).map(float),
    st.floats(-1e14, 1e14),
)
DATES = st.one_of(
    st.dates().map(str),
    st.dates(NOW.date() - timedelta(days=4), NOW.date() + timedelta(days=2)).map(str),
    st.sampled_from(["2026-02-30", "2024-02-29", "1900-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "2026-2-1"]),
)
CLOCKS = ["", "T12:00", " 12:00:00", "T11:59:59.999999", "T12:00:00.0000009"]
NO_CLOCKS = ["T24:00", "T23:59:60", "t12:00", "T12", "T12:00:00,5", "T12:00:00."]
OFFSETS = ["", "Z", "+00:00", "-00:00", "+0100", "+14:59", "-12:00"]
NO_OFFSETS = ["+15:00", "+01", "z", " UTC", " BC"]
MOMENTS = st.tuples(DATES, st.sampled_from(CLOCKS + NO_CLOCKS), st.sampled_from(OFFSETS + NO_OFFSETS)).map("".join)
GOOD_MOMENTS = DATES.filter(lambda text: moment(text) is not None) | st.tuples(
    DATES, st.sampled_from(CLOCKS[1:]), st.sampled_from(OFFSETS)
).map("".join).filter(lambda text: moment(text) is not None)
SCALARS = st.one_of(TEXTS, NUMBERS, st.booleans(), MOMENTS)
FOUND = st.recursive(
    SCALARS | st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.just(10**400),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "0", "ä"]), inner, max_size=3)
    ),
    max_leaves=4,
)
PROPERTIES = st.dictionaries(st.sampled_from(["a", "b"]), FOUND, max_size=2)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])
TIMES = st.datetimes(NOW.replace(tzinfo=None) - timedelta(days=4), datetime(2027, 1, 1), timezones=ZONES)  # noqa: DTZ001
FACTS = st.fixed_dictionaries(
    {
        "event": PROPERTIES,
        "history": st.fixed_dictionaries({"last_score": st.none() | st.integers(0, 10)}),
        "contact": st.builds(
            lambda free, known: free | known,
            PROPERTIES,
            st.fixed_dictionaries(
                {},
                optional={
                    "country": TEXTS | st.none(),
                    "vip": st.booleans() | st.none(),
                    "created_at": TIMES | st.just(NOW) | st.none(),
                },
            ),
        ),
    },
    optional={"company": PROPERTIES | st.none() | st.lists(SCALARS, max_size=2)},
)
FIELDS = st.sampled_from(
    ["event.a", "event.b", "event.a", "event.a.a", "event.a.0", "event.a.ä", "contact.a", "company.b", *COLUMNS.closed]
)


def values(op: Op, kind: Kind) -> st.SearchStrategy[Any]:
    scalars: dict[Kind, st.SearchStrategy[Any]] = {Kind.TEXT: SHORT, Kind.NUMBER: NUMBERS, Kind.BOOL: st.booleans()}
    scalar = scalars.get(kind, st.one_of(SHORT, NUMBERS, st.booleans()))
    return {
        Op.IN: st.lists(scalar, min_size=1, max_size=4),
        Op.NOT_IN: st.lists(scalar, min_size=1, max_size=4),
        Op.CONTAINS: scalar.filter(lambda value: value != ""),
        Op.NOT_CONTAINS: scalar.filter(lambda value: value != ""),
        Op.MATCHES: st.lists(SHORT | st.sampled_from("**??a"), max_size=4).map(lambda parts: "".join(parts) or "?"),
        Op.BETWEEN: st.lists(NUMBERS, min_size=2, max_size=2).map(sorted),
        Op.EXISTS: st.none(),
        Op.MISSING: st.none(),
        **dict.fromkeys((Op.EQ, Op.NE), scalar),
        **dict.fromkeys((Op.LT, Op.LE, Op.GT, Op.GE), NUMBERS),
        **dict.fromkeys((Op.BEFORE, Op.AFTER), GOOD_MOMENTS),
        **dict.fromkeys((Op.WITHIN_DAYS, Op.OLDER_DAYS), st.integers(1, 4) | st.integers(1, 3660)),
    }[op]


@st.composite
def leaves(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(FIELDS)
    kind = CATALOGUE.kind_of(field) or Kind.ANY
    op = draw(st.sampled_from(OPERATORS[kind]))
    return {"field": field, "op": str(op), "value": draw(values(op, kind))}


def grouped(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        several.map(lambda parts: {"all": parts}),
        several.map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    )


def as_condition(tree: Any, saved: Any) -> Condition:
    condition = parse(tree, CATALOGUE, {"saved": saved})
    assert parse(condition.tree, CATALOGUE, {"saved": saved}).tree == condition.tree
    return condition


SEGMENTS = st.sampled_from(
    [{"field": "segment", "op": op, "value": "saved"} for op in ("in_segment", "not_in_segment")]
)
CONDITIONS = st.builds(
    as_condition,
    leaves() | grouped(leaves() | SEGMENTS) | grouped(grouped(leaves() | SEGMENTS | st.just({}))),
    leaves() | grouped(leaves()),
)


# A failure names one condition and one set of facts, so there is nothing to gain from shrinking, which takes minutes.
THOROUGH = settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@THOROUGH
@given(
    conditions=st.lists(CONDITIONS, min_size=8, max_size=16),
    facts=st.lists(FACTS, min_size=8, max_size=16),
    client=st.booleans(),
)
def test_the_database_and_python_agree(
    server: psycopg.Connection[Any], conditions: list[Condition], facts: list[Facts], client: bool
) -> None:
    decided = in_database(server, conditions, facts, client=client)
    for row, known in zip(decided, facts, strict=True):
        for condition, answer in zip(conditions, row, strict=True):
            assert answer is condition.test(known, NOW), (condition.tree, known)


@THOROUGH
@given(data=st.data(), client=st.booleans())
def test_each_operator_agrees(server: psycopg.Connection[Any], data: st.DataObject, client: bool) -> None:
    """All operators, two values of each, against many things found."""
    conditions = [
        parse({"field": "event.a", "op": str(op), "value": data.draw(values(op, Kind.ANY))}, CATALOGUE)
        for op in OPERATORS[Kind.ANY] * 2
    ]
    wanted = [condition.root.value for condition in conditions]  # type: ignore[union-attr]
    plain = [value for value in wanted if not isinstance(value, list)]
    found = data.draw(st.lists(FOUND, min_size=10, max_size=20)) + wanted + [str(value) for value in plain]
    facts: list[Facts] = [{"event": {"a": value}} for value in found]
    decided = in_database(server, conditions, facts, client=client)
    for row, known in zip(decided, facts, strict=True):
        for condition, answer in zip(conditions, row, strict=True):
            assert answer is condition.test(known, NOW), (condition.tree, known)


@pytest.mark.parametrize("client", [True, False])
def test_the_examples_agree(server: psycopg.Connection[Any], client: bool) -> None:
    """Each of Python's examples, and each of its values against all that is found in the others."""
    examples = [(op, value, found) for op, value, found in FITS + FITS_NOT if str(found) != "nan"]
    conditions = [parse({"field": "event.x", "op": op, "value": value}, CATALOGUE) for op, value, _found in examples]
    facts: list[Facts] = [{"event": {"x": moved_to_json(found)}} for _op, _value, found in examples]
    decided = in_database(server, conditions, facts, client=client)
    assert decided == [[condition.test(known, NOW) for condition in conditions] for known in facts]
    assert [row[place] for place, row in enumerate(decided)] == [place < len(FITS) for place in range(len(examples))]


# --- times -----------------------------------------------------------------------------------------------------------


def texts_like_times() -> list[str]:
    years = ["0000", "0001", "0004", "0100", "0400", "1900", "2000", "2023", "2024", "2100", "9999", "26", "12026"]
    days = [f"{y}-{m:02}-{d:02}" for y, m, d in product(years, range(14), range(33))]
    clocks = [
        "", "T00:00", "T23:59", "T24:00", "T12:60", "T12:00:60", "T12:00:59.9", "T12:00:59.999999999",
        "T12:00:59.9999999999", "T12:00:00.000000499", "T12:00:00.", "T12", "T1200", " 12:00", "  12:00", "t12:00",
        "T12:00:00,5", "T",
    ]  # fmt: skip
    offsets = [
        "",
        "Z",
        "z",
        "+00:00",
        "-00:00",
        "+0100",
        "+01",
        "+14:59",
        "+15:00",
        "+16:00",
        "-14:59",
        "+01:60",
        " +01:00",
        "+1:00",
        "\n",
    ]
    some = ["0001-01-01", "2026-02-28", "2026-W01-1", "20260228", "9999-12-31", "2026-060", "28.02.2026", "2026-2-28"]
    other = ["", "now", "today", "infinity", "epoch", "-0001-01-01", "2026-01-01 BC", "²026-01-01", "٢026-01-01"]
    return days + ["".join(parts) for parts in product(some, clocks, offsets)] + other


def test_python_and_the_database_read_the_same_times(server: psycopg.Connection[Any]) -> None:
    texts = texts_like_times()
    source = conditions_sql._Source(conditions_sql._Sql("(to_jsonb(t.x))"), Kind.ANY)
    read = conditions_sql._read(source, conditions_sql._TIME)
    sql = (
        f"SELECT (extract(epoch FROM {read.text}) * 1000000)::bigint"
        " FROM unnest(%s::text[]) WITH ORDINALITY AS t(x, n) ORDER BY n"
    )
    answers = [row[0] for row in server.execute(sql, [*read.params, texts])]
    start, microsecond = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
    expected = [(found - start) // microsecond if (found := moment(text)) else None for text in texts]
    assert [(text, answer) for text, answer in zip(texts, answers, strict=True)] == list(
        zip(texts, expected, strict=True)
    )
    assert min(expected.count(None), len(texts) - expected.count(None)) > 3000  # both kinds are there


# --- what must not happen --------------------------------------------------------------------------------------------


def test_what_people_write_is_never_part_of_the_sql() -> None:
    evil = "evil)--;%s{v}"
    for op in OPERATORS[Kind.ANY]:
        value = {Op.IN: [evil], Op.NOT_IN: [evil]}.get(op, evil)
        try:
            condition = parse({"field": f"event.{evil}", "op": str(op), "value": value}, CATALOGUE)
        except ConditionError:  # an operator that takes no text
            continue
        sql, params = to_sql(condition, COLUMNS, NOW)
        assert "evil" not in sql
        assert sql.count("%s") == len(params)


def test_no_pattern_takes_the_database_long(server: psycopg.Connection[Any]) -> None:
    facts: list[Facts] = [{"event": {"a": "a" * 2000}}]
    for pattern in ("*a" * 8 + "b", "*" + "?" * 90 + "b*c", "*" + "a?" * 44 + "b*" * 5, "*" + "a" * 98 + "b"):
        condition = parse({"field": "event.a", "op": "matches", "value": pattern}, CATALOGUE)
        started = time.perf_counter()
        assert in_database(server, [condition], facts) == [[False]]
        assert time.perf_counter() - started < 0.2


def test_a_tree_will_do_and_is_checked_against_the_columns() -> None:
    assert to_sql({}, COLUMNS, NOW) == ("TRUE", [])
    with pytest.raises(ConditionError, match="unknown_field"):
        to_sql({"field": "order.total", "op": "exists"}, COLUMNS, NOW)


def test_a_field_without_a_column_is_an_error() -> None:
    wider = Catalogue({"event.source": Kind.TEXT, "history.events": Kind.NUMBER}, frozenset({"event", "order"}))
    for name in ("event.source", "history.events", "order.total"):
        with pytest.raises(ValueError, match=f"no column .* for {name}"):
            to_sql(parse({"field": name, "op": "exists"}, wider), COLUMNS, NOW)


def test_now_needs_an_offset() -> None:
    with pytest.raises(ValueError, match="offset"):
        to_sql({}, COLUMNS, datetime(2026, 1, 1))  # noqa: DTZ001
