import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from apps.messaging import maildir
from apps.messaging.maildir import MaildirBackend

HOST = {"host": "resonanz.test"}
HTML = '<!doctype html><html><head><title>x</title></head><body><a href="http://nordwind.resonanz.test/s/1">9</a></body></html>'


@pytest.fixture
def box(settings: Any, tmp_path: Path) -> Path:
    settings.MAILDIR = tmp_path / "mail"
    settings.PUBLIC_SCHEMA_URLCONF = "tests.messaging.urls_with_mailbox"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    return settings.MAILDIR


def send(to: str = "anna@example.com", subject: str = "Wie war’s?", html: str = HTML, **kwargs: Any) -> None:
    mail = EmailMultiAlternatives(
        subject, "Grüße, http://nordwind.resonanz.test/s/1", "N <n@example.com>", [to], **kwargs
    )
    if html:
        mail.attach_alternative(html, "text/html")
    assert MaildirBackend().send_messages([mail]) == 1


def get(path: str, **data: Any) -> Any:
    return Client().get(path, data, headers=HOST)


def test_a_mail_is_filed_with_its_parts_headers_and_real_recipients(box: Path) -> None:
    send(headers={"List-Unsubscribe": "<http://x.example/u>"}, bcc=["hidden@example.com"])
    [mail] = maildir.newest()
    assert mail.subject == "Wie war’s?"
    assert mail.text.strip() == "Grüße, http://nordwind.resonanz.test/s/1"
    assert mail.html.strip() == HTML
    assert mail.recipients == ("anna@example.com", "hidden@example.com")
    assert ("List-Unsubscribe", "<http://x.example/u>") in mail.headers


def test_a_mail_without_recipients_is_not_filed(box: Path) -> None:
    assert MaildirBackend().send_messages([EmailMultiAlternatives("s", "t", "n@example.com", [])]) == 0
    assert maildir.newest() == []


def test_the_backend_without_a_folder_says_so(settings: Any) -> None:
    settings.MAILDIR = None
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL"):
        MaildirBackend()


def test_threads_that_send_at_once_lose_nothing(box: Path) -> None:
    threads = [threading.Thread(target=lambda: [send() for _ in range(20)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(maildir.newest()) == 160


@pytest.mark.django_db
def test_without_a_folder_there_is_no_mailbox() -> None:
    assert get("/mailbox/").status_code == 404


@pytest.mark.django_db
def test_tenants_hosts_have_no_mailbox(box: Path) -> None:
    assert Client().get("/mailbox/", headers={"host": "nordwind.resonanz.test"}).status_code == 404


@pytest.mark.django_db
def test_an_empty_mailbox_says_so(box: Path) -> None:
    assert "No mail yet" in get("/mailbox/").content.decode()


@pytest.mark.django_db
def test_the_list_shows_the_newest_first_and_is_paged(box: Path) -> None:
    for number in range(55):
        send(subject=f"Mail {number:02}")
    first = get("/mailbox/").content.decode()
    assert first.index("Mail 54") < first.index("Mail 53")
    assert "Mail 04" not in first
    assert "Mail 04" in get("/mailbox/", page=2).content.decode()
    assert get("/mailbox/", page="x").status_code == 200


@pytest.mark.django_db
def test_the_list_can_be_searched(box: Path) -> None:
    send(to="berta@example.com", subject="Danke")
    send()
    page = get("/mailbox/", q="BERTA").content.decode()
    assert "Danke" in page
    assert "anna@example.com" not in page
    assert "anna@example.com" in get("/mailbox/", q="war’s").content.decode()
    assert "No mail with" in get("/mailbox/", q="<script>").content.decode()


@pytest.mark.django_db
def test_a_mail_is_shown_escaped_with_its_html_in_a_sandboxed_frame(box: Path) -> None:
    send(subject="<script>alert(1)</script>")
    [mail] = maildir.newest()
    answer = get(f"/mailbox/{mail.id}/")
    page = answer.content.decode()
    assert "<script>alert" not in page
    assert f'src="/mailbox/{mail.id}/html"' in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"' in page
    assert "'unsafe-inline'" not in answer["Content-Security-Policy"]


@pytest.mark.django_db
def test_the_html_may_run_and_load_nothing_and_its_links_leave_the_frame(box: Path) -> None:
    send()
    [mail] = maildir.newest()
    answer = get(f"/mailbox/{mail.id}/html")
    policy = {part.split()[0]: part.split()[1:] for part in answer["Content-Security-Policy"].split(";")}
    assert policy["default-src"] == ["'none'"]
    assert policy["style-src"] == ["'unsafe-inline'"]
    assert policy["img-src"] == ["data:"]
    assert policy["frame-ancestors"] == ["'self'"]
    assert "allow-scripts" not in policy["sandbox"]
    assert "allow-same-origin" not in policy["sandbox"]
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert '<head><base target="_blank"><title>' in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["nobody", "..", "%2e%2e%2fsecret", "..%2f..%2fsecret", "%00", "new", "a:b", "%5c"])
def test_an_id_that_is_no_mail_is_a_404_and_never_a_path(box: Path, key: str) -> None:
    send()
    (box.parent / "secret").write_text("Subject: secret\n\nsecret")
    (box / "secret").write_text("Subject: secret\n\nsecret")
    for address in (f"/mailbox/{key}/", f"/mailbox/{key}/html"):
        answer = get(address)
        assert answer.status_code == 404
        assert b"secret" not in answer.content.replace(key.encode(), b"")


@pytest.mark.django_db
def test_a_link_in_the_folder_is_not_followed(box: Path, tmp_path: Path) -> None:
    send()
    secret = tmp_path / "secret"
    secret.write_text("Subject: secret\n\nsecret")
    (box / "new" / "linked").symlink_to(secret)
    assert get("/mailbox/linked/").status_code == 404


@pytest.mark.django_db
def test_scripts_get_the_mails_of_one_address_as_json(box: Path) -> None:
    send(to="berta@example.com", subject="Danke", headers={"List-Unsubscribe": "<http://x.example/u>"})
    send(to="alberta@example.com")
    [mail] = get("/mailbox/messages.json", to="Berta@example.com").json()["messages"]
    assert mail["to"] == ["berta@example.com"]
    assert mail["subject"] == "Danke"
    assert mail["headers"]["List-Unsubscribe"] == "<http://x.example/u>"
    assert mail["html"].strip() == HTML
    assert len(get("/mailbox/messages.json").json()["messages"]) == 2


@pytest.mark.django_db
def test_the_mailbox_only_reads(box: Path) -> None:
    send()
    [mail] = maildir.newest()
    for path in ("/mailbox/", "/mailbox/messages.json", f"/mailbox/{mail.id}/", f"/mailbox/{mail.id}/html"):
        assert Client().post(path, headers=HOST).status_code == 405
