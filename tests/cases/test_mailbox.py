"""Answers fetched from a mailbox of a real IMAP server: each once, whatever breaks, and never from our own network."""

import re
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings
from django_tenants.utils import schema_context, tenant_context

from apps.accounts.models import User
from apps.cases import imap, mailboxes, own_mailbox, receiving, tasks
from apps.cases.imap import Account, MailboxError
from apps.cases.models import Case, CaseMail, CaseMailbox
from apps.relays.models import IncomingMessage, IncomingWay
from tests.admin.conftest import client_for
from tests.cases import imap_server
from tests.cases.caring import NOW, case, contact
from tests.cases.imap_server import Folder
from tests.cases.mailing import REPLY, address_of, mail, written

MINUTE = timedelta(minutes=1)


@pytest.fixture
def folder() -> Iterator[Folder]:
    with imap_server.serving() as found:
        values = {
            "host": "127.0.0.1", "port": found.port, "security": "", "user": imap_server.USER,
            "password": imap_server.PASSWORD, "folder": "INBOX",
        }  # fmt: skip
        with override_settings(INBOUND_ADDRESS=REPLY, INBOUND_MAILBOX=values):
            yield found


def look(after: int = 0) -> int:
    """The platform's task, some minutes later."""
    with schema_context("public"):
        return tasks.look(now=NOW + after * MINUTE)


def state() -> IncomingWay:
    with schema_context("public"):
        return IncomingWay.objects.get()


def pending() -> list[tuple[int, str, int]]:
    with schema_context("public"):
        return list(IncomingMessage.objects.order_by("uid").values_list("uid", "state", "tries"))


def answers() -> list[str]:
    return list(CaseMail.objects.filter(direction="in").order_by("at", "pk").values_list("text", flat=True))


def mine() -> Case:
    found = case(contact=contact("ada"))
    written(found)
    return found


def to(found: Case, text: str, **more: str) -> bytes:
    return mail(to=address_of(found), text=text, message_id=f"<{text}@x>", **more)


def test_each_tenant_gets_its_own_and_what_is_nobodys_stays_as_it_was(
    tenant: Any, other_tenant: Any, folder: Folder
) -> None:
    found = mine()
    with tenant_context(other_tenant):
        theirs = mine()
        folder.add(to(theirs, "for klarwerk"))
    spam = folder.add(mail(to=REPLY, text="win money"))
    folder.add(to(found, "for nordwind"))
    assert look() == 3
    assert answers() == ["for nordwind"]
    with tenant_context(other_tenant):
        assert answers() == ["for klarwerk"]
    assert folder.read == [101, 103]
    assert not folder.messages[spam].is_read
    assert (state().taken, state().nobodys, state().last_uid, pending()) == (2, 1, 103, [])
    assert folder.commands.count("UID FETCH") == 5, "what is nobody's is known by its head"
    assert look() == 0, "it is not time"
    assert (look(1), answers()) == (0, ["for nordwind"])
    folder.add(to(found, "more"))
    assert (look(2), answers()) == (1, ["for nordwind", "more"])


def test_a_mailbox_is_read_from_the_day_before_on_and_again_when_it_is_numbered_anew(
    tenant: Any, folder: Folder
) -> None:
    found = mine()
    old = folder.add(to(found, "old"), day=NOW - timedelta(days=9))
    for number in range(3):
        folder.add(to(found, f"new {number}"))
    look()
    assert answers() == ["new 0", "new 1", "new 2"]
    messages = [folder.messages[number].data for number in (old, 102, 103, 104)]
    folder.messages.clear()
    folder.validity = 2
    folder.messages = {number: imap_server.Stored(data) for number, data in enumerate(messages[1:], start=1)}
    folder.add(to(found, "newest"))
    look(5)
    assert answers() == ["new 0", "new 1", "new 2", "newest"], "each once, though the numbers are others"
    assert state().uid_validity == 2


def test_a_crash_between_keeping_and_marking_neither_loses_nor_doubles(tenant: Any, folder: Folder) -> None:
    found = mine()
    folder.add(to(found, "first"))
    folder.breaks_at = "UID STORE"
    look()
    assert answers() == ["first"]
    assert (folder.read, pending()) == ([], [(101, "to_mark", 0)])
    assert state().last_error
    folder.breaks_at = ""
    folder.add(to(found, "second"))
    assert look(1) == 0, "after a fault it waits longer"
    look(2)
    assert answers() == ["first", "second"]
    assert (folder.read, pending(), state().faults, state().last_error) == ([101, 102], [], 0, "")


