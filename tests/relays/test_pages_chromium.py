"""Mail services and sender domains in a browser: nothing breaks the page's policy, values can be copied, phones fit."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django_tenants.utils import schema_context, tenant_context
from playwright.sync_api import Browser, Page, expect

from apps.accounts.models import User
from apps.messaging import sender_domains
from apps.messaging.models import Sender, SenderDomain
from apps.relays.models import Relay, RelayState
from apps.tenants.models import Tenant
from apps.tenants.provisioning import create_tenant
from tests.admin.conftest import PUBLIC, client_for
from tests.browsing import chromium_running, served
from tests.messaging.nameserver import serving

pytestmark = pytest.mark.chromium
HOST = "absender.localhost"
SHOTS = os.environ.get("SHOTS", "")
DESK, PHONE = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with chromium_running() as started:
        yield started


@pytest.fixture
def port(autocommit: None, settings: Any) -> Iterator[int]:
    settings.SECURE_CROSS_ORIGIN_OPENER_POLICY = None  # The browser would complain that there is no TLS.
    with served() as port:
        yield port


@pytest.fixture
def relay(autocommit: None) -> Iterator[Relay]:
    with schema_context("public"):
        row = Relay.objects.create(
            key="mailgun-eu", name="Mailgun (EU)", kind="mailgun", is_default=True, is_offered=True,
            settings={"api_key": "key-geheim", "sender_domain": "mg.example.com"}, spf_include="mailgun.org",
            dkim_selector="rz1", dkim_target="rz1.{domain}.dkim.mailgun.org", return_path_target="eu.mailgun.org",
        )  # fmt: skip
        yield row
        Relay.objects.all().delete()
        RelayState.objects.all().delete()


@pytest.fixture
def tenant(autocommit: None, relay: Relay) -> Iterator[Tenant]:
    row = create_tenant(schema_name="absender", name="Absender", host=HOST)
    with tenant_context(row):
        yield row
    row.delete(force_drop=True)


def open_page(browser: Browser, address: str, user: User, **options: Any) -> tuple[Page, list[str]]:
    cookie = client_for(user, address.split("/")[2].partition(":")[0]).cookies["sessionid"].value
    context = browser.new_context(**{"viewport": DESK, "locale": "en-GB", **options})
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": address}])
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


def shoot(page: Page, name: str) -> None:
    """A picture for whoever wants to look: SHOTS=/some/folder."""
    if SHOTS:
        page.wait_for_timeout(600)
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_an_operator_sets_a_mail_service_up(browser: Browser, port: int, relay: Relay) -> None:
    address = f"http://{PUBLIC}:{port}"
    with schema_context("public"):
        user = User.objects.create_superuser("op-chromium", "op@example.com")
        try:
            page, complaints = open_page(browser, address, user)
            page.goto(f"{address}/admin/relays/relay/{relay.pk}/change/")
            expect(page.get_by_label("API key")).to_have_value("")
            shoot(page, "relay-form")
            page.get_by_role("link", name="Webhook").click()
            expect(page.get_by_label("Webhook address")).to_have_value(f"http://{PUBLIC}/mail/events/mailgun-eu/")
            shoot(page, "relay-webhook")
            page.goto(f"{address}/admin/relays/relay/{relay.pk}/test-mail/")
            shoot(page, "relay-test-mail")
            page.goto(f"{address}/admin/relays/relay/add/")
            shoot(page, "relay-add")
            page.goto(f"{address}/admin/relays/relay/")
            expect(page.get_by_role("link", name="Mailgun (EU)")).to_be_visible()
            shoot(page, "relay-list")
            page.set_viewport_size(PHONE)
            page.goto(f"{address}/admin/relays/relay/{relay.pk}/change/")
            assert fits(page)
            shoot(page, "relay-form-phone")
            assert not complaints
        finally:
            User.objects.filter(pk=user.pk)._raw_delete("default")  # Of a tenant's tables there are none here.


def test_a_tenant_sees_what_its_dns_lacks(browser: Browser, port: int, tenant: Tenant) -> None:
    address = f"http://{HOST}:{port}"
    sender = Sender.objects.create(name="Kaffee", email="hallo@kaffee.example", is_default=True)
    row = SenderDomain.objects.create(domain="kaffee.example")
    zone = {
        ("_resonanz.kaffee.example", "TXT"): [sender_domains.wanted_of("kaffee.example").proof],
        ("kaffee.example", "TXT"): ["v=spf1 include:_spf.google.com ~all", "v=spf1 -all"],
        ("_dmarc.kaffee.example", "TXT"): ["v=DMARC1; p=none"],
        ("rz1._domainkey.kaffee.example", "CNAME"): ["rz1.elsewhere.example"],
    }
    with serving(zone) as resolver:
        sender_domains.check(row=row, now=datetime.now(UTC), resolver=resolver)
    user = User.objects.create_superuser("chief", "c@x.example")
    url = f"{address}/admin/messaging/sender/{sender.pk}/change/"
    page, complaints = open_page(browser, address, user)
    page.goto(url)
    table = page.get_by_role("region", name="The domain kaffee.example").get_by_role("table")
    expect(table.get_by_role("row")).to_have_count(6)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    button = table.get_by_role("row", name="DKIM").get_by_role("button", name="Copy").last
    button.focus()
    page.keyboard.press("Enter")
    expect(table.get_by_label("Value").nth(1)).to_have_value("rz1.kaffee.example.dkim.mailgun.org")
    shoot(page, "sender-dns")
    page.set_viewport_size(PHONE)
    page.reload()
    assert fits(page)
    shoot(page, "sender-dns-phone")
    assert not complaints
    dark, complaints = open_page(browser, address, user, color_scheme="dark", locale="de-DE")
    dark.goto(url)
    shoot(dark, "sender-dns-dark-de")
    assert not complaints
