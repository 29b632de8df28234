"""Answers that come in: whose they are, what is kept of them, and what they set going."""

import base64
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from django_tenants.utils import tenant_context

from apps.alerts.models import Notice
from apps.cases import incoming, receivers, services
from apps.cases.addresses import genuine, marks_in, reply_address
from apps.cases.incoming import CUT, MAX_TEXT
from apps.cases.models import Case, CaseMail
from apps.cases.receiving import take
from apps.cases.services import Changes
from apps.messaging.models import OutgoingEmail
from tests.cases.caring import NOW, case, contact, response, worker
from tests.cases.mailing import REPLY, address_of, mail, written

pytestmark = pytest.mark.usefixtures("tenant", "answers_come_in")
LATER = NOW + timedelta(hours=2)


@pytest.fixture
def answers_come_in() -> Any:
    with override_settings(INBOUND_ADDRESS=REPLY):
        yield


def taken(message: Any, **more: Any) -> CaseMail:
    found = take(message=message, now=LATER, **more)
    assert found is not None
    return found


def mine() -> Case:
    """A case of ada@example.com, who got a mail."""
    found = case(contact=contact("ada"))
    written(found, by=worker("cx"))
    return found


def test_an_answer_is_kept_with_its_case_and_told_to_the_owner_and_is_never_answered() -> None:
    found, owner = mine(), worker("owner")
    services.change(case_id=found.pk, revision=None, changes=Changes(owner_id=owner.pk), by=owner, now=NOW)
    before = OutgoingEmail.objects.count()
    row = taken(mail(to=address_of(found), text="<script>alert(1)</script>\n\nOn 3 Nov 2026, A <a@b.c> wrote:\n> Hi"))
    assert (row.case_id, row.direction, row.kind, row.is_doubtful) == (found.pk, "in", "", False)
    assert (row.from_address, row.subject, row.at) == ("ada@example.com", "Re: Your feedback", LATER)
    assert row.text == "<script>alert(1)</script>", "text, not markup"
    assert row.full_text.endswith("> Hi")
    notice = Notice.objects.get(kind="case_reply")
    assert (notice.user_id, notice.path) == (owner.pk, f"/cases/{found.pk}/")
    assert notice.values["said"] == row.text
    assert OutgoingEmail.objects.count() == before


@pytest.mark.parametrize("header", ["To", "Cc", "Delivered-To", "X-Original-To", "envelope"])
def test_the_address_may_stand_in_any_place_that_names_recipients(header: str) -> None:
    found = mine()
    address = address_of(found).replace("+case", "+CASE")
    envelope = [address] if header == "envelope" else []
    more = {} if header in {"To", "envelope"} else {header.replace("-", "_"): f"Nordwind <{address}>"}
    to = address if header == "To" else "Someone Else <hello@nordwind.example>"
    assert taken(mail(to=to, **more), envelope=envelope).case_id == found.pk


def test_the_same_mail_is_kept_once_whichever_way_it_comes() -> None:
    found = mine()
    first = taken(mail(to=address_of(found)))
    again = taken(mail(to="x@example.com", Delivered_To=address_of(found), Received="by another way"))
    assert again == first
    nameless = [taken(mail(to=address_of(found), message_id="", Received=way)) for way in ("a", "b")]
    assert nameless[0] == nameless[1] != first
    assert CaseMail.objects.filter(direction="in").count() == 2
    own = CaseMail.objects.get(direction="out")
    assert taken(mail(to=address_of(found), message_id=own.message_id)) == own, "our own mail came back"


def flipped(address: str, position: int) -> str:
    """The address with another letter in its mark."""
    at = address.index("+case.") + 6 + position
    return address[:at] + ("b" if address[at] != "b" else "c") + address[at + 1 :]


def test_forged_marks_open_nothing(other_tenant: Any) -> None:
    found = mine()
    address = address_of(found)
    length = len(address.partition("@")[0]) - address.index("+case.") - 6
    forged = [flipped(address, position) for position in range(length - 1)]
    forged += [f"reply+case.{'a' * 42}@in.resonanz.test", "reply+case.@in.resonanz.test", "reply@in.resonanz.test"]
    for one in forged:
        assert take(message=mail(to=one), now=LATER, may_thread=True) is None, one
        assert not receivers.deliver(message=mail(to=one), now=LATER), one
    with tenant_context(other_tenant):
        theirs = reply_address(case_id=found.pk)
        assert take(message=mail(to=address), now=LATER) is None, "another tenant's"
    assert marks_in([theirs])[0].case_id == found.pk
    assert take(message=mail(to=theirs), now=LATER) is None, "the case's number alone is not enough"
    signed, ours = marks_in([theirs])[0], marks_in([address])[0]
    assert genuine([signed._replace(tenant=ours.tenant)]) is None, "nor another tenant's signature with our number"
    assert genuine([ours]) == found.pk
    with override_settings(SECRET_KEY="another-key-that-is-long-enough-for-signing-0123456789-abcd"):
        assert take(message=mail(to=address), now=LATER) is None
        with override_settings(SECRET_KEY_FALLBACKS=[settings._wrapped.default_settings.SECRET_KEY]):
            assert take(message=mail(to=address), now=LATER) is not None, "a former key still counts"


