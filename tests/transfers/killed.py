"""A worker that gets stuck in the middle of an import's fourth batch, for whoever wants to kill it.

``python -m tests.transfers.killed SCHEMA`` prints a line when it is stuck.
"""

import sys
import time
from typing import Any

import django


def main(schema: str) -> None:
    """Ten rows a batch; the fourth batch has stored its contacts, and never ends."""
    django.setup()
    from django.utils import timezone
    from django_tenants.utils import schema_context

    from apps.transfers import people, runs

    runs.BATCH = 10
    take, batches = people.take, 0

    def stuck(**kwargs: Any) -> Any:
        nonlocal batches
        found = take(**kwargs)
        batches += 1
        if batches == 4:
            print("stuck", flush=True)
            time.sleep(60)
        return found

    people.take = stuck
    with schema_context(schema):
        runs.run_next(now=timezone.now(), clock=timezone.now)


if __name__ == "__main__":
    main(sys.argv[1])
