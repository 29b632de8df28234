"""Pages of versions and reviews of the journey map, and the banner that reminds."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.insights import journey_reviews, journey_versions
from apps.insights.models import JourneyReview, JourneyVersion
from apps.responses.models import ScoreChange
from apps.touchpoints import arranging
from apps.touchpoints.models import Touchpoint
from tests.factories import SurveyFactory
from tests.workspace.test_pages import SCRIPT

VERSIONS, COMPARE, REVIEW = "/journey/versions/", "/journey/versions/compare/", "/journey/review/"


@pytest.fixture
def manager(client: Client, user: User) -> Client:
    user.user_permissions.set(Permission.objects.filter(codename="change_touchpoint"))
    return client


@pytest.fixture
def ids(tenant: Any) -> dict[str, int]:
    found = {key: arranging.add_stage(key=key, name={"en": key.title()}).pk for key in ("buy", "use")}
    for key, on in (("order", "buy"), ("help", "use")):
        found[key] = arranging.add_touchpoint(key=key, name={"en": key.title()}, stage_id=found[on]).pk
    return found


def test_a_version_is_kept_and_compared_with_today(manager: Client, ids: dict[str, int]) -> None:
    long_ago = timezone.now() - timedelta(days=100)
    answer = manager.post(VERSIONS, {"name": "", "note": "Typed note"})
    assert (answer.status_code, "Typed note" in answer.content.decode()) == (422, True)
    answer = manager.post(VERSIONS, {"name": "Spring", "note": SCRIPT}, follow=True)
    page = answer.content.decode()
    assert "Kept as version 1." in page
    assert SCRIPT not in page
    survey = SurveyFactory()
    for day, one in ((long_ago.date(), 0), (timezone.now().date(), 10)):
        ScoreChange.objects.create(day=day, survey=survey, touchpoint_id=ids["order"], score=one, weight=20)
    old = journey_versions.keep(name="Winter", note="", by=None, now=long_ago)
    arranging.put_touchpoint(touchpoint_id=ids["help"], stage_id=ids["buy"])
    arranging.add_touchpoint(key="extra", name={"en": SCRIPT}, stage_id=ids["use"])
    page = manager.get(COMPARE, {"before": old.number, "after": "today"}).content.decode()
    assert "“Help” moved from “Use” to “Buy”." in page
    assert SCRIPT not in page
    assert "style=" not in page
    assert "−100" in page
    assert "better" in page
    assert "+200" in page
    # Kept today, there are no days yet to compare with.
    page = manager.get(COMPARE, {"before": 1}).content.decode()
    assert "the periods overlap" in page
    assert manager.get(COMPARE, {"before": 99}).status_code == 404
    assert manager.get(VERSIONS, {"q": "winter"}).content.decode().count("Compare with today") == 1


def test_without_the_right_versions_are_only_looked_at(client: Client, ids: dict[str, int]) -> None:
    assert client.get(COMPARE).headers["Location"] == VERSIONS
    journey_versions.keep(name="Spring", note="", by=None, now=timezone.now())
    page = client.get(VERSIONS).content.decode()
    assert "Spring" in page
    assert "Keep the map" not in page
    assert client.get(COMPARE).status_code == 200


def test_lists_and_the_comparison_cost_a_fixed_number_of_queries(
    manager: Client, queries_of: Callable[[str], int], ids: dict[str, int]
) -> None:
    def fill(number: int) -> None:
        for _turn in range(number):
            journey_versions.keep(name="V", note="", by=None, now=timezone.now())
            JourneyReview.objects.create(due_on=timezone.now(), created_at=timezone.now(), done_at=timezone.now())
            key = f"t{Touchpoint.objects.count()}"
            arranging.add_touchpoint(key=key, name={"en": key}, stage_id=ids["use"])

    fill(1)
    before = [queries_of(url) for url in (VERSIONS, COMPARE, REVIEW)]
    fill(6)
    assert [queries_of(url) for url in (VERSIONS, COMPARE, REVIEW)] == before
    # Session, user, rights (two); versions: whether there is a map, how many, rows; the comparison: the choice, the
    # version, the map (two), figures with names (three); reviews: open ones, how many, rows.
    assert before == [7, 9, 7]


def test_a_review_is_asked_for_reminded_of_and_done(manager: Client, user: User, ids: dict[str, int]) -> None:
    now = timezone.now()
    journey_reviews.remind_due(now=now)
    banner = "The journey map is due for review in"
    assert banner not in manager.get("/").content.decode()
    answer = manager.post(f"{REVIEW}ask/", {"note": ""})
    assert (answer.status_code, "This field is required." in answer.content.decode()) == (422, True)
    page = manager.post(f"{REVIEW}ask/", {"note": SCRIPT}, follow=True).content.decode()
    assert "The map is to be looked at until" in page
    assert SCRIPT not in page
    assert "Ask for a review" not in page
    assert manager.post(f"{REVIEW}ask/", {"note": "Again"}).status_code == 409
    row = JourneyReview.objects.get(reason="changed")
    answer = manager.post(f"{REVIEW}{row.pk}/done/", {"finding": ""})
    assert answer.status_code == 422
    assert answer.content.decode().count("This field is required.") == 1
    page = manager.post(
        f"{REVIEW}{row.pk}/done/", {"finding": "Invoices have a step more."}, follow=True
    ).content.decode()
    assert "The next review is due in a year." in page
    assert "Invoices have a step more." in page
    page = manager.post(f"{REVIEW}{row.pk}/done/", {"finding": "Too late."}, follow=True).content.decode()
    assert "Somebody else finished this review meanwhile." in page
    for wanted, count in (
        ({"q": "a step"}, 1),
        ({"q": "nothing"}, 0),
        ({"reason": "yearly"}, 0),
        ({"reason": "changed"}, 1),
    ):
        shown = manager.get(REVIEW, wanted).content.decode()
        assert shown.count("Invoices have a step more.") == count, wanted
        assert ("No review fits." in shown) is not bool(count)
    row.refresh_from_db()
    assert (row.finding, row.done_by) == ("Invoices have a step more.", user)
    assert JourneyVersion.objects.count() == 0


@pytest.mark.parametrize(
    ("days", "said"),
    [(15, ""), (14, "due for review in 14 days."), (1, "due for review in 1 day."), (0, "to be reviewed today."),
     (-1, "reviewed 1 day ago."), (-40, "reviewed 40 days ago.")],
)  # fmt: skip
def test_the_banner_says_when_to_those_who_may_change_the_map(
    client: Client, user: User, rf: Any, tenant: Any, django_assert_num_queries: Any, days: int, said: str
) -> None:
    JourneyReview.objects.create(due_on=timezone.now().date() + timedelta(days=days), created_at=timezone.now())
    request = rf.get("/")
    request.user = user
    assert render_to_string("workspace/_journey_review.html", {}, request).strip() == ""
    request.user = User.objects.create_superuser("chief")
    with django_assert_num_queries(1):
        page = render_to_string("workspace/_journey_review.html", {}, request)
    assert said in page
    assert bool(page.strip()) is bool(said)
