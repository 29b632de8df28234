"""What is learnt of touchpoints' weight against a naive computation; when it is learnt; what it costs."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.common.queues import DRAINS
from apps.contacts.models import Contact
from apps.insights import influences, services, tasks
from apps.insights.influence import influence
from apps.insights.models import Influence
from apps.responses.models import Response, ScoreChange
from apps.surveys.models import Survey
from apps.touchpoints.models import Stage, Touchpoint
from apps.triggers.models import Cadence, TriggerRule

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
pytestmark = pytest.mark.usefixtures("tenant")


@pytest.fixture
def places() -> list[Touchpoint]:
    stage = Stage.objects.create(key="s", name={"en": "S"})
    return [Touchpoint.objects.create(key=key, name={"en": key}, stage=stage) for key in ("a", "b", "never")]


@pytest.fixture
def surveys() -> dict[str, Survey]:
    """Asked by a rule, by a cadence, and by both: only the second one is about the whole wherever it counts."""
    found = {key: Survey.objects.create(key=key, name={"en": key}) for key in ("rule", "cadence", "both")}
    for key in ("cadence", "both"):
        Cadence.objects.create(name=key, survey=found[key], is_active=key == "both")
    for key in ("rule", "both"):
        TriggerRule.objects.create(name=key, survey=found[key])
    return found


def answers(surveys: dict[str, Survey], places: list[Touchpoint], number: int) -> list[Response]:
    chance = random.Random(11)
    contacts = [*(Contact.objects.create(external_id=f"c{n}") for n in range(number // 8)), None]
    rows = []
    for n in range(number):
        at = NOW - timedelta(days=chance.randint(0, 900), minutes=n)
        rows.append(
            Response(
                survey=chance.choice(list(surveys.values())), touchpoint=chance.choice([*places[:2], None]),
                contact=chance.choice(contacts), score=None if chance.random() < 0.05 else chance.randint(0, 10),
                answered_at=at, updated_at=at, is_suspected=chance.random() < 0.1,
            )
        )  # fmt: skip
    return Response.objects.bulk_create(rows)


def naive(place: Touchpoint) -> dict[tuple[int, int], int]:
    """Contact by contact, in Python."""
    pairs: Counter[tuple[int, int]] = Counter()
    rows = Response.objects.filter(is_suspected=False, score__isnull=False).select_related("survey")
    for contact in Contact.objects.all():
        mine = sorted((row for row in rows if row.contact_id == contact.pk), key=lambda row: row.answered_at)
        whole = [row for row in mine if row.touchpoint_id is None or row.survey.key == "cadence"]
        here = [row for row in mine if row.touchpoint_id == place.pk and row.survey.key != "cadence"]
        for row in reversed(here):
            later = [one for one in whole if row.answered_at < one.answered_at <= row.answered_at + YEAR]
            if later:
                pairs[row.score, later[0].score] += 1  # type: ignore[index]
                break
    return dict(pairs)


def test_the_statement_counts_what_a_naive_computation_counts(
    surveys: dict[str, Survey], places: list[Touchpoint], django_assert_num_queries: Any
) -> None:
    answers(surveys, places, 700)
    with django_assert_num_queries(0):  # Its one statement goes by another cursor.
        assert influences.learn(now=NOW) == 3
    found = {row.touchpoint_id: influences.pairs_of(row) for row in Influence.objects.all()}
    assert found == {place.pk: naive(place) for place in places}
    assert sum(found[places[0].pk].values()) > 40
    assert found[places[2].pk] == {}
    Response.objects.filter(touchpoint=places[0]).update(is_suspected=True)
    assert influences.learn(now=NOW + timedelta(days=1)) == 3
    assert influences.pairs_of(Influence.objects.get(touchpoint=places[0])) == {}
    told = influences.everywhere()
    assert told[places[1].pk] == influence(dict(sorted(naive(places[1]).items(), key=lambda pair: str(pair[0]))))
    row, association = influences.at_touchpoint(touchpoint_id=places[1].pk) or (None, None)
    assert row is not None
    assert association == told[places[1].pk]
    assert row.computed_at == NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("later", "pairs"),
    [(timedelta(0), 0), (timedelta(microseconds=1), 1), (YEAR, 1), (YEAR + timedelta(microseconds=1), 0)],
)
def test_later_is_after_it_and_within_a_year(
    surveys: dict[str, Survey], places: list[Touchpoint], later: timedelta, pairs: int
) -> None:
    contact = Contact.objects.create(external_id="c")
    for place, at in ((None, NOW), (places[0], NOW - later)):
        Response.objects.create(
            survey=surveys["rule"], touchpoint=place, contact=contact, score=9, answered_at=at, updated_at=at
        )
    influences.learn(now=NOW)
    assert sum(influences.pairs_of(Influence.objects.get(touchpoint=places[0])).values()) == pairs


def test_only_the_latest_answers_about_the_whole_are_looked_at(
    surveys: dict[str, Survey], places: list[Touchpoint]
) -> None:
    answers(surveys, places, 300)
    influences.learn(now=NOW, latest=1)
    pairs = [influences.pairs_of(row) for row in Influence.objects.all()]
    assert sum(sum(found.values()) for found in pairs) <= 2
    assert Influence.objects.values_list("since", flat=True).distinct().count() == 1


def test_it_is_learnt_once_a_day_from_the_first_folded_answer_on(
    surveys: dict[str, Survey], places: list[Touchpoint]
) -> None:
    assert influences.QUEUE in DRAINS
    assert tasks.influences is influences
    assert influences.next_due(now=NOW) is None
    assert influences.learn_due(now=NOW) == 0
    ScoreChange.objects.create(day=NOW.date(), survey=surveys["rule"], touchpoint=places[0], score=9, weight=1)
    services.roll_up(now=NOW)
    assert influences.next_due(now=NOW) == NOW
    assert influences.learn_due(now=NOW) == 3
    assert influences.learn_due(now=NOW + timedelta(hours=23)) == 0
    assert influences.next_due(now=NOW) == NOW + timedelta(days=1)
    assert influences.learn_due(now=NOW + timedelta(days=1)) == 3


def test_of_a_touchpoint_of_which_nothing_was_learnt_nothing_is_told(places: list[Touchpoint]) -> None:
    assert influences.at_touchpoint(touchpoint_id=places[0].pk) is None
