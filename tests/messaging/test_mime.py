"""The bytes we write are the mail that Django's own classes would make."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.common.patterns import Pattern
from apps.messaging.frames import Frame
from apps.messaging.mime import build, encode, stuffed
from apps.messaging.parcels import Parcel, Row
from tests.bench.mailing.compare import differences

SHORT = "<p>Hello {{ name|you }}</p>\n<p>äöü</p>\n"


def parcel(
    *, name: str = "Ada", subject: str = "Hello", text: str = "Hello\n", html: str = SHORT, **values: str
) -> Parcel:
    row = Row(
        id=UUID(int=7), contact_id=UUID(int=8), channel="email", needs_legal_basis=True, to_email="ada@x.example",
        to_name=name, domain="x.example", from_header="Nordwind <n@x.example>", reply_to="r@x.example", relay="",
        stream="", subject=subject, frame_id=1, message_id="<7@x.example>", attempts=0, headers="{}",
        values=json.dumps({"name": name, "unsubscribe_url": f"https://x.example/mail/u/{'t' * 90}", **values}),
    )  # fmt: skip
    return Parcel(row, Frame(Pattern(text), Pattern(html, is_html=True) if html else None))


def stock(one: Parcel) -> bytes:
    message: Any = build(one).message()
    return bytes(message.as_bytes(linesep="\r\n"))


@pytest.mark.parametrize(
    "name", ["", "Ada", "Käthe Müller", "李小龙", "Zoë " * 20, "O'Neill, Ann", "😀" * 70, "a" * 200]
)
@pytest.mark.parametrize("subject", ["Hi", "How was it? " * 12, "Wie war's, Käthe?", "漢字" * 60, "x" * 120, "a  b"])
def test_every_head_reads_as_djangos(name: str, subject: str) -> None:
    one = parcel(name=name, subject=subject)
    found = differences(encode(one), stock(one))
    # Where a word is cut into lines differs, and some readers show the first cut as a space.
    assert [line for line in found if "subject" not in line and "to:" not in line] == []
    for line in found:
        ours, theirs = line.partition(": ")[2].split(" / ")
        assert ours.strip("'\" ").replace(" ", "") == theirs.strip("'\" ").replace(" ", "")


@pytest.mark.parametrize(
    "body",
    [
        "plain\n",
        "äöü\n",
        "no end",
        "",
        ".\n.\n..dots\n",
        "x" * 2000 + "\n",
        "ä" * 800 + "\nb \n",
        "tab\t\n \n=3D\n",
        "a\r\nb\rc\n",
    ],
)
def test_every_body_is_encoded_as_djangos(body: str) -> None:
    one = parcel(text=body, html=f"<p>{body}</p>\n")
    assert differences(encode(one), stock(one)) == []


@settings(max_examples=150, deadline=None)
@given(
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    body=st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=300),
)
def test_values_of_any_kind_come_through_and_nothing_breaks_out_of_its_place(name: str, body: str) -> None:
    one = parcel(name=name, subject="Hello", text="{{ body }}\n", html="<p>{{ body }}</p>\n", body=body)
    data = encode(one)
    head = data.split(b"\r\n\r\n", 1)[0]
    names = {line.split(b":")[0] for line in head.split(b"\r\n") if not line.startswith(b" ")}
    assert names == {
        b"Content-Type", b"MIME-Version", b"Subject", b"From", b"To", b"Reply-To", b"Date", b"Message-ID",
        b"List-Unsubscribe", b"List-Unsubscribe-Post",
    }  # fmt: skip
    assert [line for line in differences(data, stock(one)) if line.startswith("part")] == []


def test_no_address_brings_in_a_header() -> None:
    one = parcel(name="Jürgen")
    one.row = one.row._replace(to_email="a@x.example\r\nBcc: b@y.example")
    with pytest.raises(ValueError, match="newlines"):
        encode(one)


def test_a_message_id_stays_on_its_line() -> None:
    one = parcel()
    one.row = one.row._replace(message_id=f"<{'x' * 90}@y>")
    assert f"Message-ID: <{'x' * 90}@y>\r\n".encode() in encode(one)


def test_a_mail_without_html_is_plain_text() -> None:
    one = parcel(html="")
    assert differences(encode(one), stock(one)) == []
    assert b"multipart" not in encode(one)


def test_on_the_line_dots_are_doubled_and_the_end_is_a_dot() -> None:
    assert stuffed(b"a\r\n.b\r\n..c\r\n") == b"a\r\n..b\r\n...c\r\n.\r\n"
    assert stuffed(b".a") == b"..a\r\n.\r\n"
    assert stuffed(b"a\r\n") == b"a\r\n.\r\n"
