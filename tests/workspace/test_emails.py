import re
from datetime import datetime
from types import SimpleNamespace

from django.test import Client
from django.urls import reverse

from apps.messaging.models import OutgoingEmail
from tests.messaging.words import words
from tests.workspace.conftest import story


def test_the_html_is_framed_without_any_rights(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    story(setup, 1, now)
    mail = OutgoingEmail.objects.get(reason="invitation:1")
    page = client.get(reverse("workspace:email", args=[mail.pk])).content.decode()
    assert re.search(r"<iframe[^>]*\ssandbox\s+src=", page)
    assert "color:red" not in page
    framed = client.get(reverse("workspace:email_html", args=[mail.pk]))
    assert framed.content.decode() == words(mail).html
    policy = framed.headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "script-src 'none'", "form-action 'none'", "frame-ancestors 'self'", "sandbox"):
        assert part in policy, part
    assert framed.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_mails_are_found_by_words_and_status(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    story(setup, 1, now)
    story(setup, 2, now)
    OutgoingEmail.objects.filter(reason="invitation:2").update(status="bounced")

    def found(query: dict[str, str]) -> list[str]:
        return sorted(mail.reason for mail in client.get("/emails/", query).context["page"].rows)

    assert found({"q": "sorry"}) == ["step:1", "step:2"]
    assert found({"q": "KIM1@"}) == ["invitation:1", "step:1"]
    assert found({"status": "bounced"}) == ["invitation:2"]
