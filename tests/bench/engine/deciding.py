"""Events decided per second by one worker, against a multi-row INSERT of the very rows that deciding wrote.

``python -m tests.bench.engine.deciding PAIRS`` prints JSON.
"""

import sys
import time

import django
import psycopg
from django.db import connection, transaction
from django.utils import timezone

EVENTS = 10_000
PER_STATEMENT = 500
TABLES = ("surveys_invitation", "contacts_outreach", "triggers_decision")


def main(pairs: int) -> None:
    """Decide a load, take its rows out again, and write them the plain way."""
    django.setup()
    from tests.bench.engine import world

    with world.tenant("deciding"):
        touchpoints = world.furnish()
        ours, theirs, written = [], [], 0
        for turn in range(-1, pairs):  # The first turn warms up.
            world.events(touchpoints, count=EVENTS, tag=f"turn{turn}", status="pending", days=1)
            world.settle()
            started = timezone.now()
            seconds = decide()
            rows = {table: rows_since(table, started) for table in TABLES}
            plain = insert(rows)
            if turn >= 0:
                written = sum(len(found) for _columns, found in rows.values())
                ours.append(EVENTS / seconds)
                theirs.append(EVENTS / plain)
        world.show(ours=ours, theirs=theirs, rows_per_event=written / EVENTS)


def decide() -> float:
    """Seconds until nothing is pending."""
    from apps.triggers.services import evaluate_events

    started = time.perf_counter()
    while evaluate_events(now=timezone.now()):
        pass
    return time.perf_counter() - started


def rows_since(table: str, since: object) -> tuple[list[str], list[tuple[object, ...]]]:
    """Columns and rows of this turn, taken out of the table."""
    recent = {
        "surveys_invitation": "created_at >= %s",
        "triggers_decision": "decided_at >= %s",
        "contacts_outreach": "reason IN (SELECT 'invitation:' || id FROM surveys_invitation WHERE created_at >= %s)",
    }
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE {recent[table]}", [since])
        columns = [column.name for column in cursor.description]
        return columns, [tuple(map(adapt, row)) for row in cursor.fetchall()]


def adapt(value: object) -> object:
    """JSON as text, as it will be written."""
    return psycopg.types.json.Json(value) if isinstance(value, dict | list) else value


def insert(rows: dict[str, tuple[list[str], list[tuple[object, ...]]]]) -> float:
    """Seconds for the same rows in multi-row INSERTs, committed batch by batch."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE triggers_decision SET invitation_id = NULL")
        for table in ("contacts_outreach", "triggers_decision", "surveys_invitation"):
            cursor.execute(f"DELETE FROM {table}")
    started = time.perf_counter()
    for table, (columns, found) in rows.items():
        names = ", ".join(columns)
        for place in range(0, len(found), PER_STATEMENT):
            part = found[place : place + PER_STATEMENT]
            one = f"({', '.join(['%s'] * len(columns))})"
            statement = f"INSERT INTO {table} ({names}) VALUES {', '.join([one] * len(part))}"
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, [value for row in part for value in row])
    return time.perf_counter() - started


if __name__ == "__main__":
    main(int(sys.argv[1]))
