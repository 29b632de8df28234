"""What is measured, against what, and the bar each ratio has to keep to."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from tests.bench import bulk, raw
from tests.bench.figures import rows as figures
from tests.bench.load import PLACE, Orders
from tests.bench.mailing import rows as mailing
from tests.bench.measure import Pace, Row, Side, Turn, alternate, row, turn
from tests.bench.pages import rows as pages
from tests.bench.stack import PUBLIC_HOST, TENANT_HOST, Stack, WebServer

OURS = "config.settings"
STOCK = "tests.bench.stock.settings"
SINGLE = "tests.bench.single.settings"
WARM_UP_SECONDS = 4.0
FULL_PAIRS = 7
"""From so many pairs on, rows are measured at full size."""


def event(place: str) -> dict[str, Any]:
    """An event of ordinary size; its external id is a new one in every request."""
    return {
        "touchpoint": "order_received",
        "occurred_at": "2026-01-15T10:30:00Z",
        "source": "api",
        "external_id": f"order-{place}",
        "contact": {
            "external_id": f"customer-{place}",
            "email": f"customer-{place}@example.com",
            "name": "Käthe Müller",
            "locale": "de-DE",
            "properties": {"plan": "plus", "orders": 17},
        },
        "properties": {"order_value": 129.9, "currency": "EUR", "carrier": "DHL", "items": 3},
    }


def body() -> str:
    """One event."""
    return json.dumps(event(PLACE), ensure_ascii=False)


def many() -> str:
    """As many events as one bulk request of ours brings in the comparison."""
    return json.dumps([event(f"{PLACE}-{number}") for number in range(bulk.BATCH)], ensure_ascii=False)


@dataclass
class Bench:
    """Databases and servers, made when a row first asks for them."""

    stack: Stack
    pace: Pace
    migrated: set[str] = field(default_factory=set)

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

    def migrate(self, database: str) -> None:
        """A database with the public schema only, made once."""
        if database not in self.migrated:
            self.stack.create_database(database)
            migrate = ("migrate_schemas", "--shared", "--verbosity=0", "--skip-checks")
            self.stack.python("django", *migrate, database=database, settings=OURS)
            self.migrated.add(database)

    def engine(self, module: str, *sizes: int, database: str = "engine") -> dict[str, Any]:
        """What a module of ``tests.bench.engine`` measured, in a process of its own on a migrated database."""
        self.migrate(database)
        printed = self.stack.python(
            f"tests.bench.engine.{module}", *map(str, sizes), database=database, settings=OURS, seconds=1800
        )
        return dict(json.loads(printed.splitlines()[-1]))

    def post(self, name: str, server: WebServer, host: str, key: str, status: int = 202) -> Side:
        """Events, each a new one."""
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"order-{PLACE}"}
        orders = Orders(server.port, host, "/api/v1/events", status, "POST", headers, body(), self.pace.seconds)
        return Side(name, server, orders)

    def post_many(self, name: str, server: WebServer, status: int = 202) -> Side:
        """500 new events with each request."""
        headers = {"Authorization": f"Bearer {self.tenants['key']}", "Idempotency-Key": f"orders-{PLACE}"}
        path = "/api/v1/events/bulk"
        orders = Orders(server.port, TENANT_HOST, path, status, "POST", headers, many(), self.pace.seconds, 4)
        return Side(name, server, orders)

    def get(self, name: str, server: WebServer, host: str, given: dict[str, str]) -> Side:
        """The same event again and again."""
        headers = {"Authorization": f"Bearer {given['key']}"}
        path = f"/api/v1/events/{given['event']}"
        return Side(name, server, Orders(server.port, host, path, 200, "GET", headers, "", self.pace.seconds))

    def turn(self, side: Side) -> Turn:
        """One turn of load."""
        return turn(self.stack, side)

    def in_turn(self, value: Callable[[Turn], float], one: Side, other: Side) -> tuple[list[float], list[float]]:
        """A figure of both sides, measured in turn once both are warm."""
        for side in (one, other):  # Open the connections, fill the caches, prepare the statements.
            turn(self.stack, side._replace(orders=replace(side.orders, seconds=WARM_UP_SECONDS)))
        return alternate(lambda: value(turn(self.stack, one)), lambda: value(turn(self.stack, other)), self.pace.pairs)


def rate(result: Turn) -> float:
    """Requests per second."""
    return result.rate


def cost(result: Turn) -> float:
    """CPU milliseconds per request, of web server and PostgreSQL together."""
    return result.cpu_ms


def intake_vs_stock(bench: Bench) -> list[Row]:
    """Durable events per second against Django REST framework behind django-tenants, both as they come."""
    key = bench.tenants["key"]
    ours = bench.post("ours", bench.our_server, TENANT_HOST, key)
    stock = bench.post("stock", bench.stock_server, TENANT_HOST, key, status=201)
    return [row("intake vs stock", "req/s", bench.in_turn(rate, ours, stock), bar=4.0)]


def intake_vs_raw(bench: Bench) -> list[Row]:
    """Durable events per second against a WSGI function with one prepared INSERT."""
    ours = bench.post("ours", bench.our_server, TENANT_HOST, bench.tenants["key"])
    plain = bench.post("raw", bench.raw_server, PUBLIC_HOST, "none")
    return [row("intake vs raw", "req/s", bench.in_turn(rate, ours, plain), bar=0.35)]


def bulk_intake(bench: Bench) -> list[Row]:
    """Events per second, 500 with each request, against COPY over one connection and against a ListSerializer."""
    ours = bench.post_many("ours", bench.our_server)
    stock = bench.post_many("stock", bench.stock_server, status=201)

    def copied() -> float:
        seconds = str(bench.pace.seconds)
        return float(bench.stack.python("tests.bench.bulk", seconds, database="tenants", settings=OURS)) / bulk.BATCH

    turn(bench.stack, ours._replace(orders=replace(ours.orders, seconds=WARM_UP_SECONDS)))
    against_copy = alternate(lambda: rate(turn(bench.stack, ours)), copied, bench.pace.pairs)
    return [
        row("bulk vs COPY", "x 500 events/s", against_copy, bar=0.45),
        row("bulk vs ListSerializer", "x 500 events/s", bench.in_turn(rate, ours, stock), bar=3.0),
    ]


def tenant_cpu(bench: Bench) -> list[Row]:
    """CPU per request with tenants against without: of the intake, and of an answer read through the ORM."""
    mine, alone = bench.tenants, bench.single
    writes = bench.in_turn(
        cost,
        bench.post("ours", bench.our_server, TENANT_HOST, mine["key"]),
        bench.post("single", bench.single_server, PUBLIC_HOST, alone["key"]),
    )
    reads = bench.in_turn(
        cost,
        bench.get("ours", bench.our_server, TENANT_HOST, mine),
        bench.get("single", bench.single_server, PUBLIC_HOST, alone),
    )
    return [
        row("tenant CPU: POST event", "ms/req", writes, bar=1.25, at_most=True),
        row("tenant CPU: GET event", "ms/req", reads, bar=1.25, at_most=True),
    ]


def new_tenant(bench: Bench) -> list[Row]:
    """Seconds for a new tenant against creating a schema and migrating it."""
    assert bench.tenants
    printed = bench.stack.python("tests.bench.new_tenant", str(bench.pace.pairs), database="tenants", settings=OURS)
    results = json.loads(printed)
    return [row("new tenant", "s", (results["ours"], results["theirs"]), bar=0.2, at_most=True)]


def deciding(bench: Bench) -> list[Row]:
    """Events decided per second (50 rules, 100,000 contacts, one worker) against INSERTs of the same rows."""
    found = bench.engine("deciding", bench.pace.pairs)
    return [row("deciding vs INSERT of its rows", "events/s", (found["ours"], found["theirs"]), bar=0.25)]


def claims(bench: Bench) -> list[Row]:
    """Claims of due events per second against the bare statement, and beside two million finished rows."""
    found = bench.engine("claims", bench.pace.pairs)
    return [
        row("claim vs bare SKIP LOCKED", "claims/s", (found["ours"], found["theirs"]), bar=0.7),
        row("claim beside 2,000,000 finished", "ms", (found["many"], found["few"]), bar=1.25, at_most=True),
    ]


def ticks(bench: Bench) -> list[Row]:
    """One tick with 10 tenants that have work among 10,000, against those 10 alone."""
    many, few = alternate(
        lambda: bench.engine("ticks", 10_000, database="tick_many")["seconds"] * 1000,
        lambda: bench.engine("ticks", 10, database="tick_few")["seconds"] * 1000,
        min(bench.pace.pairs, 3),
    )
    return [row("tick: 10 of 10,000 tenants", "ms", (many, few), bar=2.0, at_most=True)]


def dry_run(bench: Bench) -> list[Row]:
    """A draft rule tried on a million events, against a minute."""
    found = bench.engine("trial", 1_000_000)
    print(f"  {found['megabytes']:.0f} MB at most; {found['reasons']}", file=sys.stderr, flush=True)
    return [row("dry run of 1,000,000 events", "s", ([found["seconds"]], [60.0]), bar=1.0, at_most=True)]


def imports(bench: Bench) -> list[Row]:
    """New contacts per second, from the upload of a CSV file on, against a plain COPY of the same rows."""
    count = 1_000_000 if bench.pace.pairs >= FULL_PAIRS else 200_000
    found = bench.engine("imports", count, min(bench.pace.pairs, 3), database="imports")
    print(f"  {count:,} contacts; the worker had {found['megabytes']:.0f} MB at most", file=sys.stderr, flush=True)
    return [row("import of contacts vs COPY", "contacts/s", (found["ours"], found["theirs"]), bar=0.3)]


ROWS: dict[str, Callable[[Bench], list[Row]]] = {
    "intake vs stock": intake_vs_stock,
    "intake vs raw": intake_vs_raw,
    "bulk": bulk_intake,
    "tenant CPU": tenant_cpu,
    "new tenant": new_tenant,
    "deciding": deciding,
    "claims": claims,
    "tick": ticks,
    "dry run": dry_run,
    "imports": imports,
    "page": pages.page,
    "submit": pages.submit,
    "figures: reading": figures.reading,
    "figures: writing": figures.writing,
    "sending": mailing.sending,
}
