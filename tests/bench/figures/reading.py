"""Seconds that figures take: ``python -m tests.bench.figures.reading BIG SMALL TENANTS REQUESTS`` prints JSON.

One tenant with BIG responses, one with SMALL, and TENANTS further ones with 1,000 each, all in one database. The
dashboard is asked for as a browser asks, signed in, with its default filters; what its statements took is noted.
"""

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django
from django.db import connection
from django.utils import timezone

_COUNTED = """
    SELECT date_trunc('month', answered_at), touchpoint_id, score, COUNT(*) FROM responses_response
    WHERE NOT is_suspected AND score IS NOT NULL GROUP BY 1, 2, 3
"""
_BY_HAND = """
    SELECT score, COUNT(*) FROM responses_response
    WHERE answered_at >= %s AND answered_at < %s AND NOT is_suspected AND score IS NOT NULL
    AND properties ->> 'store' = 'Shop 7' GROUP BY score
"""
_BY_STORE = """
    SELECT properties ->> 'store', score, COUNT(*) FROM responses_response
    WHERE answered_at >= %s AND answered_at < %s AND NOT is_suspected AND score IS NOT NULL GROUP BY 1, 2
"""
COUNTS, FILTERS = 5, 15


def main(big: int, small: int, tenants: int, requests: int) -> None:
    """Fill, warm up, measure."""
    django.setup()
    from tests.bench.engine import world

    for name, count in {"big": big, "small": small, **{f"other_{n}": 1000 for n in range(tenants)}}.items():
        make(name, count)
    pages = {"big": dashboard("big", requests), "small": dashboard("small", requests)}
    found: dict[str, Any] = {
        "counted": inside("big", lambda: times(lambda: query(_COUNTED, []), COUNTS)),
        "ready": [page["ready"] for page in pages["big"]],
        "ready_small": [page["ready"] for page in pages["small"]],
        "whole": [page["whole"] for page in pages["big"]],
        "sql": [page["sql"] for page in pages["big"]],
        "queries": pages["big"][-1]["queries"],
        "property": inside("big", properties),
    }
    world.show(**found)


def make(name: str, count: int) -> None:
    """A tenant with so many responses, and somebody who may sign in."""
    from apps.accounts.models import User
    from tests.bench.engine import world
    from tests.bench.figures.world import fill

    with world.tenant(name):
        User.objects.create_user("cx", password="not-used-here")
        fill(count)


def inside(name: str, work: Callable[[], Any]) -> Any:
    """Do something in a tenant."""
    from django_tenants.utils import schema_context

    with schema_context(name):
        return work()


def times(work: Callable[[], Any], count: int) -> list[float]:
    """Seconds of each of so many turns, after one that warms up."""
    work()
    found = []
    for _ in range(count):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return found


def query(statement: str, params: list[Any]) -> None:
    """Read all that it gives."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        cursor.fetchall()


class Notes:
    """What the statements of a request took: all of them, and those that read figures kept ready."""

    def __init__(self) -> None:
        self.all = self.ready = 0.0
        self.queries = 0
        self.slowest = (0.0, "")

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            took = time.perf_counter() - started
            self.all += took
            self.queries += 1
            self.slowest = max(self.slowest, (took, str(sql)))
            self.ready += took if "insights_rollup" in str(sql) else 0.0


def dashboard(name: str, requests: int) -> list[dict[str, float]]:
    """The default page again and again: seconds of the whole request, of its SQL, of what reads the figures."""
    from django.test import Client

    from apps.accounts.models import User

    client = Client(headers={"host": f"{name}.bench.test"})
    inside(name, lambda: client.force_login(User.objects.get()))
    found = []
    for number in range(requests + 10):
        notes = Notes()
        started = time.perf_counter()
        with connection.execute_wrapper(notes):
            answer = client.get("/", secure=True)
        whole = time.perf_counter() - started
        if answer.status_code != 200:
            raise SystemExit(f"The dashboard of {name} answers {answer.status_code}.")
        if number >= 10:
            found.append({"whole": whole, "sql": notes.all, "ready": notes.ready, "queries": notes.queries})
    seconds, statement = notes.slowest
    print(f"  {name}: {1000 * seconds:.1f} ms for {' '.join(statement.split())[:300]}", file=sys.stderr, flush=True)
    return found


def properties() -> dict[str, list[float]]:
    """A filter by any property, and a cut by one, against the statement one would write by hand."""
    from apps.insights import figures
    from apps.insights.slices import Period, Property, Slice

    now = timezone.now()
    period = Period.last(90, today=now.date())
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    bounds = [start - timedelta(days=89), start + timedelta(days=1)]
    wanted = Slice(trait=Property("store", "Shop 7"))
    return {
        "filter": times(lambda: figures.score(wanted=wanted, period=period, now=now), FILTERS),
        "filter_by_hand": times(lambda: query(_BY_HAND, bounds), FILTERS),
        "cut": times(
            lambda: figures.by(wanted=Slice(), periods=[period], dimension="property:store", now=now), FILTERS
        ),
        "cut_by_hand": times(lambda: query(_BY_STORE, bounds), FILTERS),
    }


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
