"""COPY of the rows that a bulk request brings: ``python -m tests.bench.bulk SECONDS`` prints rows per second.

The same 500 rows as ``rows.many`` sends, made anew before the clock runs, into the same table with the same indexes,
over one connection, one transaction per 500.
"""

import json
import sys
import time
from datetime import UTC, datetime

import django
from django.db import connection

from tests.bench.stack import TENANT

BATCH = 500
COLUMNS = (
    "id, touchpoint_id, source, external_id, occurred_at, received_at, "
    "contact_data, properties, status, attempts, error"
)
COPY = f"COPY touchpoints_event ({COLUMNS}) FROM STDIN"


def main(seconds: float) -> None:
    """COPY until the time is up; only the time within the statements and commits counts."""
    django.setup()
    from django_tenants.utils import schema_context

    from apps.common.ids import uuid7
    from apps.touchpoints.models import Touchpoint
    from tests.bench.rows import event

    with schema_context(TENANT):
        touchpoint = Touchpoint.objects.get(key="order_received").pk
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        wire = connection.connection
        spent, count, start = 0.0, 0, time.time_ns()
        while spent < seconds:
            rows = []
            for place in range(BATCH):
                sent = event(f"copy-{start}-{count + place}")
                person, properties = json.dumps(sent["contact"]), json.dumps(sent["properties"])
                at, now = datetime(2026, 1, 15, 10, 30, tzinfo=UTC), datetime.now(UTC)
                rows.append(
                    (uuid7(), touchpoint, "api", sent["external_id"], at, now, person, properties, "pending", 0, "")
                )
            began = time.perf_counter()
            with wire.transaction(), wire.cursor() as cursor, cursor.copy(COPY) as copy:
                for row in rows:
                    copy.write_row(row)
            spent += time.perf_counter() - began
            count += BATCH
    print(json.dumps(count / spent))


if __name__ == "__main__":
    main(float(sys.argv[1]))
