"""The product's settings; answers are stored without telling the figures."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.figures.uncounted_urls"
