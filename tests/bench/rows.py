"""What is measured, against what, and the bar each ratio has to keep to."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from tests.bench import raw
from tests.bench.load import PLACE, Orders
from tests.bench.measure import Pace, Row, alternate, row, turn
from tests.bench.stack import PUBLIC_HOST, TENANT_HOST, Stack, WebServer

OURS = "config.settings"
STOCK = "tests.bench.stock.settings"
SINGLE = "tests.bench.single.settings"
WARM_UP_SECONDS = 4.0


def body(**changes: object) -> str:
    """An event of ordinary size; its external id is a new one in every request."""
    event = {
        "touchpoint": "order_received",
        "occurred_at": "2026-01-15T10:30:00Z",
        "source": "api",
        "external_id": f"order-{PLACE}",
        "contact": {
            "external_id": f"customer-{PLACE}",
            "email": f"customer-{PLACE}@example.com",
            "name": "Käthe Müller",
            "locale": "de-DE",
            "properties": {"plan": "plus", "orders": 17},
        },
        "properties": {"order_value": 129.9, "currency": "EUR", "carrier": "DHL", "items": 3},
    }
    return json.dumps({**event, **changes}, ensure_ascii=False)


@dataclass
class Bench:
    """Databases and servers, made when a row first asks for them."""

    stack: Stack
    pace: Pace
    warm: set[int] = field(default_factory=set)

    @cached_property
    def tenants(self) -> dict[str, str]:
        """The database with tenants: key and event."""
        self.stack.create_database("tenants")
        return dict(json.loads(self.stack.python("tests.bench.prepare", "tenants", database="tenants", settings=OURS)))

    @cached_property
    def single(self) -> dict[str, str]:
        """The database without: key and event."""
        self.stack.create_database("single")
        return dict(json.loads(self.stack.python("tests.bench.prepare", "single", database="single", settings=SINGLE)))

    @cached_property
    def our_server(self) -> WebServer:
        """The product."""
        assert self.tenants
        return self.stack.serve("config.wsgi:application", database="tenants", settings=OURS)

    @cached_property
    def stock_server(self) -> WebServer:
        """Stock libraries on the product's database."""
        assert self.tenants
        return self.stack.serve("config.wsgi:application", database="tenants", settings=STOCK)

    @cached_property
    def raw_server(self) -> WebServer:
        """One INSERT and nothing else."""
        self.stack.create_database("raw")
        with self.stack.admin("raw") as admin:
            admin.execute(raw.TABLE)
        return self.stack.serve("tests.bench.raw:application", database="raw", settings=OURS)

    @cached_property
    def single_server(self) -> WebServer:
        """The product without tenants."""
        assert self.single
        return self.stack.serve("config.wsgi:application", database="single", settings=SINGLE)

    def post(self, server: WebServer, key: str, host: str, status: int = 202) -> Orders:
        """Events, each a new one."""
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"order-{PLACE}"}
        return Orders(
            server.port, host, "/api/v1/events", status, "POST", headers, body(), self.pace.seconds
        )

    def get(self, server: WebServer, key: str, host: str, event: str) -> Orders:
        """The same event again and again."""
        headers = {"Authorization": f"Bearer {key}"}
        return Orders(server.port, host, f"/api/v1/events/{event}", 200, "GET", headers, "", self.pace.seconds)

    def rates(self, one: tuple[WebServer, Orders], other: tuple[WebServer, Orders]) -> tuple[list[float], list[float]]:
        """Requests per second of both, in turn."""
        self.warm_up(one, other)
        return alternate(
            lambda: turn(self.stack, *one).rate, lambda: turn(self.stack, *other).rate, self.pace.pairs
        )

    def costs(self, one: tuple[WebServer, Orders], other: tuple[WebServer, Orders]) -> tuple[list[float], list[float]]:
        """CPU milliseconds per request of both, web server and PostgreSQL, in turn."""
        self.warm_up(one, other)
        return alternate(
            lambda: turn(self.stack, *one).cpu_ms, lambda: turn(self.stack, *other).cpu_ms, self.pace.pairs
        )

    def warm_up(self, *sides: tuple[WebServer, Orders]) -> None:
        """Open the connections, fill the caches, prepare the statements."""
        for server, orders in sides:
            turn(self.stack, server, Orders(**{**vars(orders), "seconds": WARM_UP_SECONDS}))


def intake_vs_stock(bench: Bench) -> list[Row]:
    """Durable events per second against Django REST framework behind django-tenants, both as they come."""
    key = bench.tenants["key"]
    ours, stock = bench.our_server, bench.stock_server
    results = bench.rates(
        (ours, bench.post(ours, key, TENANT_HOST)), (stock, bench.post(stock, key, TENANT_HOST, 201))
    )
    return [row("intake vs stock", "req/s", *results, bar=4.0, note="ModelSerializer, TenantMainMiddleware")]


def intake_vs_raw(bench: Bench) -> list[Row]:
    """Durable events per second against a WSGI function with one prepared INSERT."""
    key = bench.tenants["key"]
    ours, plain = bench.our_server, bench.raw_server
    results = bench.rates((ours, bench.post(ours, key, TENANT_HOST)), (plain, bench.post(plain, "none", PUBLIC_HOST)))
    return [row("intake vs raw", "req/s", *results, bar=0.35, note="plain WSGI, one prepared INSERT")]


def tenant_cpu(bench: Bench) -> list[Row]:
    """CPU per request with tenants against without: of the intake, and of a page that reads through the ORM."""
    ours, single = bench.our_server, bench.single_server
    mine, alone = bench.tenants, bench.single
    note = "web server and PostgreSQL"
    writes = bench.costs(
        (ours, bench.post(ours, mine["key"], TENANT_HOST)), (single, bench.post(single, alone["key"], PUBLIC_HOST))
    )
    reads = bench.costs(
        (ours, bench.get(ours, mine["key"], TENANT_HOST, mine["event"])),
        (single, bench.get(single, alone["key"], PUBLIC_HOST, alone["event"])),
    )
    return [
        row("tenant CPU: POST event", "ms/req", *writes, bar=1.25, at_most=True, note=note),
        row("tenant CPU: GET event", "ms/req", *reads, bar=1.25, at_most=True, note=note),
    ]


def new_tenant(bench: Bench) -> list[Row]:
    """Seconds for a new tenant against creating a schema and migrating it."""
    assert bench.tenants
    printed = bench.stack.python("tests.bench.new_tenant", str(bench.pace.pairs), database="tenants", settings=OURS)
    results = json.loads(printed)
    return [row("new tenant", "s", results["ours"], results["theirs"], bar=0.2, at_most=True, note="migrate_schemas")]


ROWS: dict[str, Callable[[Bench], list[Row]]] = {
    "intake vs stock": intake_vs_stock,
    "intake vs raw": intake_vs_raw,
    "tenant CPU": tenant_cpu,
    "new tenant": new_tenant,
}
