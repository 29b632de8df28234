"""A worker that only follows up, without Celery: ``python -m tests.processes.follower SCHEMA LIMIT``.

Its child enrols responses and runs steps in small batches; when the child dies another one takes its place at once,
while Celery takes seconds.
"""

import os
import sys
import time

import django

IDLE_SECONDS = 0.02


def main(schema: str, limit: int) -> None:
    """Replace the child until this process is killed."""
    django.setup()
    from apps.campaigns import services  # noqa: F401  imported once, before the children

    print("ready", flush=True)
    while True:
        child = os.fork()
        if child == 0:
            try:
                follow_up(schema, limit)
            finally:
                os._exit(1)
        os.waitpid(child, 0)


def follow_up(schema: str, limit: int) -> None:
    """Batch by batch, for ever."""
    from django.utils import timezone
    from django_tenants.utils import schema_context

    from apps.campaigns import services

    with schema_context(schema):
        while True:
            done = services.enrol(now=timezone.now(), limit=limit)
            done += services.run_steps(now=timezone.now(), base_url="http://fleet.resonanz.test", limit=limit)
            if not done:
                time.sleep(IDLE_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
