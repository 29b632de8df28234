"""Figures kept ready against counting, and what keeping them ready costs whoever answers."""

import json
import sys
from typing import TYPE_CHECKING

from tests.bench.load import PLACE, Orders
from tests.bench.measure import Row, Side, row
from tests.bench.pages import rows as pages
from tests.bench.pages.prepare import PREFIX
from tests.bench.stack import TENANT_HOST, WebServer

if TYPE_CHECKING:
    from tests.bench.rows import Bench

SETTINGS = "tests.bench.figures.settings"
UNCOUNTED = "tests.bench.figures.uncounted"
FULL, QUICK = (10_000_000, 1_000_000, 200, 200), (1_000_000, 100_000, 20, 50)
SPREAD = 20


def reading(bench: "Bench") -> list[Row]:
    """The dashboard over ten million responses, p95, against counting them, against one million, against its SQL."""
    sizes = FULL if bench.pace.pairs >= 7 else QUICK
    bench.migrate("figures")
    printed = bench.stack.python(
        "tests.bench.figures.reading", *map(str, sizes), database="figures", settings=SETTINGS, seconds=3600
    )
    found = json.loads(printed.splitlines()[-1])
    print(
        f"  {sizes[0]:,} and {sizes[1]:,} responses; {found['queries']} statements a page", file=sys.stderr, flush=True
    )
    told = found["property"]

    def ms(seconds: list[float]) -> list[float]:
        return [1000 * p95(seconds)]

    return [
        row("dashboard's figures vs GROUP BY", "ms p95", (ms(found["ready"]), ms(found["counted"])), bar=0.01,
            at_most=True),
        row("… at ten times as many responses", "ms p95", (ms(found["ready"]), ms(found["ready_small"])), bar=1.3,
            at_most=True),
        row("dashboard vs its SQL", "ms p95", (ms(found["whole"]), ms(found["sql"])), bar=3.0, at_most=True),
        row("property filter vs SQL by hand", "ms p95", (ms(told["filter"]), ms(told["filter_by_hand"])), bar=2.0,
            at_most=True),
        row("cut by property vs SQL by hand", "ms p95", (ms(told["cut"]), ms(told["cut_by_hand"])), bar=2.0,
            at_most=True),
    ]  # fmt: skip


def p95(seconds: list[float]) -> float:
    """The value that 95 % do not exceed."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


def writing(bench: "Bench") -> list[Row]:
    """Answers stored per second with figures and without, and all on one touchpoint against spread over twenty."""
    turns = 2 * bench.pace.pairs + 2  # as many as are asked for below: the next links are made with the next seed
    counted, plain = (
        pages.server(bench),
        bench.stack.serve("config.wsgi:application", database="tenants", settings=UNCOUNTED),
    )
    body = pages.prepare(bench, turns)["body"]
    with_figures = bench.in_turn(
        lambda turn: turn.rate, _side(bench, "counted", counted, body), _side(bench, "plain", plain, body)
    )
    one, many = [], []
    sides = _side(bench, "one", counted, body)
    for _pair in range(bench.pace.pairs):
        pages.prepare(bench, 1)
        one.append(bench.turn(sides).rate)
        pages.prepare(bench, 1, places=SPREAD)
        many.append(bench.turn(sides).rate)
    return [
        row("submit with figures vs without", "req/s", with_figures, bar=0.75),
        row("submit: one touchpoint vs twenty", "req/s", (one, many), bar=0.7),
    ]


def _side(bench: "Bench", name: str, server: WebServer, body: str) -> Side:
    headers = {"User-Agent": pages.AGENT, "Content-Type": "application/x-www-form-urlencoded"}
    orders = Orders(server.port, TENANT_HOST, f"/s/{PREFIX}{PLACE}", 303, "POST", headers, body, bench.pace.seconds)
    return Side(name, server, orders)
