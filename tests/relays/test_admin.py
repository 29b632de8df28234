"""The operator's pages for mail services: a form per kind, hidden secrets, a test mail, a webhook's address."""

import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.test import Client
from django.utils import timezone
from django_tenants.utils import schema_context

from apps.accounts.models import User
from apps.relays import services
from apps.relays.models import Relay, RelayState
from tests.admin.conftest import PUBLIC, client_for

LIST = "/admin/relays/relay/"
BASE = {"batch_size": "100", "return_path_label": "bounces", "is_active": "on"}
SMTP = {"setting_host": "mail.example.com", "setting_port": "587", "setting_security": "tls", "setting_user": "u"}


@pytest.fixture(autouse=True)
def in_public(db: None) -> Iterator[None]:
    with schema_context("public"):
        yield


@pytest.fixture
def operator() -> Client:
    return client_for(User.objects.create_superuser("operator", "op@example.com"), PUBLIC)


def change(operator: Client, relay: Relay, **data: str) -> Any:
    return operator.post(f"{LIST}{relay.pk}/change/", {"name": relay.name, **BASE, **data})


def test_a_new_service_is_off_until_its_settings_are_there(operator: Client) -> None:
    answer = operator.post(f"{LIST}add/", {"name": "Haus", "key": "haus", "kind": "smtp"})
    relay = Relay.objects.get()
    assert answer.headers["Location"] == f"{LIST}{relay.pk}/change/"
    assert not relay.is_active
    assert relay.webhook_secret
    assert change(operator, relay).status_code == 200, "a host is needed"
    assert change(operator, relay, **SMTP, setting_password="pw-geheim").status_code == 302
    route = services.route_of("haus")
    assert (route.options["host"], route.options["password"], route.options["use_tls"]) == (
        "mail.example.com", "pw-geheim", True,
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "key"), [("smtp", "env"), ("smtp", "a b"), ("smtp", ""), ("console", "a"), ("", "a")])
def test_a_bad_key_or_kind_is_refused(operator: Client, kind: str, key: str) -> None:
    assert operator.post(f"{LIST}add/", {"name": "X", "key": key, "kind": kind}).status_code == 200
    assert not Relay.objects.exists()


def test_what_is_secret_is_never_shown_and_kept_when_left_empty(operator: Client) -> None:
    relay = Relay.objects.create(key="mg", name="MG", kind="mailgun", settings={"api_key": "key-geheim"})
    page = operator.get(f"{LIST}{relay.pk}/change/").content.decode()
    assert "key-geheim" not in page
    assert "Leave it empty to keep it" in page
    assert relay.webhook_secret not in page
    assert change(operator, relay, setting_sender_domain="mg.example.com").status_code == 302
    relay.refresh_from_db()
    assert relay.settings == {"api_key": "key-geheim", "sender_domain": "mg.example.com"}
    assert change(operator, relay, setting_api_key="new").status_code == 302
    relay.refresh_from_db()
    assert relay.settings == {"api_key": "new"}


@pytest.mark.parametrize("kind", Relay.Kind.values)
def test_every_kind_has_a_form_of_its_own(operator: Client, kind: str) -> None:
    relay = Relay.objects.create(key="k", name="K", kind=kind)
    page = operator.get(f"{LIST}{relay.pk}/change/")
    assert page.status_code == 200
    assert "setting_" in page.content.decode()
    assert operator.get(f"{LIST}{relay.pk}/webhook/").status_code == 200


def test_what_was_typed_stays_when_something_else_is_wrong(operator: Client) -> None:
    relay = Relay.objects.create(key="k", name="K")
    page = change(operator, relay, **{**SMTP, "setting_port": "70000"}).content.decode()
    assert 'value="mail.example.com"' in page


def test_there_is_one_default_and_only_an_active_one(operator: Client) -> None:
    Relay.objects.create(key="a", name="A", is_default=True)
    relay = Relay.objects.create(key="b", name="B", settings={"host": "x"})
    page = change(operator, relay, **SMTP, is_default="on")
    assert "Another mail service is the default already." in page.content.decode()
    Relay.objects.filter(key="a").delete()
    assert change(operator, relay, **SMTP, is_default="on", is_active="").status_code == 200
    assert change(operator, relay, **SMTP, is_default="on").status_code == 302


def test_settings_under_another_key_are_asked_for_again(operator: Client, settings: Any) -> None:
    settings.CREDENTIALS_KEY = "first key"
    relay = Relay.objects.create(key="k", name="K", settings={"host": "h", "password": "p"})
    settings.CREDENTIALS_KEY = "wrong key"
    page = operator.get(f"{LIST}{relay.pk}/change/")
    assert page.status_code == 200
    assert "encrypted under another key" in page.content.decode()
    assert operator.get(f"{LIST}{relay.pk}/webhook/").status_code == 200
    assert operator.get(LIST).status_code == 200
    assert change(operator, relay, **SMTP).status_code == 302
    assert services.route_of("k").options["host"] == "mail.example.com"


# --- test mail ----------------------------------------------------------------------------------


