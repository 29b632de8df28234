"""Project configuration. Importing it loads the Celery application, so that tasks register."""

from config.celery import app as celery_app

__all__ = ("celery_app",)
