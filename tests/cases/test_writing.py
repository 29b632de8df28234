"""A colleague's mail from a case: who may be written to, and what leaves."""

from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any
from uuid import uuid4

import pytest
from django.test import override_settings

from apps.cases import addresses, writing
from apps.cases.models import Case, CaseMail
from apps.cases.writing import EmptyError, NotAllowedError, may_write, suggested_subject
from apps.contacts.models import LegalBasis, Outreach
from apps.messaging import mime, parcels, suppressions
from apps.messaging.models import OutgoingEmail, Sender, SenderDomain
from apps.messaging.opt_in import leave
from apps.messaging.sending import _objections
from apps.surveys.models import Theme
from tests.cases.caring import NOW, case, contact, worker
from tests.cases.mailing import REPLY, address_of, written

pytestmark = pytest.mark.usefixtures("tenant", "answers_come_in")


@pytest.fixture
def answers_come_in() -> Any:
    with override_settings(INBOUND_ADDRESS=REPLY):
        yield


def sent(mail: CaseMail) -> Any:
    """The mail as it leaves."""
    [parcel] = parcels.read([mail.email_id])
    return message_from_bytes(mime.encode(parcel), policy=policy.default)


def parts(message: Any) -> tuple[str, str]:
    found = [message.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html")]
    return found[0], found[1]


def heard(found: Case, message_id: str = "<theirs@example.com>", **fields: Any) -> CaseMail:
    return CaseMail.objects.create(
        case=found, direction="in", at=fields.pop("at", NOW), subject="Broken", message_id=message_id, **fields
    )


def test_the_text_leaves_as_it_was_written_and_is_neither_a_template_nor_html() -> None:
    Theme.objects.create(brand_name="Nordwind", imprint_url="https://nordwind.example/imprint")
    text = "Hello {{ name }}, {{ body_html }}\n<b>1 < 2</b>\n\n{% now %} & bye"
    plain, html = parts(sent(written(case(), text)))
    assert plain.startswith("Hello {{ name }}, {{ body_html }}\n<b>1 < 2</b>\n\n{% now %} & bye\n")
    assert "Hello {{ name }}, {{ body_html }}<br>" in html
    assert "&lt;b&gt;1 &lt; 2&lt;/b&gt;" in html
    assert "<b>1" not in html
    assert "https://nordwind.example/imprint" in plain
    assert "https://nordwind.example/imprint" in html
    assert "nsubscribe" not in plain + html, "it is no mailing"


def test_it_goes_on_in_the_thread_whoever_wrote_last() -> None:
    found = case(contact=contact())
    first = written(found, subject="Your order")
    assert sent(first)["In-Reply-To"] is None
    theirs = heard(found, at=NOW + timedelta(hours=1))
    heard(found, "<out-of-office@example.com>", at=NOW + timedelta(hours=2), kind="auto")
    second = sent(written(found, now=NOW + timedelta(hours=3)))
    assert second["In-Reply-To"] == theirs.message_id
    assert second["References"].split() == [first.message_id, theirs.message_id]
    assert second["Subject"] == "Re: Broken"
    assert first.message_id == f"<{first.email_id}@resonanz.test>"
    assert second["List-Unsubscribe"] is None


def test_answers_go_to_an_address_of_the_case_s_own_that_fits() -> None:
    found = case()
    message = sent(written(found))
    assert message["Reply-To"] == address_of(found)
    assert addresses.genuine(addresses.marks_in([message["Reply-To"].upper()])) == found.pk
    assert len(message["Reply-To"].partition("@")[0]) <= 64
    with override_settings(INBOUND_ADDRESS="abcdefghijklmn@x.test"):
        assert len(address_of(found).partition("@")[0]) <= 64
    assert "Just reply" in parts(message)[0]
    with override_settings(INBOUND_ADDRESS=""):
        nowhere = sent(written(found))
        assert (address_of(found), nowhere["Reply-To"]) == ("", None)
        assert "ust reply" not in "".join(parts(nowhere)), "it would be said in vain"


def test_it_is_from_the_colleague_where_the_domain_lets_us() -> None:
    Sender.objects.create(name="Nordwind", email="hello@nordwind.example", is_default=True)
    ada = worker("ada", first_name="Ada", last_name="Lovelace <x@evil.example>")
    found = case(contact=contact("bo"))
    assert sent(written(found, by=ada))["From"] == "Nordwind <no-reply@resonanz.test>"
    SenderDomain.objects.create(domain="nordwind.example", verified_at=NOW)
    mail = sent(written(found, by=ada))
    assert mail["From"].addresses[0].addr_spec == "hello@nordwind.example"
    assert mail["From"].addresses[0].display_name == "Ada Lovelace x evil.example from Nordwind"
    assert sent(written(found, by=worker("nameless")))["From"] == "Nordwind <hello@nordwind.example>"


def test_it_counts_in_the_budget_is_never_held_back_by_it_and_is_the_first_contact() -> None:
    found = case()
    ada = worker("ada")
    mails = [written(found, by=ada, now=NOW + timedelta(minutes=number)) for number in range(3)]
    entries = Outreach.objects.filter(reason__startswith="case_mail:").order_by("at")
    assert [(row.reason, row.kind, row.state) for row in entries] == [
        (f"case_mail:{mail.pk}", "follow_up", "spent") for mail in mails
    ]
    found.refresh_from_db()
    assert (found.status, found.first_contact_at) == ("contacted", NOW)
    assert [mail.author for mail in mails] == [ada] * 3
    email = OutgoingEmail.objects.get(pk=mails[0].email_id)
    assert (email.reason, email.status, email.needs_legal_basis) == (f"case_mail:{mails[0].pk}", "queued", False)


OBJECTIONS = {
    "unsubscribed": lambda who: suppress(who, "unsubscribed"),
    "complained": lambda who: suppress(who, "complained"),
    "bounced": lambda who: suppress(who, "bounced"),
    "blocked": lambda who: suppress(who, "manual"),
    "objected": lambda who: LegalBasis.objects.create(
        contact=who, kind="existing_customer", source="x", granted_at=NOW, revoked_at=NOW
    ),
}


def suppress(who: Any, reason: str) -> None:
    suppressions.suppress(emails=[who.email], reason=reason, source="x", now=NOW)


@pytest.mark.parametrize(
    ("code", "call_back", "after_reply"),
    [("unsubscribed", "", ""), ("complained", "complained", ""), ("bounced", "bounced", "bounced"),
     ("blocked", "blocked", "blocked"), ("objected", "", "")],
)  # fmt: skip
def test_who_wants_no_messages_gets_none_unless_they_asked_for_an_answer(
    code: str, call_back: str, after_reply: str
) -> None:
    quiet, calling, replying = case(), case(call_back="+49 30 1"), case()
    for one in (quiet, calling, replying):
        assert may_write(one) == ""
        OBJECTIONS[code](one.contact)
    assert may_write(quiet) == code
    with pytest.raises(NotAllowedError) as refused:
        written(quiet)
    assert refused.value.sentence == str(writing.SENTENCES[code])
    assert not OutgoingEmail.objects.exists()
    assert may_write(calling) == call_back
    heard(replying, is_doubtful=True, at=NOW + timedelta(hours=1))
    heard(replying, "<auto@x>", kind="auto", at=NOW + timedelta(hours=1))
    assert may_write(replying) == code, "neither somebody else nor a machine asked for it"
    heard(replying, "<before@x>", at=NOW - timedelta(hours=1))
    assert may_write(replying) == (code if code == "complained" else after_reply), "a complaint since ends it"
    heard(replying, "<after@x>", at=NOW + timedelta(hours=1))
    assert may_write(replying) == after_reply


def test_at_its_turn_it_is_looked_at_again() -> None:
    plain, wanted, hopeless = case(), case(), case(call_back="yes")
    heard(wanted)
    mails = {one.pk: written(one) for one in (plain, wanted, hopeless)}
    leave(contact=plain.contact, source="page", now=NOW)
    suppress(wanted.contact, "complained")
    suppress(hopeless.contact, "bounced")
    found = _objections(parcels.read([mail.email_id for mail in mails.values()]))
    assert [found[mails[one.pk].email_id] for one in (plain, wanted, hopeless)] == ["suppressed", "", "suppressed"]


def test_what_cannot_be_written_says_why() -> None:
    found, lost, mute = case(), case(contact=None), case(contact=contact("mute"))
    mute.contact.email = None
    assert (may_write(lost), may_write(mute)) == ("contact_gone", "no_address")
    for text in ("", "  \n ", "x" * (writing.MAX_TEXT + 1)):
        with pytest.raises(EmptyError):
            written(found, text)
    with pytest.raises(Case.DoesNotExist):
        written(Case(pk=uuid4()))
    assert suggested_subject(found) == "Re: Your feedback"
