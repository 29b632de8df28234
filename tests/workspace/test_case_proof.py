import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.cases.models import Case, Outcome, RootCause
from apps.common.shares import Part
from apps.workspace.proof_charts import interval, spark
from tests.cases import caring

FORMULA = '=HYPERLINK("https://example.com")'


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"{reverse('workspace:case_proof')}{query}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def detractor(now: datetime, *, next_score: int | None, contacted: bool, **fields: Any) -> Case:
    """Answered forty days ago, and again after twenty if there is a next score; with a case."""
    at = now - timedelta(days=40)
    first = caring.response(3, at=at, touchpoint=fields.pop("touchpoint", None))
    if next_score is not None:
        caring.response(next_score, contact=first.contact, at=at + timedelta(days=20))
    heard = at + timedelta(hours=3) if contacted else None
    return Case.objects.create(
        response=first, contact=first.contact, opened_at=at, first_contact_at=heard, due_at=at + timedelta(days=7),
        contact_due_at=at + timedelta(days=1), **fields,
    )  # fmt: skip


def test_an_empty_page_says_what_is_missing(client: Client, now: datetime) -> None:
    shown = page(client)
    assert "No detractor answered in this time." in shown
    assert "No cases yet." in shown
    detractor(now, next_score=None, contacted=False)
    shown = page(client)
    assert "None of them has answered again yet." in shown
    assert "No root causes noted" in shown
    assert "No case was closed in this time." in shown
    caring.touchpoint()
    assert "No case fits these filters." in page(client, "?touchpoint=order_received")


def test_the_verdict_is_said_in_words_with_its_range(client: Client, now: datetime) -> None:
    for number in range(30):
        detractor(now, next_score=9 if number < 24 else 2, contacted=True)
        detractor(now, next_score=9 if number < 9 else 2, contacted=False)
    shown = page(client)
    assert "Those contacted gave a higher score more often: +50.0 percentage points. That is likely real." in shown
    assert "Between +25.1 percentage points and +67.0 percentage points" in shown
    assert "This is no experiment." in shown
    assert "33 of 60; 42–67 %" in shown
    Case.objects.filter(pk__in=Case.objects.filter(first_contact_at=None)[:1]).update(first_contact_at=now)
    assert "That is likely real." in page(client)  # After the next answer: no contact.
    Case.objects.filter(pk__in=Case.objects.exclude(first_contact_at=None)[:5]).update(first_contact_at=None)
    shown = page(client)
    assert "Too few to say whether getting in touch helps." in shown
    assert "at least 30 of each are needed." in shown


def test_the_filters_are_in_the_address_and_nonsense_is_left_out(client: Client, now: datetime) -> None:
    kim, place = User.objects.create(username="kim", first_name="Kim", last_name="Lee"), caring.touchpoint()
    detractor(now, next_score=9, contacted=True, owner=kim)
    detractor(now, next_score=9, contacted=True, touchpoint=place)
    assert "2 of 2; 34–100 %" in page(client)
    for query in (f"?owner={kim.pk}", "?touchpoint=order_received"):
        assert "1 of 1; 21–100 %" in page(client, query), query
    assert f"?owner={kim.pk}" in page(client)
    assert "No detractor answered in this time." in page(client, "?days=30")
    for query in ("?owner=x&days=7&touchpoint=nowhere&within=-1", "?owner=999999", "?days=&within="):
        assert "2 of 2; 34–100 %" in page(client, query), query


def test_names_are_escaped_and_the_file_holds_no_formula(client: Client, user: User, now: datetime) -> None:
    cause = RootCause.objects.create(name={"en": "<b>Slow</b>"})
    result = Outcome.objects.create(name={"en": FORMULA})
    detractor(
        now, next_score=9, contacted=True, root_cause=cause, result=result, status="solved", closed_at=now, owner=user
    )
    shown = page(client)
    assert "&lt;b&gt;Slow&lt;/b&gt;" in shown
    assert "<b>Slow" not in shown
    url = reverse("workspace:case_proof_csv")
    assert client.get(url).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_case"))
    answer = client.get(f"{url}?owner={user.pk}")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][:3] == ["Figure", "Of", "Value"]
    assert ["Solved", f"'{FORMULA}", "1", "number", "", "", ""] in rows
    assert ["Higher score next time", "Contacted", "100.0", "%", "1", "20.65", "100.0"] in rows
    assert ["Root cause", "<b>Slow</b>", "100.0", "%", "1", "20.65", "100.0"] in rows
    assert {len(row) for row in rows} == {7}


def test_it_costs_the_same_queries_however_much_there_is(
    client: Client, queries_of: Callable[[str], int], now: datetime
) -> None:
    detractor(now, next_score=9, contacted=True)
    few = queries_of(reverse("workspace:case_proof"))
    for number in range(6):
        owner = User.objects.create(username=f"u{number}")
        cause = RootCause.objects.create(name={"en": f"Cause {number}"})
        detractor(now, next_score=2, contacted=False, owner=owner, root_cause=cause, touchpoint=caring.touchpoint("a"))
    assert queries_of(reverse("workspace:case_proof")) == few
    assert few <= 16


def test_it_speaks_german(client: Client, now: datetime) -> None:
    detractor(now, next_score=9, contacted=True)
    client.cookies["django_language"] = "de"
    assert client.get(reverse("workspace:case_proof")).status_code == 200


@pytest.mark.parametrize("numbers", [[], [0, 0], [1, 200, 0]])
def test_small_columns_stay_inside_their_picture(numbers: list[int]) -> None:
    drawn = spark(numbers, top=max(numbers, default=0))
    for (_x, y, height), number in zip(drawn.columns, numbers, strict=True):
        assert float(y) + float(height) == pytest.approx(drawn.height, abs=0.11)
        assert (float(height) > 0) == (number > 0)


def test_a_share_is_drawn_with_its_range_and_that_of_nobody_not_at_all() -> None:
    drawn = interval(Part(20, 0))
    assert drawn is not None
    assert (drawn.low, drawn.at, drawn.high) == ("0.00%", "0.00%", "16.11%")
    assert interval(Part()) is None
