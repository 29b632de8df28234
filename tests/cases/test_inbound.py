"""Answers that mail services bring, through the real page: with the right proof only, to the right tenant, once."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, override_settings
from django_tenants.utils import schema_context, tenant_context

from apps.cases.models import Case, CaseMail
from apps.relays import webhooks
from apps.relays.esps import ESPS
from apps.relays.models import IncomingWay, Relay
from config import env
from tests.cases.caring import case, contact
from tests.cases.mailing import REPLY, address_of, mail, written

pytestmark = pytest.mark.filterwarnings("ignore:django-anymail has dropped")
KEY = "mg-signing-key"


@pytest.fixture(autouse=True)
def answers_come_in() -> Iterator[None]:
    with override_settings(INBOUND_ADDRESS=REPLY):
        yield


@pytest.fixture
def mine(tenant: Any) -> Case:
    found = case(contact=contact("ada"))
    written(found)
    return found


def relay(esp: str, **values: Any) -> Relay:
    with schema_context("public"):
        return Relay.objects.create(key=esp, name=esp, kind=esp, settings={"api_key": "key", **values})


def post(key: str, data: Any, auth: str = "", **more: Any) -> int:
    headers = {"host": "resonanz.test"}
    if auth:
        headers["Authorization"] = "Basic " + base64.b64encode(auth.encode()).decode()
    with schema_context("public"):
        client = Client(raise_request_exception=False)
        return client.post(f"/mail/inbound/{key}/", data=data, headers=headers, **more).status_code


def postmark(address: str, text: str = "It fell.", **more: Any) -> dict[str, Any]:
    event = {
        "FromFull": {"Email": "ada@example.com", "Name": "Ada"}, "ToFull": [{"Email": address, "Name": ""}],
        "OriginalRecipient": address, "Subject": "Re: Your feedback", "TextBody": text, "MessageID": "pm-1",
        "Headers": [{"Name": "Message-ID", "Value": "<p1@example.com>"}], "Attachments": [], **more,
    }  # fmt: skip
    return {"data": json.dumps(event), "content_type": "application/json"}


def mailgun(address: str, key: str = KEY) -> dict[str, str]:
    token, at = "tok", "1795510800"
    signature = hmac.new(key.encode(), f"{at}{token}".encode(), hashlib.sha256).hexdigest()
    raw = mail(to="Somebody <x@y.example>", text="It fell.").decode()
    return {"recipient": address, "sender": "ada@example.com", "body-mime": raw, "token": token, "timestamp": at,
            "signature": signature}  # fmt: skip


def kept() -> list[str]:
    return list(CaseMail.objects.filter(direction="in").values_list("text", flat=True))


def test_postmark_s_mails_are_taken_with_the_secret_in_the_address_and_once(mine: Case, other_tenant: Any) -> None:
    row = relay("postmark")
    right = f"resonanz:{row.webhook_secret}"
    for wrong in ("", "resonanz:", "resonanz:wrong", f"someone:{row.webhook_secret}", "resonanz:None"):
        assert 400 <= post("postmark", auth=wrong, **postmark(address_of(mine))) < 500, wrong
    assert kept() == []
    for _time in range(2):
        assert post("postmark", auth=right, **postmark(address_of(mine))) == 200
    assert kept() == ["It fell."]
    with tenant_context(other_tenant):
        assert kept() == []
    assert post("postmark", auth=right, **postmark(REPLY)) == 200, "nobody's is taken off its hands"
    assert post("postmark", auth=right, data="{", content_type="application/json") == 400
    with schema_context("public"):
        way = IncomingWay.objects.get(key="postmark")
    assert (way.taken, way.nobodys) == (2, 1)


def test_mailgun_s_mails_are_taken_with_its_signature(mine: Case) -> None:
    row = relay("mailgun", webhook_signing_key=KEY)
    secret = f"resonanz:{row.webhook_secret}"
    unsigned = {**mailgun(address_of(mine)), "signature": ""}
    for forged in (mailgun(address_of(mine), "wrong"), unsigned, {}):
        assert 400 <= post("mailgun", forged) < 500
        assert 400 <= post("mailgun", forged, auth=secret) < 500, "the secret does not replace it"
    assert kept() == []
    assert post("mailgun", mailgun(address_of(mine))) == 200
    assert kept() == ["It fell."]


def test_a_mail_with_photographs_is_no_form_that_is_too_large(mine: Case) -> None:
    row = relay("postmark")
    photo = {"Name": "box.jpg", "ContentType": "image/jpeg", "Content": "A" * 4_000_000}
    large = postmark(address_of(mine), Attachments=[photo])
    assert 400 <= post("postmark", auth="resonanz:wrong", **large) < 500
    assert post("postmark", auth=f"resonanz:{row.webhook_secret}", **large) == 200
    assert CaseMail.objects.get(direction="in").left_out == ["box.jpg"]


@pytest.mark.parametrize("esp", sorted(ESPS))
def test_a_service_brings_nothing_before_it_can_prove_itself(db: None, esp: str) -> None:
    relay(esp)
    inbound = ESPS[esp].inbound
    if inbound is None:
        assert post(esp, {}) == 404
    elif inbound.signing:
        assert post(esp, {}) == 403
    else:
        assert 400 <= post(esp, {}) < 500
        with schema_context("public"):
            assert webhooks.inbound_view_for(esp).basic_auth
    assert post("nobody", {}) == post("env", {}) == 404


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"INBOUND_MAILBOX": "imaps://me%40in.test:p%40ss@mail.test/Post%2FIn"}, ""),
        ({"INBOUND_MAILBOX": "imaps://me:secret@mail.test", "INBOUND_ADDRESS": "Reply@in.test"}, ""),
        ({"INBOUND_MAILBOX": "imaps://me:secret@mail.test"}, "INBOUND_ADDRESS is not set"),
        ({"INBOUND_MAILBOX": "pop3://me:secret@mail.test"}, "INBOUND_MAILBOX cannot be read"),
        ({"INBOUND_MAILBOX": "imaps://me@mail.test"}, "INBOUND_MAILBOX cannot be read"),
        ({"INBOUND_MAILBOX": "imaps://me:x@mail.test:port"}, "INBOUND_MAILBOX cannot be read"),
        ({"INBOUND_ADDRESS": "much-too-long-a-name@in.test"}, "INBOUND_ADDRESS must be"),
        ({"INBOUND_ADDRESS": "a+b@in.test"}, "INBOUND_ADDRESS must be"),
        ({"INBOUND_ADDRESS": "a@in.test", "EMAIL_URL": "anymail+mailgun://",
          "ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY": "k"}, ""),
        ({"INBOUND_ADDRESS": "a@in.test", "EMAIL_URL": "anymail+sendgrid://",
          "ANYMAIL_SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": "k"}, "ANYMAIL_WEBHOOK_SECRET is not set"),
        ({"INBOUND_ADDRESS": "a@in.test", "EMAIL_URL": "anymail+mailersend://",
          "ANYMAIL_MAILERSEND_SIGNING_SECRET": "k"}, "ANYMAIL_MAILERSEND_INBOUND_SECRET is not set"),
    ],
)  # fmt: skip
def test_the_platform_starts_with_a_way_that_can_be_believed_only(
    values: dict[str, str], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)

    def start() -> tuple[dict[str, Any], str]:
        mailbox = env.inbound_mailbox()
        return mailbox, env.inbound_address(mailbox, env.email())

    if problem:
        with pytest.raises(ImproperlyConfigured, match=problem):
            start()
        return
    mailbox, address = start()
    assert address in {"me@in.test", "reply@in.test", "a@in.test"}
    if "%40" in values.get("INBOUND_MAILBOX", ""):
        assert (mailbox["password"], mailbox["folder"], mailbox["port"]) == ("p@ss", "Post/In", 993)