def test_a_crash_before_keeping_takes_it_again(tenant: Any, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    found = mine()
    folder.add(to(found, "first"))
    with monkeypatch.context() as broken:

        def die(*_args: Any, **_more: Any) -> None:
            raise KeyboardInterrupt

        broken.setattr(mailboxes._Run, "_move_on", die)
        with pytest.raises(KeyboardInterrupt):
            look()
    assert (answers(), state().last_uid) == ([], 100), "neither is there"
    look()
    assert (answers(), folder.read) == (["first"], [101])


def test_a_mail_that_breaks_is_put_aside_after_three_tries_and_the_others_go_on(
    tenant: Any, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = mine()
    keep = receiving.keep

    def fragile(**values: Any) -> Any:
        row = keep(**values)
        if values["mail"].text == "poison":
            raise ZeroDivisionError("whatever")
        return row

    folder.add(to(found, "poison"))
    folder.add(to(found, "good"))
    with monkeypatch.context() as broken:
        broken.setattr(receiving, "keep", fragile)
        for number in range(5):
            look(number)
    assert answers() == ["good"]
    assert (folder.read, pending()) == ([102], [(101, "aside", 3)])
    with schema_context("public"):
        row = IncomingMessage.objects.get()
        assert (row.message_id, row.error) == ("<poison@x>", "ZeroDivisionError")
        assert mailboxes.try_again(messages=IncomingMessage.objects.all(), now=NOW) == 1
    look(6)
    assert sorted(answers()) == ["good", "poison"]
    assert (folder.read, pending()) == ([101, 102], [])


def test_of_a_large_mail_the_beginning_is_fetched(tenant: Any, folder: Folder) -> None:
    found = mine()
    folder.add(to(found, "big" + "\nx" * 10_000_000).replace(b"<big", b"<b>\r\nX: <"))
    look()
    row = CaseMail.objects.get(direction="in")
    assert row.left_out == ["…"]
    assert folder.sent < imap.MAIL_BYTES + imap.HEAD_BYTES + 1000


def test_two_who_look_at_once_take_each_message_once(
    django_db_setup: None, django_db_blocker: Any, folder: Folder
) -> None:
    from tests.copies import copied

    with copied("mailbox", django_db_blocker):
        with schema_context("public"):
            from apps.tenants.models import Tenant

            tenant = Tenant.objects.get(schema_name="nordwind")
        with tenant_context(tenant):
            found = mine()
            for number in range(12):
                folder.add(to(found, f"{number:02}"))
        IncomingWay.objects.create(key=tasks.SHARED)
        # Both in: one whose lease had run out while it still worked, and the one that took over.
        barrier, first_is_in, session_open = threading.Barrier(2), threading.Event(), imap.Session.open

        def together(session: Any) -> Any:
            opened = session_open(session)
            first_is_in.set()
            barrier.wait(20)
            return opened

        def work(minutes: int) -> None:
            try:
                look(minutes)
            finally:
                connection.close()

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(imap.Session, "open", together)
            workers = [threading.Thread(target=work, args=(minutes,)) for minutes in (0, 6)]
            for one in workers:
                one.start()
                assert first_is_in.wait(20)
            for one in workers:
                one.join()
        with tenant_context(tenant):
            assert sorted(answers()) == [f"{number:02}" for number in range(12)]
        assert (state().taken, len(folder.read), pending()) == (12, 12, [])


# --- a tenant's own ------------------------------------------------------------------------------------


def own(folder: Folder, **fields: Any) -> CaseMailbox:
    values = {"address": "hilfe@nordwind.example", "host": "127.0.0.1", "port": folder.port, "security": "",
              "user": imap_server.USER, "password": imap_server.PASSWORD, "next_check_at": NOW}  # fmt: skip
    return CaseMailbox.objects.create(pk=1, **{**values, **fields})


def test_a_tenant_s_own_mailbox_also_knows_answers_by_what_they_answer(tenant: Any, folder: Folder) -> None:
    own(folder)
    found = mine()
    sent = CaseMail.objects.get()
    assert address_of(found).endswith("@nordwind.example")
    folder.add(to(found, "by mark"))
    folder.add(mail(to="hilfe@nordwind.example", text="by thread", message_id="<t@x>", In_Reply_To=sent.message_id))
    folder.add(mail(to="hilfe@nordwind.example", text="new", message_id="<n@x>", In_Reply_To="<other@x>"))
    with override_settings(WEBHOOK_ALLOW_PRIVATE=True):
        assert own_mailbox.look(now=NOW) == 3
    assert sorted(answers()) == ["by mark", "by thread"]
    row = CaseMailbox.objects.get()
    assert (row.taken, row.nobodys, folder.read) == (2, 1, [101, 102])
    assert own_mailbox.next_due() == NOW + MINUTE
    assert imap_server.PASSWORD not in repr(own_mailbox.account_of(row))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.8", "[::1]", "169.254.169.254", "::ffff:127.0.0.1"])
def test_a_tenant_s_mailbox_is_not_in_our_network(tenant: Any, folder: Folder, host: str) -> None:
    host = host.strip("[]")
    for port, problem in ((folder.port, "993 or 143"), (143, "not on the public internet")):
        own(folder, host=host, port=port)
        own_mailbox.look(now=NOW)
        row = CaseMailbox.objects.get()
        assert problem in row.last_error
        assert (row.faults, row.lease_until) == (1, None)
        with pytest.raises(MailboxError, match=problem):
            mailboxes.try_out(own_mailbox.account_of(row))
        row.delete()
    assert folder.commands == []


def test_a_name_that_also_leads_inside_is_refused(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 143)) for ip in ("93.184.216.34", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: found)
    with pytest.raises(MailboxError, match="not on the public internet"):
        mailboxes.try_out(Account("mail.example.com", 143, "", "u", "p"))


def test_what_is_wrong_with_a_mailbox_is_said(folder: Folder) -> None:
    good = {"host": "127.0.0.1", "port": folder.port, "security": "", "user": imap_server.USER, "allow_private": True}
    assert mailboxes.try_out(Account(**good, password=imap_server.PASSWORD)) == 0
    for wrong, problem in (
        ({"password": "wrong"}, "wrong password"),
        ({"password": "größer"}, "accents"),
        ({"folder": "Post"}, "no such folder"),
        ({"user": "a\r\nA1 LOGOUT"}, "without accents"),
        ({"security": "ssl"}, "SSL"),
        ({"port": 1}, "refused"),
    ):
        with pytest.raises(MailboxError, match=problem):
            mailboxes.try_out(Account(**{**good, "password": imap_server.PASSWORD, **wrong}))


def test_a_server_that_sends_without_end_is_left(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account("127.0.0.1", folder.port, "", imap_server.USER, imap_server.PASSWORD, allow_private=True)
    folder.add(b"Subject: x\r\n\r\n" + b"y" * 5_000_000)
    monkeypatch.setattr(imap, "MOST_BYTES", 1_000_000)
    with imap.Session(account) as session:
        session.open()
        with pytest.raises(MailboxError, match="more than was asked"):
            session.mail(101)
    monkeypatch.setattr(imap_server._Handler, "do_select", lambda _self, _rest: threading.Event().wait(5) or "OK")
    with pytest.raises(MailboxError, match="No answer in time"):
        mailboxes.try_out(account, seconds=0.2)


# --- in the admin --------------------------------------------------------------------------------------

PAGE = "/admin/cases/casemailbox/"


@pytest.fixture
def admin(tenant: Any) -> Client:
    return client_for(User.objects.create_superuser("chief"), "nordwind.resonanz.test")


def form(at: Folder, **values: str) -> dict[str, str]:
    return {"address": "hilfe@nordwind.example", "host": "localhost", "port": str(at.port), "security": "tls",
            "user": imap_server.USER, "folder": "INBOX", "is_active": "on", "password": "", **values}  # fmt: skip


def test_a_mailbox_s_password_is_sealed_never_shown_and_goes_to_no_other_server(admin: Client, folder: Folder) -> None:
    assert admin.post(f"{PAGE}add/", form(folder)).status_code == 200, "no password"
    assert admin.post(f"{PAGE}add/", form(folder, address="reply+x@a.example", password="p")).status_code == 200
    assert admin.post(f"{PAGE}add/", form(folder, password="sehr geheim")).status_code == 302
    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM cases_casemailbox")
        assert "geheim" not in cursor.fetchone()[0]
    assert "geheim" not in admin.get(f"{PAGE}1/change/").content.decode()
    assert admin.post(f"{PAGE}1/change/", form(folder, folder="Antworten")).status_code == 302
    assert (CaseMailbox.objects.get().password, CaseMailbox.objects.get().folder) == ("sehr geheim", "Antworten")
    assert CaseMailbox.objects.get().next_check_at is not None
    for change in ({"host": "evil.example"}, {"port": "143"}, {"security": "ssl"}, {"user": "other"}):
        answer = admin.post(f"{PAGE}1/change/", form(folder, **change))
        assert "Enter the password again" in answer.content.decode(), change
    assert CaseMailbox.objects.get().host == "localhost"


def test_the_connection_is_tested_at_a_click(admin: Client, folder: Folder) -> None:
    own(folder)
    messages: dict[bool, str] = {}
    for may in (False, True):
        with override_settings(WEBHOOK_ALLOW_PRIVATE=may):
            # Without encryption only in a test: the form offers none.
            CaseMailbox.objects.update(security="")
            page = admin.get(f"{PAGE}1/change/").content.decode()
            assert "Save and test the connection" in page
            button = re.search(r'name="([a-z_]*test_connection)"', page)
            assert button
            data = form(folder, password=imap_server.PASSWORD, host="127.0.0.1", **{button[1]: "1"})
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(imap_server._Handler, "do_starttls", lambda *_: "OK", raising=False)
                patched.setattr(imap._Bounded, "starttls", lambda *_: ("OK", []))
                answer = admin.post(f"{PAGE}1/change/", data, follow=True)
        messages[may] = " ".join(str(one) for one in answer.context["messages"])
    assert "993 or 143" in messages[False]
    assert "It works: the folder holds 0 mails." in messages[True]


def test_what_was_put_aside_is_tried_again_at_a_click(admin: Client, folder: Folder) -> None:
    row = own(folder).messages.create(uid_validity=1, uid=5, state="aside", tries=3, at=NOW, message_id="<m@x>")
    path = "/admin/cases/casemailboxmessage/"
    assert "&lt;m@x&gt;" in admin.get(path).content.decode()
    admin.post(path, {"action": "try_again", "_selected_action": [str(row.pk)]})
    row.refresh_from_db()
    assert (row.state, row.tries) == ("failing", 0)