def test_for_the_platform_the_mark_alone_decides_whose_mail_it_is(tenant: Any, other_tenant: Any) -> None:
    found = mine()
    sent = CaseMail.objects.get()
    with tenant_context(other_tenant):
        assert receivers.deliver(message=mail(to=address_of_in(tenant, found)), now=LATER)
        assert not CaseMail.objects.exists()
    answer = mail(to=REPLY, message_id="<b@x>", In_Reply_To=sent.message_id)
    for envelope in ([], [flipped(address_of(found), 0)]):
        assert not receivers.deliver(message=answer, now=LATER, envelope=envelope), "what it claims is not enough"
    assert take(message=answer, now=LATER) is None
    assert taken(answer, may_thread=True).case_id == found.pk, "in the tenant's own mailbox it is"
    by_reference = mail(to=REPLY, message_id="<c@x>", References=f"<other@x> {sent.message_id} <b@x>")
    assert taken(by_reference, may_thread=True).case_id == found.pk


def address_of_in(tenant: Any, found: Case) -> str:
    with tenant_context(tenant):
        return address_of(found)


def test_a_closed_case_opens_again_and_a_merged_one_passes_it_on() -> None:
    found = mine()
    other = services.open_by_hand(response_id=response(contact=contact("ada")).pk, by=None, now=NOW)
    first_address = address_of(found)
    services.change(
        case_id=found.pk, revision=None, changes=Changes(status="solved", outcome="Refunded."), by=None, now=NOW
    )
    taken(mail(to=first_address))
    found.refresh_from_db()
    assert (found.status, found.closed_at) == ("contacted", None)
    services.merge(into=other.pk, others=[found.pk], by=None, now=NOW)
    assert taken(mail(to=first_address, message_id="<later@x>")).case_id == other.pk


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("auto", {"Auto_Submitted": "auto-replied"}),
        ("auto", {"Precedence": "bulk"}),
        ("auto", {"X_Autoreply": "yes"}),
        ("auto", {"Return_Path": "<>"}),
        ("bounce", {"sender": "Mail Delivery <MAILER-DAEMON@mx.example.com>"}),
        (
            "bounce",
            {"Content_Type": 'multipart/report; report-type=delivery-status; boundary="b"', "Return_Path": "<>"},
        ),
    ],
    ids=str,
)
def test_what_a_machine_writes_is_noted_but_opens_and_tells_nothing(kind: str, more: dict[str, str]) -> None:
    found, owner = mine(), worker("owner")
    changes = Changes(status="solved", outcome="Refunded.", owner_id=owner.pk)
    services.change(case_id=found.pk, revision=None, changes=changes, by=None, now=NOW)
    Notice.objects.all().delete()
    text = (
        "--b\n\nI am away.\n--b\nContent-Type: message/delivery-status\n\nStatus: 5.1.1\n--b--"
        if "b" in kind
        else "Away."
    )
    assert taken(mail(to=address_of(found), text=text, **more)).kind == kind
    found.refresh_from_db()
    assert found.status == "solved"
    assert not Notice.objects.exists()


def test_who_cannot_be_told_for_certain_is_marked() -> None:
    found = mine()
    number = iter(range(99))

    def doubtful(**more: str) -> bool:
        return taken(mail(to=address_of(found), message_id=f"<{next(number)}@x>", **more)).is_doubtful

    assert not doubtful(sender="ADA <Ada@Example.com>")
    assert not doubtful(Authentication_Results="mx.x; dmarc=pass; spf=fail")
    assert doubtful(sender="Bo <bo@example.com>")
    assert doubtful(Authentication_Results="mx.x; spf=pass; dmarc=fail (p=reject)")
    assert doubtful(sender="=?utf-8?q?=3Cada=40example=2Ecom=3E?= <bo@evil.example>")
    assert doubtful(sender="broken <<>")


