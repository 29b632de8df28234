"""Seconds to claim a batch of due events: against the bare statement, and with two million finished rows beside them.

``python -m tests.bench.engine.claims PAIRS`` prints JSON.
"""

import sys
import time
from collections.abc import Callable

import django
from django.db import connection, transaction

PENDING, FINISHED, BATCH, REPEATS = 20_000, 2_000_000, 1000, 15
BARE = """
    SELECT id, touchpoint_id, source, occurred_at, contact_data, properties FROM touchpoints_event
    WHERE status = 'pending' ORDER BY received_at LIMIT 1000 FOR UPDATE SKIP LOCKED
"""


class Undone(Exception):
    """Gives a claim back."""


def main(pairs: int) -> None:
    """One tenant with the pending events only, one with the finished ones as well."""
    django.setup()
    from django_tenants.utils import schema_context

    from tests.bench.engine import world
    from tests.bench.measure import alternate

    for name in ("few", "many"):
        with world.tenant(name):
            touchpoints = world.furnish()
            if name == "many":
                world.events(touchpoints, count=FINISHED, tag="done", status="decided", days=365)
            world.events(touchpoints, count=PENDING, tag="due", status="pending", days=1)
            world.settle()

    def ours(name: str) -> float:
        with schema_context(name):
            return claim_rate(claim)

    def bare(name: str) -> float:
        with schema_context(name):
            return claim_rate(plain)

    for name in ("few", "many"):
        ours(name)
    against_bare = alternate(lambda: ours("many"), lambda: bare("many"), pairs)
    many, few = alternate(lambda: 1000 / ours("many"), lambda: 1000 / ours("few"), pairs)
    world.show(ours=against_bare[0], theirs=against_bare[1], many=many, few=few)


def claim_rate(one: Callable[[], int]) -> float:
    """Claims per second; each is given back."""
    started = time.perf_counter()
    for _ in range(REPEATS):
        try:
            with transaction.atomic():
                assert one() == BATCH
                raise Undone
        except Undone:
            pass
    return REPEATS / (time.perf_counter() - started)


def claim() -> int:
    """As the engine does it."""
    from apps.touchpoints.claims import claim_pending

    return len(claim_pending(limit=BATCH))


def plain() -> int:
    """The statement and nothing else."""
    with connection.cursor() as cursor:
        cursor.execute(BARE)
        return len(cursor.fetchall())


if __name__ == "__main__":
    main(int(sys.argv[1]))
