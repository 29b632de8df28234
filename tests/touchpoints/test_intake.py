"""Reading one event: what is right passes, what is wrong is named field by field, nothing else is ever raised."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.touchpoints.intake import EventIn, InvalidEventError, parse_event

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EVENT: dict[str, Any] = {"touchpoint": "order_received", "contact": {"external_id": "c-1"}}


def parse(body: Any) -> EventIn:
    return parse_event(body if isinstance(body, bytes) else json.dumps(body).encode(), NOW)


def refused(body: Any) -> InvalidEventError:
    with pytest.raises(InvalidEventError) as caught:
        parse(body)
    return caught.value


def wrong_fields(body: Any) -> set[str]:
    return {error.field for error in refused(body).errors}


def contact(**changes: Any) -> dict[str, Any]:
    return {**EVENT, "contact": {"external_id": "c-1", **changes}}


def test_the_smallest_event_passes() -> None:
    event = parse(EVENT)
    assert (event.touchpoint, event.source, event.external_id, event.occurred_at) == (
        "order_received",
        "api",
        None,
        None,
    )
    assert event.contact.external_id == "c-1"


def test_a_full_event_passes_unchanged() -> None:
    event = parse(
        {
            "touchpoint": "order-Received_2",
            "occurred_at": "2026-02-28T23:00:00+01:00",
            "source": "shop",
            "external_id": "o-1",
            "contact": {
                "external_id": "c-1",
                "email": "ada.lovelace+nps@example.com",
                "name": "Ada “Λ” 😀",
                "locale": "de-AT",
                "properties": {"plan": ["a", {"b": None}]},
            },
            "properties": {"value": 12.5, "ok": True},
        }
    )
    assert event.occurred_at == datetime(2026, 2, 28, 22, 0, tzinfo=UTC)
    assert event.contact.name == "Ada “Λ” 😀"
    assert event.contact.properties == {"plan": ["a", {"b": None}]}
    assert event.properties == {"value": 12.5, "ok": True}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"touchpoint": ""}, "touchpoint"),
        ({"touchpoint": "order received"}, "touchpoint"),
        ({"touchpoint": "x" * 61}, "touchpoint"),
        ({"touchpoint": "order\n"}, "touchpoint"),
        ({"touchpoint": None}, "touchpoint"),
        ({"touchpoint": 7}, "touchpoint"),
        ({"contact": "c-1"}, "contact"),
        ({"contact": None}, "contact"),
        ({"contact": []}, "contact"),
        ({"contact": {}}, "contact"),
        ({"contact": {"name": "Ada"}}, "contact"),
        ({"contact": {"email": "", "external_id": None}}, "contact"),
        ({"source": ""}, "source"),
        ({"source": "x" * 61}, "source"),
        ({"source": None}, "source"),
        ({"external_id": ""}, "external_id"),
        ({"external_id": "x" * 201}, "external_id"),
        ({"external_id": 7}, "external_id"),
        ({"properties": []}, "properties"),
        ({"properties": None}, "properties"),
        ({"properties": "{}"}, "properties"),
        ({"colour": "red"}, "colour"),
        ({"id": "00000000-0000-0000-0000-000000000000"}, "id"),
        ({"status": "decided"}, "status"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], field: str) -> None:
    assert wrong_fields({**EVENT, **change}) == {field}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"external_id": "", "email": "ada@example.com"}, "contact.external_id"),
        ({"external_id": "x" * 201}, "contact.external_id"),
        ({"external_id": 7}, "contact.external_id"),
        ({"email": "ada"}, "contact.email"),
        ({"email": "ada@"}, "contact.email"),
        ({"email": "ada@example.com\nBcc: x@example.com"}, "contact.email"),
        ({"email": "a@example.com, b@example.com"}, "contact.email"),
        ({"email": f"{'x' * 250}@example.com"}, "contact.email"),
        ({"email": ["ada@example.com"]}, "contact.email"),
        ({"name": "x" * 201}, "contact.name"),
        ({"name": {"first": "Ada"}}, "contact.name"),
        ({"locale": "german!"}, "contact.locale"),
        ({"locale": "de-AT-1996-x-private"}, "contact.locale"),
        ({"locale": "../../etc"}, "contact.locale"),
        ({"locale": 7}, "contact.locale"),
        ({"properties": [1]}, "contact.properties"),
        ({"phone": "1"}, "contact.phone"),
    ],
)
def test_a_wrong_field_of_the_contact_is_named(change: dict[str, Any], field: str) -> None:
    assert wrong_fields(contact(**change)) == {field}


def test_missing_fields_are_named() -> None:
    assert wrong_fields({}) == {"touchpoint", "contact"}


def test_every_wrong_field_is_named_not_only_the_first() -> None:
    body = {"touchpoint": 1, "colour": 1, "source": [], "contact": {"email": 1, "name": 2, "phone": 3}}
    assert wrong_fields(body) == {
        "touchpoint",
        "colour",
        "source",
        "contact.email",
        "contact.name",
        "contact.phone",
    }
    body = {"touchpoint": "no such key!", "source": "", "contact": {"email": "ada", "locale": "!"}}
    assert wrong_fields(body) == {"touchpoint", "source", "contact.email", "contact.locale"}


@pytest.mark.parametrize(
    "time",
    [
        "2026-03-01T12:00:00",  # no zone
        "2026-03-01T12:11:00Z",  # the future
        "9999-12-31T23:59:59Z",
        "1999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",  # before year 1 in UTC
        "9999-12-31T23:59:59-12:00",  # after year 9999 in UTC
        "2026-02-30T12:00:00Z",
        "yesterday",
        "",
        1772366400,
        True,
        {},
    ],
)
def test_a_wrong_time_is_named(time: Any) -> None:
    assert wrong_fields({**EVENT, "occurred_at": time}) == {"occurred_at"}


def test_a_sender_whose_clock_is_a_little_fast_is_believed() -> None:
    time = (NOW + timedelta(minutes=9)).isoformat()
    assert parse({**EVENT, "occurred_at": time}).occurred_at == NOW + timedelta(minutes=9)


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b"{}}", b"null", b"[]", b'"x"', b"7", b"touchpoint=x", b"\xff\xfe{}", b"\x00", b"NaN",
     b"[" * 60_000, b'{"a":' * 10_000, '{"touchpoint": "ä"'.encode("utf-16"), b'{"touchpoint": "\xff"}'],
)  # fmt: skip
def test_what_is_no_json_object_is_malformed(body: bytes) -> None:
    error = refused(body)
    assert error.malformed
    assert [e.field for e in error.errors] == [""]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (contact(name="Ada\x00"), "contact.name"),
        (contact(properties={"a": [{"b": "\x00"}]}), "contact.properties"),
        (contact(properties={"\x00": 1}), "contact.properties"),
        ({**EVENT, "external_id": "\x00"}, "external_id"),
        ({**EVENT, "source": "a\x00"}, "source"),
        ({**EVENT, "properties": {"note": "a\x00b"}}, "properties"),
    ],
)
def test_nul_is_refused_wherever_it_stands(body: Any, field: str) -> None:
    assert wrong_fields(body) == {field}
    assert refused(json.dumps(body).replace("\\u0000", "\x00").encode()).malformed


def test_the_text_backslash_u0000_is_no_nul() -> None:
    assert parse({**EVENT, "properties": {"note": "\\u0000"}}).properties == {"note": "\\u0000"}


@pytest.mark.parametrize("escape", [rb"\ud800", rb"\udc00", rb"\ud800\ud800", rb"\ud83dx"])
def test_lone_surrogates_are_refused(escape: bytes) -> None:
    assert refused(b'{"touchpoint": "x", "contact": {"external_id": "' + escape + b'"}}')


def with_property(value: bytes) -> bytes:
    return b'{"touchpoint": "x", "contact": {"external_id": "c"}, "properties": {"n": ' + value + b"}}"


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"1e309", b"1" + b"0" * 300, b"-" + b"1" * 4000, b"1" * 5000])
def test_numbers_that_could_not_be_read_again_are_refused(number: bytes) -> None:
    assert refused(with_property(number))
    assert refused(with_property(b"[[" + number + b"]]"))


@pytest.mark.parametrize("number", [b"1" * 300, b"-1", b"1e308", b"0." + b"1" * 299, b"1e-400"])
def test_other_numbers_pass(number: bytes) -> None:
    assert json.dumps(parse(with_property(number)).properties, allow_nan=False)


@pytest.mark.parametrize("depth", [32, 33, 400, 980, 1100, 25_000])
@pytest.mark.parametrize("inner", [b"1", b'"\\u0000"'])
def test_properties_nested_too_deep_are_refused(depth: int, inner: bytes) -> None:
    assert refused(with_property(b"[" * depth + inner + b"]" * depth))
    assert refused(with_property(b'{"a":' * depth + inner + b"}" * depth))


def test_properties_may_be_nested() -> None:
    assert parse(with_property(b"[" * 31 + b"]" * 31))
    assert parse(with_property(b"[" + b"[[]]," * 100 + b"[]]"))


def test_a_field_names_length_does_not_blow_up_the_answer() -> None:
    [error] = refused({**EVENT, "x" * 50_000: 1}).errors
    assert len(error.field) <= 60


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["touchpoint", "contact", "occurred_at", "external_id", "source", "properties"]
CONTACT_FIELDS = ["external_id", "email", "name", "locale", "properties"]
PLAUSIBLE = st.sampled_from(
    ["x", "a@b.de", "de", "2026-02-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "\x00", "\ud800", {}]
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(FIELDS, PLAUSIBLE | JSON_VALUES),
        "contact": JSON_VALUES
        | st.fixed_dictionaries({}, optional=dict.fromkeys(CONTACT_FIELDS, PLAUSIBLE | JSON_VALUES)),
    },
)


def parses_or_explains(body: bytes) -> bool:
    try:
        event = parse_event(body, NOW)
    except InvalidEventError as error:
        return bool(error.errors) and all(message for _field, message in error.errors)
    return bool(event.touchpoint and (event.contact.external_id or event.contact.email))


@given(st.binary())
def test_any_bytes_parse_or_are_explained(body: bytes) -> None:
    assert parses_or_explains(body)


@given(JSON_VALUES)
def test_any_json_parses_or_is_explained(value: Any) -> None:
    assert parses_or_explains(json.dumps(value).encode())


@given(EVENTS)
def test_anything_like_an_event_parses_or_is_explained(value: Any) -> None:
    assert parses_or_explains(json.dumps(value).encode())


@given(st.text().filter(lambda text: "\x00" not in text))
def test_any_text_in_a_property_comes_through_unchanged(text: str) -> None:
    assert parse({**EVENT, "properties": {"note": text}}).properties == {"note": text}


@pytest.mark.parametrize("given", [{"phone": "+49 170 1234567"}, {"phone": "0170 1234567"}, {"phone": ""}])
def test_a_telephone_number_passes_with_its_country_or_without(given: dict[str, str]) -> None:
    assert parse(contact(**given)).contact.phone == given["phone"]


@pytest.mark.parametrize(
    "given",
    [
        {"phone": "+49 1"},
        {"phone": "call me"},
        {"phone": "1" * 5000},
        {"phone": "0170 1234567", "country": "SM"},
        {"phone": "+49\u0000170 1234567"},
    ],
)
def test_what_cannot_be_a_telephone_number_is_named(given: dict[str, str]) -> None:
    assert wrong_fields(contact(**given)) >= {"contact.phone"}
