"""The product's settings; static files are named as they lie there, for none were collected."""

from config.settings import *  # noqa: F403
from config.settings import STORAGES as PRODUCTS

STORAGES = {**PRODUCTS, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