class Inbox:
    """A mail server that keeps what it is given, or refuses it."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], str]] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("nobody"):
            return "550 5.1.1 <b>no such user</b>"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 OK"


@pytest.fixture
def server() -> Iterator[tuple[Inbox, Relay]]:
    inbox = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    relay = Relay.objects.create(
        key="k", name="Haus", is_active=False, settings={"host": "127.0.0.1", "port": port, "security": ""}
    )
    yield inbox, relay
    controller.stop()


def test_a_test_mail_leaves_by_that_service_when_asked_by_post(operator: Client, server: tuple[Inbox, Relay]) -> None:
    inbox, relay = server
    url = f"{LIST}{relay.pk}/test-mail/"
    assert operator.get(url).status_code == 200
    assert inbox.mails == []
    page = operator.post(url, {"to": "me@example.com"}).content.decode()
    assert "The service took the mail" in page
    assert inbox.mails[0][0] == ["me@example.com"]
    assert "Haus" in inbox.mails[0][1]


def test_what_the_service_says_against_it_is_shown_escaped(operator: Client, server: tuple[Inbox, Relay]) -> None:
    page = operator.post(f"{LIST}{server[1].pk}/test-mail/", {"to": "nobody@example.com"}).content.decode()
    assert "&lt;b&gt;no such user" in page
    assert "<b>no such user" not in page
    assert 'value="nobody@example.com"' in page


@pytest.mark.parametrize("to", ["", "x", "a@b.example\nBcc: c@d.example"])
def test_no_mail_to_what_is_no_address(operator: Client, server: tuple[Inbox, Relay], to: str) -> None:
    operator.post(f"{LIST}{server[1].pk}/test-mail/", {"to": to})
    assert server[0].mails == []


# --- webhook and breaker ------------------------------------------------------------------------


def test_the_webhook_page_gives_an_address_that_is_believed_and_a_new_secret_on_post(operator: Client) -> None:
    relay = Relay.objects.create(key="pm", name="PM", kind="postmark", settings={"server_token": "t"})
    url = f"{LIST}{relay.pk}/webhook/"
    page = operator.get(url)
    assert "no-store" in page.headers["Cache-Control"]
    old = relay.webhook_secret
    assert f"http://resonanz:{old}@resonanz.test/mail/events/pm/" in page.content.decode()
    page = operator.post(url, follow=True)
    relay.refresh_from_db()
    assert relay.webhook_secret != old
    assert old not in page.content.decode()
    assert relay.webhook_secret in page.content.decode()


@pytest.mark.parametrize(("kind", "signing"), [("mailgun", "webhook_signing_key"), ("resend", "signing_secret")])
def test_a_service_that_signs_needs_no_password_in_its_address(operator: Client, kind: str, signing: str) -> None:
    relay = Relay.objects.create(key="s", name="S", kind=kind, settings={"api_key": "k", signing: "x"})
    page = operator.get(f"{LIST}{relay.pk}/webhook/").content.decode()
    assert relay.webhook_secret not in page
    assert "http://resonanz.test/mail/events/s/" in page


def test_a_resting_service_is_shown_with_its_error_and_can_be_used_again(operator: Client) -> None:
    relay = Relay.objects.create(key="k", name="K", settings={"host": "h"})
    now = timezone.now()
    RelayState.objects.create(key="k", faults=7, rests_until=now + timedelta(minutes=9), last_error="<i>refused</i>")
    RelayState.objects.create(key="", faults=5, rests_until=now + timedelta(minutes=9), last_error="gone")
    page = operator.get(LIST).content.decode()
    assert re.search(r"rests until .*&lt;i&gt;refused", page)
    operator.post(LIST, {"action": "reset", "_selected_action": [relay.pk]})
    assert services.resting_until(key="k", now=now) is None
    states = "/admin/relays/relaystate/"
    assert "gone" in operator.get(states).content.decode()
    mine = RelayState.objects.get(key="")
    operator.post(states, {"action": "reset", "_selected_action": [mine.pk]})
    assert services.resting_until(key="", now=now) is None


def test_the_list_is_searched_filtered_and_costs_the_same_with_many(
    operator: Client, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    Relay.objects.create(key="first", name="First")
    operator.get(LIST)
    with CaptureQueriesContext(connection) as few:
        operator.get(LIST)
    for number in range(9):
        Relay.objects.create(key=f"r{number}", name=f"R{number}", kind="brevo")
    with django_assert_num_queries(len(few)):
        operator.get(LIST)
    found = operator.get(LIST, {"q": "first", "kind__exact": "smtp"})
    assert [row.key for row in found.context["cl"].result_list] == ["first"]


def test_only_operators_come_here() -> None:
    relay = Relay.objects.create(key="k", name="K", kind="postmark")
    staff = client_for(User.objects.create_user("staff", is_staff=True), PUBLIC)
    for path in ("", f"{relay.pk}/change/", f"{relay.pk}/webhook/", f"{relay.pk}/test-mail/"):
        assert staff.get(LIST + path).status_code == 403, path
        assert Client(headers={"host": PUBLIC}).get(LIST + path).status_code == 302, path
        assert Client(headers={"host": "nordwind.resonanz.test"}).get(LIST + path).status_code in {302, 404}, path