UMLAUT = "Größe paßt nicht – 5 €"
CODED = {
    "utf-8 base64": ("utf-8", "base64", base64.encodebytes(UMLAUT.encode())),
    "windows-1252": ("windows-1252", "8bit", UMLAUT.encode("cp1252")),
    "latin-1 that is windows": ("iso-8859-1", "8bit", UMLAUT.encode("cp1252")),
    "quoted-printable": ("utf-8", "quoted-printable", b"Gr=C3=B6=C3=9Fe pa=C3=9Ft nicht =E2=80=93 =\r\n5 =E2=82=AC"),
    "unknown charset": ("x-unknown", "8bit", UMLAUT.encode()),
    "says ascii": ("us-ascii", "8bit", UMLAUT.encode("cp1252")),
    "utf-16": ("utf-16", "base64", base64.encodebytes(UMLAUT.encode("utf-16"))),
}  # fmt: skip


@pytest.mark.parametrize("name", CODED)
def test_umlauts_survive_however_they_come(name: str) -> None:
    charset, transfer, body = CODED[name]
    head = (
        f"From: =?iso-8859-1?Q?J=F6rg?= <ada@example.com>\r\nTo: x@y.z\r\nSubject: =?utf-8?B?R3LDtsOfZQ==?=\r\n"
        f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {transfer}\r\n\r\n"
    )
    read = incoming.read(head.encode() + body)
    assert (read.subject, read.text, read.sender) == ("Größe", UMLAUT, "ada@example.com")


BROKEN = [
    b"",
    b"\r\n\r\n",
    b"no header at all",
    b"From\r\nTo: \xff\xfe\r\nSubject: =?utf-8?B?!!!?= =?x?Q?=ZZ?=\r\nContent-Type: ;;;\r\n\r\n\x00\xff",
    b"Content-Type: multipart/mixed\r\n\r\nno boundary",
    b'Content-Type: multipart/mixed; boundary="a"\r\n\r\n--a\r\nContent-Type: text/plain; charset="\xe9"\r\n\r\nx\r\n',
    b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!not base64!!!",
    b"From: " + b"<" * 5000 + b"\r\nTo: " + b"a@b, " * 5000 + b"\r\nReferences: " + b"<a@b> " * 5000 + b"\r\n\r\nx",
    b"Message-ID: <" + b"x" * 5000 + b">\r\nContent-Disposition: attachment; filename*=x'y'%ZZ\r\n\r\nx",
    b"Subject: a\r\n b\r\n\tc\x00\r\nFrom: a@b\x00c\r\n\r\n\xed\xa0\x80",
    b'Content-Type: multipart/alternative; boundary="a"\r\n\r\n' + b"--a\r\n\r\nx\r\n" * 3000,
]


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_a_broken_mail_is_read_as_far_as_it_can_be(number: int) -> None:
    found = mine()
    row = taken(BROKEN[number], envelope=[address_of(found)])
    assert len(row.message_id) <= 998
    assert "\x00" not in row.text + row.subject + row.from_address


def test_html_alone_becomes_text_and_attachments_are_named() -> None:
    found = mine()
    message = EmailMessage()
    message["From"], message["To"], message["Message-ID"] = "ada@example.com", address_of(found), "<h@x>"
    message.set_content("<p>It <b>fell</b>.</p><blockquote>Why?</blockquote><img src=x>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="Rechnung für März.pdf")
    message.add_attachment("not to be read", filename="note.txt")
    inner = EmailMessage()
    inner.set_content("nor this")
    message.add_attachment(inner)
    row = taken(message.as_bytes())
    assert row.text == "It fell."
    assert row.left_out == ["Rechnung für März.pdf", "note.txt", "message/rfc822"]
    both = EmailMessage()
    both["From"], both["To"], both["Message-ID"] = "ada@example.com", address_of(found), "<i@x>"
    both.set_content("Plain words.")
    both.add_alternative("<p>Rich words.</p>", subtype="html")
    assert taken(both).text == "Plain words."


def test_of_a_mail_of_20_megabytes_a_part_is_read_and_that_is_said() -> None:
    found = mine()
    message = mail(to=address_of(found), text="ä" * 10_000_000)
    read = incoming.read(message)
    assert MAX_TEXT // 2 - 10 < len(read.full_text) <= MAX_TEXT // 2
    assert read.left_out == (CUT,)
    assert set(read.full_text) == {"ä"}
    row = taken(message[:1_500_000], is_cut=True)
    assert CUT in row.left_out
    assert len(row.text) == 100_000
