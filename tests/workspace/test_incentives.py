"""Answers that were promised something: marked, and looked at apart or alone."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from apps.responses.models import Response, ScoreChange
from apps.surveys import versions
from apps.surveys.models import Survey
from tests.workspace.conftest import story


@pytest.fixture
def mixed(setup: SimpleNamespace, now: datetime) -> list[Response]:
    """Five answers that were promised nothing, and six that were promised something."""
    Survey.objects.update(incentive={"en": "€5 voucher"})
    version = versions.publish(survey_id=setup.survey.pk, now=now)
    found = []
    for number in range(11):
        promised = number >= 5
        score = 10 if promised else 2
        row = story(setup, number, now - timedelta(days=1), score=score, comment=f"Promised {promised}")
        Response.objects.filter(pk=row.pk).update(is_incentivised=promised, version=version if promised else None)
        found.append(row)
    ScoreChange.objects.filter(score=10).update(is_incentivised=True)
    return found


def words(client: Client, address: str) -> str:
    html = client.get(address).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


@pytest.mark.parametrize(
    ("query", "number", "comments", "note"),
    [
        ("", 11, {"Promised True", "Promised False"}, True),  # The latest eight of both.
        ("?incentive=no", 5, {"Promised False"}, False),
        ("?incentive=yes&days=30", 6, {"Promised True"}, False),
        ("?incentive=nonsense", 11, {"Promised True", "Promised False"}, True),
    ],
)
def test_the_dashboard_shows_all_or_leaves_one_kind_out(
    client: Client, mixed: list[Response], query: str, number: int, comments: set[str], note: bool
) -> None:
    shown = words(client, f"/{query}")
    assert f"from {number} answers" in shown
    assert set(re.findall("Promised (?:True|False)", shown)) == comments
    assert ("6 of 11 were promised an incentive" in shown) == ("were promised" in shown) == note
    html = client.get(f"/{query}").content.decode()
    chosen = re.findall(r'<option value="(no|yes)" selected>', html)
    assert chosen == re.findall("incentive=(no|yes)\\b", query)
    if "days" in query:  # What is chosen stays when the other is changed.
        periods = re.findall(r'<a href="([^"]*)"(?: aria-current="true")?>12 months<', html)
        assert ["incentive=yes" in address for address in periods] == [True]


def test_a_tenant_that_never_promised_anything_is_not_asked_to_choose(
    client: Client, setup: SimpleNamespace, now: datetime
) -> None:
    story(setup, 1, now)
    assert "Without incentive" not in client.get("/").content.decode()
    assert "Without incentive" in client.get("/?incentive=yes").content.decode(), "the way back stays"


def test_the_list_and_the_page_mark_them_and_the_list_and_its_export_can_be_narrowed(
    client: Client, user: Any, mixed: list[Response]
) -> None:
    found = {value: client.get(f"/responses/?incentive={value}").content.decode() for value in ("", "no", "yes")}
    assert [html.count("</svg>incentive</span>") for html in found.values()] == [6, 0, 6]
    assert [len(re.findall("Promised (?:True|False)", html)) for html in found.values()] == [11, 5, 6]
    page = words(client, f"/responses/{mixed[-1].pk}/")
    assert "incentive" in page
    assert "Promised for answering €5 voucher" in page
    assert "Promised for answering" not in words(client, f"/responses/{mixed[0].pk}/")
    user.is_superuser = True
    user.save()
    lines = b"".join(client.get("/responses/export.csv?incentive=yes").streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 7
    assert "incentivised" in lines[0].split(",")


def test_the_filter_costs_no_query(client: Client, mixed: list[Response], queries_of: Callable[[str], int]) -> None:
    assert queries_of("/") >= queries_of("/?incentive=yes") == queries_of("/?incentive=no")
