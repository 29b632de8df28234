"""The journey map's pages: what they say, to whom, in which language, and what they cost."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.test import Client
from django_tenants.utils import tenant_context

from apps.accounts.models import User
from apps.contacts.models import Contact
from apps.insights import influences
from apps.insights.models import Action, Annotation, Target
from apps.insights.nps import Counts, nps
from apps.responses.models import Answer, Response, ScoreChange
from apps.surveys.models import Question
from apps.touchpoints.models import Event, Stage, Touchpoint
from apps.triggers.models import Segment
from apps.workspace import journey_charts, journey_look
from tests.workspace.conftest import make_setup, story

HTML = re.compile(r"<[^>]+>")


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    cache.clear()


def words(page: str) -> str:
    """What a page says, without its tags."""
    return " ".join(HTML.sub(" ", page).split())


def answers(setup: SimpleNamespace, place: Touchpoint, scores: list[int], at: datetime) -> None:
    for score in scores:
        Response.objects.create(survey=setup.survey, touchpoint=place, score=score, answered_at=at, updated_at=at)
        ScoreChange.objects.create(day=at.date(), survey=setup.survey, touchpoint=place, score=score, weight=1)


@pytest.fixture
def journey(setup: SimpleNamespace, now: datetime) -> SimpleNamespace:
    """Delivery with answers; payment with two sub-steps, between which the score falls; a stage without touchpoints."""
    at = now - timedelta(days=2)
    why = Question.objects.create(
        survey=setup.survey, key="why", kind="multiple", text={"en": "Why?"},
        options=[{"key": "late", "text": {"en": "Came late", "de": "Kam zu spät"}}],
    )  # fmt: skip
    for number in range(6):
        response = story(setup, number, at, score=2, comment=f"Waited {number} days.")
        Answer.objects.create(response=response, question=why, choices=["late"])
    paying = Stage.objects.create(key="paying", name={"en": "Paying", "de": "Bezahlen"}, position=1)
    steps = [
        Stage.objects.create(key=key, name={"en": key.title()}, parent=paying, position=2)
        for key in ("invoice", "payment")
    ]
    good, bad = (
        Touchpoint.objects.create(key=f"{step.key}_seen", name={"en": f"{step} seen"}, stage=step) for step in steps
    )
    answers(setup, good, [10] * 40, at)
    answers(setup, bad, [10] * 8 + [1] * 32, at)
    gap = Touchpoint.objects.create(key="gap", name={"en": "Doorstep"}, stage=paying)
    Event.objects.create(touchpoint=gap, occurred_at=at, received_at=at)
    Touchpoint.objects.create(key="quiet", name={"en": "Quiet corner"}, stage=paying, position=1)
    Stage.objects.create(key="end", name={"en": "Farewell", "de": "Abschied"}, position=9)
    return SimpleNamespace(**vars(setup), good=good, bad=bad, gap=gap)


def test_the_map_shows_scores_gaps_pain_reasons_and_what_is_done(
    client: Client, journey: SimpleNamespace, now: datetime
) -> None:
    Action.objects.create(
        touchpoint=journey.bad, title="Fewer fields", status="running", created_at=now, updated_at=now
    )
    Target.objects.create(touchpoint=journey.bad, goal=20, created_at=now)
    page = client.get("/journey/").content.decode()
    told = words(page)
    for part in (
        "Order received", "−100 ± ", "n = 6", "hurts", "Came late 100 %", "6 open cases", "Invoice +100 ± ",
        "Doorstep", "Nobody is asked here", "1 event, no survey", "Quiet corner", "Nothing happens here",
        "Farewell", "No touchpoint yet", "1 action in progress", "target +20", "80 % detractors", "Answered 100 %",
        "fewer than 5 answers: no score", "Events, response rates and reasons as of",
    ):  # fmt: skip
        assert part in told, part
    assert re.search(r'href="/journey/touchpoints/order_received/"', page)
    assert "Add a trigger rule" not in told
    assert not re.search(r"\sstyle=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:", page)
    # Behind the curve stands its table: each figure with its interval.
    table = words(page[page.index("<table") :])
    found = nps(Counts(8, 0, 32))
    assert f"Payment seen −60 −{abs(round(found.low or 0))} … −{abs(round(found.high or 0))} 40" in table


def test_whoever_may_configure_is_led_to_where_gaps_are_closed(
    client: Client, user: User, journey: SimpleNamespace
) -> None:
    user.is_staff = True
    user.save()
    rights = ("add_triggerrule", "change_touchpoint")
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    page = client.get("/journey/").content.decode()
    assert f"/admin/triggers/triggerrule/add/?touchpoints={journey.gap.pk}" in page
    assert "Add a touchpoint" in page


def test_words_of_the_tenant_are_in_the_readers_language(client: Client, journey: SimpleNamespace) -> None:
    client.post("/i18n/setlang/", {"language": "de", "next": "/journey/"})
    told = words(client.get("/journey/").content.decode())
    for part in ("Bezahlen", "Kam zu spät 100 %", "Abschied"):
        assert part in told, part


def test_period_and_segment_stand_in_the_address_and_go_along(
    client: Client, journey: SimpleNamespace, now: datetime
) -> None:
    Segment.objects.create(
        key="kim", name="Kims", condition={"field": "contact.name", "op": "eq", "value": "Kim 1"}
    )  # fmt: skip
    page = client.get("/journey/", {"days": 30, "segment": "kim"}).content.decode()
    assert "Kims" in words(page)
    assert "n = 40" not in words(page)
    assert "1 answer: too few for a score" in words(page)
    assert 'href="/journey/stages/delivery/?days=30&amp;segment=kim"' in page
    assert 'href="/journey/?days=365&amp;segment=kim"' in page
    assert 'href="/views/new/?page=journey&amp;days=30&amp;segment=kim"' in page
    for query in ("?days=7", "?days=x", "?segment=unknown", "?days=-1&segment=-"):
        assert client.get(f"/journey/{query}").status_code == 200, query
    Segment.objects.update(condition={"field": "nothing.known", "op": "eq", "value": 1})
    broken = words(client.get("/journey/?segment=kim").content.decode())
    assert "The segment “Kims” cannot be evaluated" in broken
    assert "n = 40" in broken


@pytest.mark.parametrize(
    "page", ["/journey/", "/journey/stages/paying/", "/journey/stages/invoice/", "/journey/touchpoints/gap/"]
)
def test_a_segment_that_is_gone_is_told_on_every_page_of_the_map(
    client: Client, journey: SimpleNamespace, page: str
) -> None:
    Segment.objects.create(key="kim", name="Kims", condition={})
    notice = "Something that was asked for could not be applied"
    for query in ("?segment=gone", "?days=30&segment=Kim"):
        assert notice in words(client.get(f"{page}{query}").content.decode()), query
    for query in ("", "?segment=", "?days=30&segment=kim"):
        assert notice not in words(client.get(f"{page}{query}").content.decode()), query
    # What is broken is told as that, and only as that.
    Segment.objects.update(condition={"field": "nothing.known", "op": "eq", "value": 1})
    told = words(client.get(f"{page}?segment=kim").content.decode())
    assert "The segment “Kims” cannot be evaluated" in told
    assert notice not in told


def test_a_stage_is_a_chain_that_says_where_the_score_falls(client: Client, journey: SimpleNamespace) -> None:
    told = words(client.get("/journey/stages/paying/").content.decode())
    assert "From sub-step to sub-step Invoice +100" in told
    assert re.search(r"down 160, likely real Payment −60", told)
    step = words(client.get("/journey/stages/payment/").content.decode())
    assert "From sub-step to sub-step" not in step
    assert "Payment seen −60" in step
    assert "Invoice seen" not in step
    assert "No touchpoint yet" in words(client.get("/journey/stages/end/").content.decode())


def test_a_touchpoint_tells_all_that_is_known_of_it(client: Client, journey: SimpleNamespace, now: datetime) -> None:
    Annotation.objects.create(day=now.date(), text="Strike", created_at=now)
    Target.objects.create(touchpoint=journey.touchpoint, goal=20, created_at=now)
    page = client.get("/journey/touchpoints/order_received/?days=30").content.decode()
    told = words(page)
    for part in (
        "−100 ± ", "from 6 answers", "Strike", "Came late 100 % 6 of 6", "Waited 5 days.", "Three days later",
        "Response rate 100 %", "of +20", "Nothing is known yet: it is looked at once a day.", "Nothing was tried here",
    ):  # fmt: skip
        assert part in told, part
    assert "Waited 0 days." not in told  # The latest five.
    assert "/responses/?touchpoint=order_received&amp;segment=detractor&amp;comment=yes&amp;days=30" in page
    assert not re.search(r"\sstyle=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:", page)
    influences.learn(now=now)
    learnt = words(client.get("/journey/touchpoints/order_received/").content.decode())
    assert "too few to say anything" in learnt
    assert "which is no proof" in learnt


def test_a_touchpoint_that_goes_with_the_whole_says_so_with_its_interval(
    client: Client, journey: SimpleNamespace, now: datetime
) -> None:
    contacts = Contact.objects.bulk_create([Contact(external_id=f"x{number}") for number in range(60)])
    for place, days_ago, shift in ((journey.touchpoint, 40, 0), (None, 3, 1)):
        at = now - timedelta(days=days_ago)
        Response.objects.bulk_create(
            [
                Response(
                    survey=journey.survey, touchpoint=place, contact=contact, answered_at=at, updated_at=at,
                    score=min(10, number % 11 + shift * (number % 2)),
                )
                for number, contact in enumerate(contacts)
            ]
        )  # fmt: skip
    influences.learn(now=now)
    told = words(client.get("/journey/touchpoints/order_received/").content.decode())
    assert re.search(r"Correlation 0\.9\d \(95 % interval: 0\.\d\d to 0\.9\d\), n = 60 contacts", told)
    assert "goes with the whole" in words(client.get("/journey/").content.decode())


@pytest.mark.parametrize("url", ["/journey/stages/none/", "/journey/touchpoints/none/", "/journey/stages/%C3%A4/"])
def test_an_unknown_key_is_not_found(client: Client, journey: SimpleNamespace, url: str) -> None:
    assert client.get(url).status_code == 404


def test_a_touchpoint_that_is_switched_off_keeps_its_page(client: Client, journey: SimpleNamespace) -> None:
    Touchpoint.objects.filter(key="quiet").update(is_active=False)
    assert "Quiet corner" not in client.get("/journey/").content.decode()
    assert client.get("/journey/touchpoints/quiet/").status_code == 200


def test_a_tenant_without_a_journey_is_told_where_to_begin(client: Client) -> None:
    assert "There is no stage yet" in client.get("/journey/").content.decode()


def test_script_in_names_and_options_is_shown_as_text(client: Client, journey: SimpleNamespace) -> None:
    script = "<script>alert('x')</script>"
    Touchpoint.objects.update(name={"en": script})
    Stage.objects.update(name={"en": script})
    Question.objects.update(text={"en": script}, options=[{"key": "late", "text": {"en": script}}])
    for url in ("/journey/", "/journey/stages/paying/", "/journey/touchpoints/order_received/"):
        page = client.get(url).content.decode()
        assert script not in page, url
        assert "&lt;script&gt;" in page, url


def test_pages_cost_a_fixed_number_of_queries(queries_of: Callable[[str], int], journey: SimpleNamespace) -> None:
    urls = ("/journey/", "/journey/stages/paying/", "/journey/touchpoints/order_received/")
    before = [queries_of(url) for url in urls]
    for number in range(20):
        Touchpoint.objects.create(key=f"t{number}", name={"en": "T"}, stage=journey.good.stage, position=number)
    assert [queries_of(url) for url in urls] == before
    assert before[0] <= 25
    assert before[2] <= 60


def test_the_curve_places_touchpoints_evenly_in_their_stage_and_breaks_at_gaps() -> None:
    sure, few = nps(Counts(60, 20, 20)), nps(Counts(1, 0, 0))
    found = journey_charts.curve([[(1, "good", sure)], [], [(2, "few", few), (3, "good", sure)]], good=30, bad=0)
    assert [stop.x for stop in found.stops] == ["16.67%", "75.00%", "91.67%"]
    assert [bool(stop.y) for stop in found.stops] == [True, False, True]
    assert [(leg.x1, leg.x2, leg.is_broken) for leg in found.legs] == [("16.67%", "91.67%", True)]
    assert [value for _y, value in found.gridlines] == [0, 50, 100]
    top, middle, bottom = (float(at) for at in (found.stops[0].high_y, found.stops[0].y, found.stops[0].low_y))
    assert top < middle < bottom
    assert float(found.stops[0].label_y) < top
    # What has no score stands below the scale, where nobody takes it for a low one.
    zero = max(float(y) for y, _value in found.gridlines)
    assert float(found.base_y) > zero
    assert [(band.standing, float(band.y) + float(band.height)) for band in found.bands] == [
        ("good", pytest.approx(zero - 0.3 * (zero - 32), abs=0.2)),
        ("middle", pytest.approx(zero, abs=0.2)),
    ]


def test_a_small_line_leaves_gaps_and_is_never_stretched_over_noise() -> None:
    few, calm, other = nps(Counts(1, 0, 0)), nps(Counts(60, 20, 20)), nps(Counts(61, 19, 20))
    assert journey_charts.spark([few] * 11 + [calm]) is None
    found = journey_charts.spark([calm, other, few, few, calm])
    assert found is not None
    assert (len(found.lines), len(found.dots)) == (1, 1)
    heights = [float(point.split(",")[1]) for point in found.lines[0].split()]
    assert abs(heights[0] - heights[1]) < 1


@pytest.mark.parametrize(
    ("counts", "expected"),
    [((65, 0, 35), "good"), ((64, 1, 35), "middle"), ((5, 0, 5), "middle"), ((4, 1, 5), "bad"), ((4, 0, 0), "few")],
)
def test_a_place_stands_by_its_score(counts: Any, expected: str) -> None:
    assert journey_look.standing(nps(Counts(*counts))) == expected


def test_other_tenants_places_are_not_on_the_map(client: Client, other_tenant: Any, journey: SimpleNamespace) -> None:
    with tenant_context(other_tenant):
        make_setup()
        Touchpoint.objects.update(name={"en": "Theirs"})
    assert "Theirs" not in client.get("/journey/").content.decode()
