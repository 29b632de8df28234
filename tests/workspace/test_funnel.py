"""The funnel and the further questions as the dashboard loads them."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from apps.responses.models import Answer, Response
from apps.surveys.models import Invitation
from apps.touchpoints.models import Event
from apps.triggers.models import Decision, Segment
from tests import factories

PAGES = ("/funnel/", "/questions/")


@pytest.fixture(autouse=True)
def _kept() -> Any:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def story(tenant: Any) -> None:
    """Ten events: four not asked, six invited, five of them answered with ratings."""
    now = timezone.now()
    place, rule = factories.TouchpointFactory(), factories.TriggerRuleFactory()
    question = rule.survey.questions.get(kind="rating")
    for number in range(10):
        at = now - timedelta(days=1, minutes=number)
        event = Event.objects.create(touchpoint=place, occurred_at=at, received_at=at, status="decided")
        said = {"event": event, "rule": rule, "decided_at": at}
        if number < 4:
            Decision.objects.create(**said, status="skipped", reason="no_legal_basis")
            continue
        invitation = Invitation.objects.create(
            survey=rule.survey, event=event, touchpoint=place, reason=str(number), status="queued", send_at=at,
            give_up_at=at, created_at=at,
        )  # fmt: skip
        Decision.objects.create(**said, status="scheduled", reason="ok", invitation=invitation)
        if number < 9:
            response = Response.objects.create(
                survey=rule.survey, touchpoint=place, invitation=invitation, score=9, answered_at=at, updated_at=at,
                comment="<b>Fine</b>" if number == 8 else "",
            )  # fmt: skip
            Answer.objects.create(response=response, question=question, value=4)


def words(answer: Any) -> str:
    """A page's text with single spaces."""
    return " ".join(answer.content.decode().split())


@pytest.mark.usefixtures("story")
def test_the_funnel_tells_each_step_and_why_others_are_missing(client: Client) -> None:
    answer = client.get("/funnel/?days=30")
    assert answer.status_code == 200
    text = words(answer)
    assert "<html" not in text
    for number in (10, 6, 5, 1):
        assert f'<span class="flow-number">{number}</span>' in text
    assert "60.0 %" in text
    assert "(31–83 %)" in text
    assert '<a href="/decisions/?reason=no_legal_basis">There is no legal basis' in text
    assert "−4" in text
    narrowed = words(client.get("/funnel/?days=30&touchpoint=order_received"))
    assert "/decisions/?reason=no_legal_basis&amp;touchpoint=order_received" in narrowed
    assert client.get("/decisions/?reason=no_legal_basis&touchpoint=order_received").status_code == 200


@pytest.mark.usefixtures("story")
def test_the_questions_are_told_with_figure_bars_and_survey(client: Client) -> None:
    text = words(client.get("/questions/?days=30"))
    for part in ("Delivery time", "<b>4.00</b>", "of 5", "n = 5", ">Order<", "100.0 %"):
        assert part in text
    client.cookies["django_language"] = "de"
    assert "Lieferzeit" in words(client.get("/questions/?days=30"))


@pytest.mark.usefixtures("story")
def test_who_follows_the_link_gets_a_page(client: Client) -> None:
    for path in PAGES:
        page = client.get(f"{path}?days=30", headers={"sec-fetch-dest": "document"})
        assert page.status_code == 200
        assert "<h1>" in words(page)
        assert "/static/workspace/funnel.css" in words(page)


@pytest.mark.usefixtures("story")
def test_the_same_filters_are_counted_once_a_minute_and_told_in_every_language(client: Client) -> None:
    first = words(client.get("/funnel/?days=30"))
    Event.objects.create(
        touchpoint=factories.TouchpointFactory(), occurred_at=timezone.now(), received_at=timezone.now()
    )
    assert words(client.get("/funnel/?days=30")) == first
    assert '<span class="flow-number">11</span>' in words(client.get("/funnel/?days=90"))


@pytest.mark.usefixtures("story")
def test_a_segment_that_cannot_be_evaluated_is_told(client: Client) -> None:
    Segment.objects.create(key="broken", name="Broken", condition={"field": "nothing.known", "op": "eq", "value": 1})
    for path in PAGES:
        answer = client.get(f"{path}?segment=broken")
        assert answer.status_code == 200
        assert "cannot be evaluated" in words(answer)


def test_without_anything_they_say_so_and_nobody_looks_without_signing_in(client: Client) -> None:
    assert "Nothing happened" in words(client.get("/funnel/"))
    assert "No further question" in words(client.get("/questions/"))
    for path in PAGES:
        anonymous = Client(headers={"host": "nordwind.resonanz.test"}).get(path)
        assert (anonymous.status_code, "/login/" in anonymous.headers["Location"]) == (302, True)
