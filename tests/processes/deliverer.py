"""A worker that only sends, without Celery: ``python -m tests.processes.deliverer SCHEMA``.

Its child sends what is due; when the child dies another one takes its place at once, while Celery takes seconds.
"""

import os
import sys
import time

import django

IDLE_SECONDS = 0.02


def main(schema: str) -> None:
    """Replace the child until this process is killed."""
    django.setup()
    from apps.messaging import sending  # noqa: F401  imported once, before the children

    print("ready", flush=True)
    while True:
        child = os.fork()
        if child == 0:
            try:
                send(schema)
            finally:
                os._exit(1)
        os.waitpid(child, 0)


def send(schema: str) -> None:
    """Batch by batch, for ever."""
    from django.utils import timezone
    from django_tenants.utils import schema_context

    from apps.messaging.sending import send_batch

    with schema_context(schema):
        while True:
            if not send_batch(now=timezone.now(), clock=timezone.now):
                time.sleep(IDLE_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1])
