"""The product's settings, with one more mail template."""

from pathlib import Path

from config.settings import *  # noqa: F403
from config.settings import TEMPLATES

TEMPLATES[0]["DIRS"] = [*TEMPLATES[0]["DIRS"], Path(__file__).parent / "templates"]
