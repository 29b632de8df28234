"""The demo's year as plain data, without a database."""

import re
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from math import sqrt
from statistics import correlation, mean

import pytest

from apps.common.segments import DETRACTOR, segment_of
from apps.workspace.demo.blueprint import Brand
from apps.workspace.demo.comments import REMARKS
from apps.workspace.demo.nordwind import NORDWIND, crisis
from tests.workspace_demo.conftest import BRANDS, END, WINDOW, tell, told, wiring

each_brand = pytest.mark.parametrize("brand", BRANDS, ids=lambda brand: brand.slug)


def drivers(brand: Brand) -> dict[int, str]:
    """Question id → driver."""
    return {pk: key for survey in wiring(brand).surveys.values() for key, pk in survey.questions.items()}


@each_brand
def test_the_same_seed_tells_the_same_year_and_another_seed_another_one(brand: Brand) -> None:
    assert tell(brand, scale=0.02) == tell(brand, scale=0.02)
    assert tell(brand, scale=0.02).responses != tell(brand, seed="other", scale=0.02).responses


@each_brand
def test_every_driver_explains_the_score(brand: Brand) -> None:
    records = told(brand.slug)
    scores = {row.id: row.score for row in records.responses}
    pairs: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for answer in records.answers:
        if answer.value is not None and answer.question_id in drivers(brand):
            pairs[answer.question_id].append((answer.value, scores[answer.response_id]))
    assert set(pairs) == set(drivers(brand))
    for question, found in pairs.items():
        if len(found) < 10:
            continue
        # A few dozen answers may say the opposite by chance.
        assert correlation(*zip(*found, strict=True)) > 0.15 - 3 / sqrt(len(found)), drivers(brand)[question]
    everything = [pair for found in pairs.values() for pair in found]
    assert correlation(*zip(*everything, strict=True)) > 0.4


@each_brand
def test_detractors_complain_about_what_they_rated_worst(brand: Brand) -> None:
    records = told(brand.slug)
    names = drivers(brand)
    ratings: dict[object, dict[str, int]] = defaultdict(dict)
    for answer in records.answers:
        if answer.value is not None and answer.question_id in names:
            ratings[answer.response_id][names[answer.question_id]] = answer.value
    checked = 0
    for row in records.responses:
        survey = next(s for s in brand.all_surveys if wiring(brand).surveys[s.key].survey == row.survey_id)
        found = ratings[row.id]
        if segment_of(row.score) == DETRACTOR and row.comment and len(found) == len(survey.drivers):
            worst = [key for key, value in found.items() if value == min(found.values())]
            remarks = [text for key in worst for text in REMARKS[brand.slug][key][row.locale].bad]
            assert any(re.match(_pattern(text), row.comment) for text in remarks), (row.comment, found)
            checked += 1
    assert checked > 15


def _pattern(remark: str) -> str:
    return re.sub(r"\\\{\w+\\\}", ".*", re.escape(remark))


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("polarity", ["good", "bad"])
def test_there_are_sixty_different_remarks_per_language_and_polarity(language: str, polarity: str) -> None:
    remarks = [
        text for brand in REMARKS.values() for driver in brand.values() for text in getattr(driver[language], polarity)
    ]
    assert len(set(remarks)) == len(remarks) >= 60
    assert not any("lorem" in text.lower() for text in remarks)


@each_brand
def test_comments_are_in_the_language_of_the_response_and_rarely_repeat(brand: Brand) -> None:
    rows = [row for row in told(brand.slug).responses if row.comment]
    assert {row.locale for row in rows} == {"de", "en"}
    assert len({row.comment for row in rows}) > 0.6 * len(rows)
    assert not any("{" in row.comment for row in rows)


@each_brand
def test_all_of_it_is_past_and_within_the_year(brand: Brand) -> None:
    records = told(brand.slug)
    assert all(WINDOW.start <= row.occurred_at <= row.received_at < END for row in records.events)
    assert all(row.send_at < END for row in records.invitations)
    assert all(row.answered_at <= row.updated_at < END for row in records.responses)
    assert all(row.done_at < END for row in records.step_runs)
    assert all(row.closed_at is None or row.opened_at < row.closed_at < END for row in records.cases)
    days = {row.answered_at.date() for row in records.responses}
    assert min(days) < (END - timedelta(days=340)).date()
    assert max(days) > (END - timedelta(days=10)).date()


@each_brand
def test_invitations_respect_the_contact_budget(brand: Brand) -> None:
    times: dict[object, list[tuple[object, str]]] = defaultdict(list)
    for row in told(brand.slug).outreaches:
        if row.state == "spent":
            times[row.contact_id].append((row.at, row.kind))
    for found in times.values():
        found.sort()
        for (before, _kind), (at, kind) in pairwise(found):
            assert kind == "follow_up" or at - before >= timedelta(days=14)  # type: ignore[operator]


@each_brand
def test_every_event_has_a_decision_and_the_reasons_vary(brand: Brand) -> None:
    records = told(brand.slug)
    assert {row.event_id for row in records.decisions if row.cadence_id is None} == {row.id for row in records.events}
    reasons = {row.reason for row in records.decisions}
    assert reasons >= {"ok", "budget", "budget_too_late", "no_rule", "no_address", "suppressed"}
    # Everybody who talks to the software firm's support is a customer; the shop hears from others as well.
    of_events = {row.reason for row in records.decisions if row.event_id}
    assert ("no_legal_basis" in of_events) == (brand.slug == "nordwind")


def test_nobody_is_mailed_after_leaving() -> None:
    for brand in BRANDS:
        records = told(brand.slug)
        left = {row.email: row.created_at for row in records.suppressions}
        assert left
        assert not [row for row in records.emails if row.to_email in left and row.sent_at > left[row.to_email]]


def test_the_delivery_crisis_before_christmas_shows_and_passes() -> None:
    records = told("nordwind")
    begin, end = crisis(WINDOW)
    order = wiring(NORDWIND).touchpoints["order_received"]
    rows = [row for row in records.responses if row.touchpoint_id == order]
    during = [row.score for row in rows if begin + timedelta(days=10) <= row.answered_at < end]
    later = [row.score for row in rows if row.answered_at > end + timedelta(days=120)]
    assert mean(during) < 7.3
    assert mean(later) > 8.3
