"""The Celery application. Celery only wakes workers; PostgreSQL holds the work."""

import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, setup_logging
from django.conf import settings
from django.utils.log import configure_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("resonanz", task_cls="apps.tenants.tasks:TenantTask")


@app.on_configure.connect
def configure(sender: Celery, **_: Any) -> None:
    """Settings that follow from Django's, read when Celery is first used."""
    conf: dict[str, Any] = {
        "broker_url": settings.CELERY_BROKER_URL,
        "broker_connection_retry_on_startup": True,
        # Wake-ups are worthless when old: the rows are the queue, and the tick repeats them.
        "task_ignore_result": True,
        "task_acks_late": False,
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "task_serializer": "json",
        "accept_content": ["json"],
        "timezone": "UTC",
        "beat_scheduler": "django_celery_beat.schedulers:DatabaseScheduler",
        # Few and fixed; the scheduler copies them into its table, where the operator sees them.
        "beat_schedule": {
            "tick": {"task": "tenants.tick", "schedule": settings.TICK_SECONDS, "options": {"expires": 60}},
            "sweep": {"task": "tenants.sweep", "schedule": settings.SWEEP_SECONDS, "options": {"expires": 600}},
            "fetch": {"task": "cases.fetch", "schedule": 60, "options": {"expires": 60}},
            "purge": {"task": "relays.purge", "schedule": 86_400, "options": {"expires": 3600}},
            "forget": {"task": "messaging.forget_progress", "schedule": 86_400, "options": {"expires": 3600}},
        },
        "beat_max_loop_interval": max(1, settings.TICK_SECONDS),
        "broker_transport_options": {"socket_timeout": 5, "socket_connect_timeout": 2},
        "broker_connection_timeout": 2,
    }
    if settings.BROKER_FOLDER is not None:
        folder = settings.BROKER_FOLDER
        for name in ("messages", "control"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        conf["broker_transport"] = "config.file_broker:Transport"
        conf["broker_transport_options"] = {
            "data_folder_in": str(folder / "messages"),
            "data_folder_out": str(folder / "messages"),
            "control_folder": str(folder / "control"),
            "polling_interval": 0.25,
        }
    sender.conf.update(conf)


app.autodiscover_tasks()


@setup_logging.connect
def keep_django_logging(**_: Any) -> None:
    """Stops Celery from replacing the logging set up by Django."""


@celeryd_init.connect
def prepare(**_: Any) -> None:
    """A worker starts with Django's logging, like the web process."""
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
