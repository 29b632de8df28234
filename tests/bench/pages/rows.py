"""The respondent's side: a page against a greeting, an answer against the same rows written plainly."""

import json
from typing import TYPE_CHECKING

from tests.bench import measure
from tests.bench.load import PLACE, Orders
from tests.bench.measure import Row, Side, row
from tests.bench.pages.prepare import PREFIX
from tests.bench.stack import TENANT_HOST, WebServer

if TYPE_CHECKING:
    from tests.bench.rows import Bench

SETTINGS = "tests.bench.pages.settings"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
MOST_PER_SECOND = 2_500


def server(bench: "Bench") -> WebServer:
    """The product with the yardsticks beside it."""
    assert bench.tenants
    return bench.stack.serve("config.wsgi:application", database="tenants", settings=SETTINGS)


def prepare(bench: "Bench", turns: int, places: int = 1) -> dict[str, str]:
    """Links of so many touchpoints for the next turns; seeds are handed out one by one."""
    longest = max(bench.pace.seconds, 4.0)
    arguments = (str(measure.last_seed()), str(turns), str(int(longest * MOST_PER_SECOND)), str(places))
    printed = bench.stack.python("tests.bench.pages.prepare", *arguments, database="tenants", settings=SETTINGS)
    return dict(json.loads(printed.splitlines()[-1]))


def page(bench: "Bench") -> list[Row]:
    """Survey pages per second against the greeting of the same server."""
    web = server(bench)
    link = prepare(bench, 1)["link"]
    headers = {"User-Agent": AGENT, "Accept-Encoding": "gzip, deflate, br", "Accept-Language": "en"}

    def side(name: str, path: str) -> Side:
        return Side(name, web, Orders(web.port, TENANT_HOST, path, 200, "GET", headers, "", bench.pace.seconds))

    ours, plain = side("page", f"/s/{link}"), side("hello", "/hello")
    return [row("survey page vs hello", "req/s", bench.in_turn(lambda t: t.rate, ours, plain), bar=0.125)]


def submit(bench: "Bench") -> list[Row]:
    """Answers stored per second against a bare view that writes the same rows."""
    web = server(bench)
    body = prepare(bench, 2 * bench.pace.pairs + 2)["body"]
    headers = {"User-Agent": AGENT, "Content-Type": "application/x-www-form-urlencoded"}

    def side(name: str, path: str) -> Side:
        link = f"{path}{PREFIX}{PLACE}"
        orders = Orders(web.port, TENANT_HOST, link, 303, "POST", headers, body, bench.pace.seconds)
        return Side(name, web, orders)

    sides = side("ours", "/s/"), side("bare", "/bare/")
    return [row("submit vs bare view", "req/s", bench.in_turn(lambda t: t.rate, *sides), bar=0.5)]
