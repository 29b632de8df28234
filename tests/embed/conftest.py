"""A tenant with a website, a placement and a rule that lets it ask."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext

from apps.contacts.models import Contact, ContactBudget, Outreach
from apps.embed.models import EmbedSecret, Placement
from apps.responses.models import Response
from apps.surveys.models import Invitation, Website
from apps.touchpoints.models import Touchpoint
from apps.triggers.models import TriggerRule
from tests import factories
from tests.browsing import chromium_running, served
from tests.copies import copied
from tests.embed.browsing import DESKTOP, Browsing, Open, Shop

HOST = "nordwind.resonanz.test"
SHOP = "https://shop.example"
PAGE = f"{SHOP}/products/boots"
SHOWN = b'"show":true'


def set_up(origin: str = SHOP, **placement: Any) -> Placement:
    """What a tenant configures to ask on product pages."""
    factories.theme()
    ContactBudget.objects.get_or_create(pk=1, defaults={"min_days_between": 14, "days_after_decline": 60})
    touchpoint = factories.TouchpointFactory(key="product_page", legal_basis="")
    factories.TriggerRuleFactory(name="On product pages", touchpoints=[touchpoint], delay=timedelta(0))
    Website.objects.get_or_create(origin=origin)
    return place(touchpoint, **placement)


def place(touchpoint: Touchpoint, **values: Any) -> Placement:
    """A placement as the admin would take it."""
    row = Placement(**{"name": f"On {touchpoint.key}", "touchpoint": touchpoint, "delay": 0, **values})
    row.full_clean()
    row.save()
    return row


@pytest.fixture
def placement(tenant: Any) -> Placement:
    """A popover on every page."""
    return set_up()


def post(path: str, body: Any, origin: str | None = SHOP, **headers: str) -> Any:
    """As a page of the shop would send it."""
    sent = {"host": HOST, **({"origin": origin} if origin is not None else {}), **headers}
    return Client().post(f"/embed/{path}", body, content_type="text/plain", headers=sent)


def ask(row: Placement, /, **fields: Any) -> Any:
    """The placement's question; JSON as the loader sends it."""
    import msgspec

    origin = fields.pop("origin", SHOP)
    body = {"placement": row.pk, "url": PAGE, "properties": {}, "consent": False, "language": "en", **fields}
    return post("ask", msgspec.json.encode(body), origin)


# --- a real browser on somebody else's website ---


@pytest.fixture(scope="module")
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A copy of the tests' database: a server sees only what is committed, and that must meet no other test."""
    with copied("embed", django_db_blocker):
        yield


@pytest.fixture(scope="module")
def chromium(database: None) -> Iterator[Browser]:
    """Debian's Chromium."""
    with chromium_running() as started:
        yield started


@pytest.fixture(scope="module")
def home(chromium: Browser) -> Iterator[str]:
    """Where a server answers for nordwind; the tests stand in nordwind."""
    # Only now: beside a running loop Django has a connection of its own, which must be the tests'.
    from django.db import connections
    from django_tenants.utils import tenant_context

    from apps.tenants.models import Tenant

    with served() as port, tenant_context(Tenant.objects.get(schema_name="nordwind")):
        yield f"http://{HOST}:{port}"
        connections.close_all()


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """Somebody else's website."""
    running = Shop()
    yield running
    running.stop()


@pytest.fixture
def popover(home: str, shop: Shop) -> Iterator[Placement]:
    """Committed for the server, taken away again after the test."""
    from django.core.cache import cache

    cache.clear()
    yield set_up(origin=shop.origin)
    for model in (Response, Invitation, Outreach, Contact, Placement, Website, EmbedSecret, TriggerRule):
        model.objects.all().delete()
    ContactBudget.objects.all().delete()


@pytest.fixture
def opened(home: str, chromium: Browser, popover: Placement) -> Iterator[Open]:
    """Opens a page in a fresh browser profile: ``opened(url, size)``; the same profile with ``context``.

    ``script`` runs before the page's own.
    """
    contexts: list[BrowserContext] = []

    def open_page(
        url: str, size: Any = DESKTOP, context: BrowserContext | None = None, script: str = "", **options: Any
    ) -> Browsing:
        if context is None:
            context = chromium.new_context(viewport=size, locale="en-GB", **options)
            contexts.append(context)
        tab = Browsing(context, home)
        if script:
            tab.page.add_init_script(script)
        tab.page.goto(url)
        return tab

    yield open_page
    for context in contexts:
        context.close()
