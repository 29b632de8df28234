"""The product's settings; only its addresses are more."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.pages.urls"
