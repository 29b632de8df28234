"""Messages and delivery in a browser: nothing stands in anybody's way, and the page goes on telling how it goes."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, expect

from apps.accounts.models import User
from apps.messaging import backlogs
from apps.messaging.models import DomainRest, OutgoingEmail
from apps.surveys.models import Survey
from tests.browsing import DESKTOP, PHONE, barriers_of, base, chromium, complaints_of, database
from tests.factories import ContactFactory
from tests.workspace.conftest import HOST, mail
from tests.workspace.test_delivery import put

pytestmark = pytest.mark.chromium
__all__ = ["base", "chromium", "database"]


@pytest.fixture
def context(base: str, chromium: Browser) -> BrowserContext:
    """A desktop at which somebody is signed in who may change messages."""
    client = Client(headers={"host": HOST})
    user = User.objects.create(username="cx", first_name="Ada", last_name="Muster")
    user.user_permissions.add(Permission.objects.get(codename="change_outgoingemail"))
    client.force_login(user)
    opened = chromium.new_context(viewport=DESKTOP, locale="en-GB")
    opened.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "domain": HOST, "path": "/"}])
    return opened


def test_delivery_is_watched_paused_and_let_go_on_by_keyboard(base: str, context: BrowserContext) -> None:
    now = timezone.now()
    survey = Survey.objects.create(key="order", name={"en": "After the order"})
    put(f"survey:{survey.pk}", now - timedelta(minutes=1), "queued", 10)
    backlogs.observe(now=now - timedelta(minutes=1))
    DomainRest.objects.create(domain="slow.example", faults=3, until=now + timedelta(minutes=5))
    page = context.new_page()
    complaints = complaints_of(page)
    page.goto(f"{base}/delivery/")
    expect(page.get_by_text("0 of 10 messages")).to_be_visible()
    assert barriers_of(page, complaints) == []

    page.locator(".delivery-table button").focus()
    first = OutgoingEmail.objects.filter(status="queued").values("pk")[:4]
    OutgoingEmail.objects.filter(pk__in=list(first.values_list("pk", flat=True))).update(status="sent")
    expect(page.get_by_text("4 of 10 messages")).to_be_visible(timeout=15_000)
    # What is shown anew takes nobody's place away.
    expect(page.locator(".delivery-table button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Paused by Ada Muster since")).to_be_visible()
    page.get_by_role("button", name="Pause everything").click()
    expect(page.get_by_text("All delivery is paused.")).to_be_visible()
    page.goto(f"{base}/emails/")
    expect(page.get_by_text("Ada Muster paused all delivery")).to_be_visible()
    page.set_viewport_size(PHONE)
    page.goto(f"{base}/delivery/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert barriers_of(page, complaints) == []
    page.get_by_role("button", name="Let everything go on").click()
    expect(page.get_by_role("button", name="Pause everything")).to_be_visible()
    assert complaints == []


def test_a_message_of_unknown_fate_is_settled_and_its_links_lead_nowhere(
    base: str, context: BrowserContext, now: datetime
) -> None:
    written = mail(ContactFactory(name="Kim", email="kim@x.example"), "one", now, "How was it?")
    OutgoingEmail.objects.filter(pk=written.pk).update(
        status="unknown",
        last_error="line lost: reset by peer",
        values={"text": "Hi", "body_html": f'<p><a href="{base}/s/SECRET">Answer</a></p>'},
    )
    page = context.new_page()
    complaints = complaints_of(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(base + reverse("workspace:email", args=[written.pk]))
    link = page.frame_locator("iframe").get_by_text("Answer")
    expect(link).to_be_visible()
    link.click()
    page.wait_for_timeout(200)
    assert not [url for url in asked if "/s/" in url]
    assert barriers_of(page, complaints) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="It arrived, or it left").press("Enter")
    expect(page.get_by_role("heading", name="These messages arrived, or at least left?")).to_be_visible()
    assert barriers_of(page, complaints) == []
    page.get_by_role("button", name="Yes, they left").click()
    expect(page.get_by_text("1 message counts as sent now.")).to_be_visible()
    expect(page.get_by_text("Settled by hand: it arrived, or at least left.")).to_be_visible()
    assert complaints == []
