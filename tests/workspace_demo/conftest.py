"""A small demo: told without a database, and loaded into one."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from apps.contacts.budget import Policy
from apps.workspace.demo.blueprint import Brand, Window
from apps.workspace.demo.history import History
from apps.workspace.demo.klarwerk import KLARWERK
from apps.workspace.demo.nordwind import NORDWIND
from apps.workspace.demo.records import CampaignIds, Records, SurveyIds, Wiring

TODAY = date(2026, 11, 15)
END = datetime(2026, 11, 15, tzinfo=UTC)
WINDOW = Window(start=END - timedelta(days=365), end=END)
BRANDS = (NORDWIND, KLARWERK)


def wiring(brand: Brand) -> Wiring:
    """Made-up primary keys: questions are told apart by survey and driver."""
    points = [point.key for point in brand.points]
    surveys = {}
    for number, survey in enumerate(brand.all_surveys, start=1):
        questions = {driver.key: number * 100 + place for place, driver in enumerate(survey.drivers)}
        surveys[survey.key] = SurveyIds(
            number,
            number if survey.touchpoint else None,
            questions,
            reasons=number * 100 + 50 if survey.reasons else None,
            satisfaction=number * 100 + 51 if survey.satisfaction else None,
            cadence=None if survey.touchpoint else 1,
        )
    return Wiring(
        touchpoints={key: number for number, key in enumerate(points, start=1)},
        surveys=surveys,
        campaigns={
            campaign.segment: CampaignIds(number, number * 10, number * 10 + 1 if campaign.opens_case else None)
            for number, campaign in enumerate(brand.campaigns, start=1)
        },
        companies=((1, "one.example"), (2, "two.example")) if brand.has_companies else (),
        owners=(1, 2),
        from_header=f"{brand.name} <hallo@{brand.domain}>",
    )


def tell(brand: Brand, seed: str = "seed", scale: float = 0.15) -> Records:
    history = History(
        brand=brand, wiring=wiring(brand), window=WINDOW, policy=Policy(timedelta(days=14)), rng=Random(seed)
    )
    return history.tell(scale)


@cache
def told(brand_slug: str) -> Records:
    """One telling per brand for all tests that only read it."""
    return tell(next(brand for brand in BRANDS if brand.slug == brand_slug))


@pytest.fixture
def load_demo(db: None, settings: Any, tmp_path: Path) -> Callable[..., Path]:
    """Runs the command at a twentieth of its size; returns where the JSON is."""
    from django.core.management import call_command

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    path = tmp_path / "folder" / "demo.json"

    def run(**options: Any) -> Path:
        with open(tmp_path / "out", "w") as out:
            call_command("load_demo", json=path, today=TODAY, stdout=out, **{"scale": 0.05, **options})
        return path

    return run
