"""The journey map's figures against a recount row by row; what is missing on it; what it costs."""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from apps.accounts.models import User
from apps.cases.models import Case
from apps.common.shares import Part
from apps.contacts.models import Contact
from apps.insights import asking, figures, journey, services
from apps.insights.journey import JourneyMap
from apps.insights.models import Action, Target
from apps.insights.nps import Counts, change, nps
from apps.insights.slices import Period, Slice
from apps.responses.models import Answer, Response, ScoreChange
from apps.surveys.models import Invitation, Question, Survey
from apps.touchpoints.models import Event, Stage, Touchpoint
from apps.triggers.models import Cadence, Segment, TriggerRule

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PERIOD = Period.last(90, today=NOW.date())
OPTIONS = [{"key": key, "text": {"en": key.title(), "de": f"{key.title()} (de)"}} for key in ("late", "rude", "dear")]

pytestmark = pytest.mark.usefixtures("tenant")


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    cache.clear()


def touchpoint(key: str, stage: Stage, position: int = 0, **more: Any) -> Touchpoint:
    return Touchpoint.objects.create(key=key, name={"en": key}, stage=stage, position=position, **more)


@pytest.fixture
def world() -> SimpleNamespace:
    """Two stages, the second one with two sub-steps; surveys with reasons, one of them anonymous and rare."""
    first = Stage.objects.create(key="first", name={"en": "First"}, position=0)
    second = Stage.objects.create(key="second", name={"en": "Second"}, position=1)
    steps = [
        Stage.objects.create(key=key, name={"en": key}, parent=second, position=2 + n)
        for n, key in enumerate(("invoice", "payment"))
    ]
    places = [touchpoint("a", first), touchpoint("b", second), touchpoint("c", steps[0], 0),
              touchpoint("d", steps[0], 1), touchpoint("e", steps[1])]  # fmt: skip
    surveys = []
    for key, is_anonymous in (("plain", False), ("hidden", True), ("crowd", True)):
        survey = Survey.objects.create(key=key, name={"en": key}, is_anonymous=is_anonymous)
        survey.why = Question.objects.create(  # type: ignore[attr-defined]
            survey=survey, key="why", kind="multiple", text={"en": f"Why, {key}?"}, options=OPTIONS
        )
        surveys.append(survey)
    return SimpleNamespace(stages=[first, second, *steps], places=places, surveys=surveys, chance=random.Random(4))


def fill(world: SimpleNamespace, number: int) -> None:
    """Events, invitations and answers at random over more than a year; of the rare survey only four."""
    chance: random.Random = world.chance
    contacts = [Contact.objects.create(external_id=f"x{n}", properties={"plan": "plus"}) for n in range(3)]
    plain, hidden, crowd = world.surveys
    for n in range(number):
        place, at = chance.choice([*world.places, None]), NOW - timedelta(days=chance.randint(0, 200), hours=1)
        survey = hidden if n < 4 else crowd if chance.random() < 0.2 else plain
        contact = chance.choice([*contacts, None])
        if place:
            Event.objects.create(touchpoint=place, contact=contact, occurred_at=at, received_at=at)
        status = chance.choice(["queued", "shown", "revoked", "scheduled"])
        invitation = Invitation.objects.create(
            survey=survey, touchpoint=place, contact=contact, status=status, reason=str(n), send_at=at,
            give_up_at=at, created_at=at, used_on=at.date() if chance.random() < 0.1 else None,
        )  # fmt: skip
        if n < 4 or chance.random() < 0.8:
            answer(world, survey, place, at, contact, invitation if status in ("queued", "shown") else None)


def answer(
    world: SimpleNamespace,
    survey: Survey,
    place: Touchpoint | None,
    at: datetime,
    contact: Contact | None,
    invitation: Invitation | None,
) -> None:
    chance = world.chance
    score, is_suspected = chance.randint(0, 10), chance.random() < 0.15
    response = Response.objects.create(
        survey=survey, touchpoint=place, contact=contact, invitation=invitation, score=score, answered_at=at,
        updated_at=at, is_suspected=is_suspected,
    )  # fmt: skip
    if not is_suspected:
        ScoreChange.objects.create(day=at.date(), survey=survey, touchpoint=place, score=score, weight=1)
    if chance.random() < 0.7:
        chosen = chance.sample(["late", "rude", "dear"], chance.randint(1, 3))
        Answer.objects.create(response=response, question=survey.why, choices=chosen)  # type: ignore[attr-defined]
    if chance.random() < 0.1:
        closed = at if chance.random() < 0.5 else None
        Case.objects.create(
            response=response, contact=contact, opened_at=at, due_at=at, closed_at=closed,
            status="solved" if closed else "new",
        )  # fmt: skip


def counted(responses: Iterable[Response]) -> Counts:
    scores = Counter(response.score for response in responses)
    return Counts.from_scores({score: number for score, number in scores.items() if score is not None})


def check(found: JourneyMap, contacts: set[Any] | None = None) -> None:
    """Every figure of the map is what the rows give when they are counted one by one."""

    def mine(rows: Any) -> list[Any]:
        return [row for row in rows if contacts is None or row.contact_id in contacts]

    seen = mine(Response.objects.filter(is_suspected=False).exclude(survey__key="hidden").prefetch_related("answers"))
    stages = {place.touchpoint.pk: column for column in found.columns for place in column.places}
    assert {place.touchpoint.pk for place in found.places} == set(Touchpoint.objects.values_list("pk", flat=True))
    for pks, shown, reasons in (
        *(({place.touchpoint.pk}, place.figures, place.reasons) for place in found.places),
        *(({p.touchpoint.pk for p in step.places}, step.figures, step.reasons)
          for column in found.columns for step in column.steps),
        *(({pk for pk, column in stages.items() if column is one}, one.figures, one.reasons) for one in found.columns),
    ):  # fmt: skip
        here = [row for row in seen if row.touchpoint_id in pks]
        now = [row for row in here if PERIOD.since <= row.answered_at.date() <= PERIOD.until]
        earlier = PERIOD.before()
        before = [row for row in here if earlier.since <= row.answered_at.date() <= earlier.until]
        assert shown.counts == counted(now)
        assert shown.change == change(nps(counted(before)), nps(counted(now)))
        for month, score in zip(found.months, shown.trend, strict=True):
            assert score.counts == counted(r for r in here if r.answered_at.date().replace(day=1) == month)
        events = mine(Event.objects.filter(touchpoint__in=pks))
        assert shown.traffic.events == sum(PERIOD.since <= row.occurred_at.date() <= PERIOD.until for row in events)
        sent = [
            row for row in mine(Invitation.objects.filter(touchpoint__in=pks).select_related("response"))
            if row.status in ("queued", "shown") and PERIOD.since <= row.send_at.date() <= PERIOD.until
        ]  # fmt: skip
        humans = [row for row in sent if row.used_on or (hasattr(row, "response") and not row.response.is_suspected)]
        assert shown.traffic.asked == Part(len(sent), len(humans))
        assert shown.cases == Case.objects.filter(closed_at=None, response__touchpoint__in=pks).count()
        answers = [a for r in now if r.score <= 6 for a in r.answers.all()]
        asked = Counter(a.question_id for a in answers)
        chosen = Counter((a.question_id, option) for a in answers for option in a.choices)
        expected = {(q, o.title(), Part(asked[q], n)) for (q, o), n in chosen.items() if n >= 5}
        questions = {f"Why, {q.survey.key}?": q.pk for q in Question.objects.select_related("survey")}
        assert {(questions[r.question], r.label, r.part) for r in reasons} == expected
        assert [r.part.rate for r in reasons] == sorted((r.part.rate for r in reasons), reverse=True)
    assert found.total.n == len([r for r in seen if PERIOD.since <= r.answered_at.date() <= PERIOD.until])
    assert found.elsewhere == found.total.n - sum(column.figures.counts.n for column in found.columns)


def test_every_figure_equals_a_recount_also_of_a_segment_and_however_much_is_folded(world: SimpleNamespace) -> None:
    fill(world, 500)
    Response.objects.filter(contact__external_id="x0").update(properties={})
    Contact.objects.filter(external_id="x0").update(properties={"plan": "free"})
    Segment.objects.create(
        key="plus", name="Plus", condition={"field": "contact.plan", "op": "eq", "value": "plus"}
    )  # fmt: skip
    check(journey.read(wanted=Slice(), period=PERIOD, now=NOW))
    services.roll_up(now=NOW, limit=200)
    check(journey.read(wanted=Slice(), period=PERIOD, now=NOW))
    plus = set(Contact.objects.filter(properties__plan="plus").values_list("pk", flat=True))
    found = journey.read(wanted=Slice(segment="plus"), period=PERIOD, now=NOW)
    check(found, plus)
    assert found.total.n > 50
    with translation.override("de"):
        german = journey.read(wanted=Slice(), period=PERIOD, now=NOW)
    assert any(reason.label == "Late (de)" for column in german.columns for reason in column.reasons)


def test_stages_and_sub_steps_stand_in_order_with_touchpoints_numbered_through(world: SimpleNamespace) -> None:
    found = journey.read(wanted=Slice(), period=PERIOD, now=NOW)
    shape = [(c.stage.key, [p.touchpoint.key for p in c.own], [s.stage.key for s in c.steps]) for c in found.columns]
    assert shape == [("first", ["a"], []), ("second", ["b"], ["invoice", "payment"])]
    assert [(place.number, place.touchpoint.key) for place in found.places] == list(enumerate("abcde", start=1))


def test_raw_rows_are_counted_at_most_every_five_minutes_and_the_map_says_when(world: SimpleNamespace) -> None:
    fill(world, 5)
    first = journey.read(wanted=Slice(), period=PERIOD, now=NOW)
    Event.objects.create(touchpoint=world.places[0], occurred_at=NOW, received_at=NOW)
    later = journey.read(wanted=Slice(), period=PERIOD, now=NOW + timedelta(minutes=4))
    assert later.as_of == first.as_of == NOW
    assert [p.figures.traffic for p in later.places] == [p.figures.traffic for p in first.places]
    other = journey.read(wanted=Slice(), period=Period.last(30, today=NOW.date()), now=NOW + timedelta(minutes=4))
    assert other.as_of == NOW + timedelta(minutes=4)


def test_a_gap_is_where_things_happen_and_nobody_asks_or_where_nothing_happens(world: SimpleNamespace) -> None:
    a, b, c, d, e = world.places
    plain = world.surveys[0]
    for place in (a, b):
        Event.objects.create(touchpoint=place, occurred_at=NOW, received_at=NOW)
    rule = TriggerRule.objects.create(name="Asks", survey=plain)
    rule.touchpoints.set([b])
    Cadence.objects.create(name="Yearly", survey=plain, touchpoint=c)
    Response.objects.create(survey=plain, touchpoint=d, score=9, answered_at=NOW, updated_at=NOW)
    ScoreChange.objects.create(day=NOW.date(), survey=plain, touchpoint=d, score=9, weight=1)
    found = {p.touchpoint: p for p in journey.read(wanted=Slice(), period=PERIOD, now=NOW).places}
    assert [found[place].gap for place in (a, b, c, d, e)] == [asking.UNASKED, "", "", "", asking.SILENT]
    assert [asker.name for asker in found[b].askers] == ["Asks"]
    for away in (
        {"is_active": False}, {"active_from": NOW + timedelta(days=1)}, {"active_until": NOW - timedelta(days=1)}
    ):  # fmt: skip
        plain_again = {"is_active": True, "active_from": None, "active_until": None}
        TriggerRule.objects.update(**{**plain_again, **away})
        assert journey.read(wanted=Slice(), period=PERIOD, now=NOW).places[1].gap == asking.UNASKED, away
    TriggerRule.objects.update(is_active=True, active_from=None, active_until=None)
    Survey.objects.update(is_active=False)
    assert [p.gap for p in journey.read(wanted=Slice(), period=PERIOD, now=NOW).places][1:3] == ["unasked", "silent"]


def test_what_is_switched_off_stays_as_long_as_the_period_has_answers_of_it(world: SimpleNamespace) -> None:
    fill(world, 60)
    Touchpoint.objects.update(is_active=False)
    quiet = touchpoint("quiet", world.stages[0], 9, is_active=False)
    shown = [place.touchpoint for place in journey.read(wanted=Slice(), period=PERIOD, now=NOW).places]
    assert len(shown) == 5
    assert quiet not in shown


def test_what_is_switched_off_and_not_shown_still_counts_where_it_lay(world: SimpleNamespace) -> None:
    _a, b, c, *_rest = world.places
    plain, before = world.surveys[0], PERIOD.before().until
    for place, day, score in ((b, NOW.date(), 10), (b, before, 10), (c, before, 0)):
        at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        row = {"survey": plain, "touchpoint": place, "score": score, "answered_at": at, "updated_at": at}
        Response.objects.bulk_create(Response(**row) for _n in range(9))
        ScoreChange.objects.create(day=day, survey=plain, touchpoint=place, score=score, weight=9)
    Case.objects.create(response=Response.objects.filter(touchpoint=c)[0], opened_at=NOW, due_at=NOW)
    rule = TriggerRule.objects.create(name="Asks", survey=plain)
    rule.touchpoints.set([c])
    Touchpoint.objects.filter(pk=c.pk).update(is_active=False)
    found = journey.read(wanted=Slice(), period=PERIOD, now=NOW)
    assert c not in [place.touchpoint for place in found.places]
    second = found.columns[1]
    by_stage = figures.by(wanted=Slice(), periods=[PERIOD, PERIOD.before()], dimension="stage", now=NOW)
    assert [(second.figures.nps, nps(second.figures.counts_before))] == [group.figures for group in by_stage]
    assert (second.steps[0].figures.counts_before.n, second.figures.cases) == (9, 1)
    kept = found.place(c.pk)
    assert kept is not None
    assert (kept.gap, kept.figures.cases, [asker.name for asker in kept.askers]) == ("", 1, ["Asks"])
    assert sum(score.n for score in kept.figures.trend) == 9
    assert (found.place(world.places[0].pk), found.place(0)) == (found.places[0], None)


def test_of_some_of_the_responses_no_gap_is_told_and_other_questions_are_answers_too(world: SimpleNamespace) -> None:
    a, b, *_rest = world.places
    Event.objects.create(touchpoint=a, occurred_at=NOW, received_at=NOW)
    Response.objects.create(survey=world.surveys[0], touchpoint=b, answered_at=NOW, updated_at=NOW)
    Segment.objects.create(key="plus", name="Plus", condition={"field": "contact.plan", "op": "eq", "value": "plus"})
    Answer.objects.create(response=Response.objects.get(), question=world.surveys[0].why, choices=["late"])
    gaps = [place.gap for place in journey.read(wanted=Slice(), period=PERIOD, now=NOW).places]
    assert gaps[:3] == [asking.UNASKED, "", asking.SILENT]
    for some in (Slice(segment="plus"), Slice(touchpoint="a"), Slice(channel="link"), Slice(survey="crowd")):
        assert {place.gap for place in journey.read(wanted=some, period=PERIOD, now=NOW).places} == {""}, some


def test_running_actions_and_the_open_target_stand_at_their_touchpoint(world: SimpleNamespace) -> None:
    a = world.places[0]
    for status in ("running", "running", "planned", "dropped"):
        Action.objects.create(touchpoint=a, title="Mend it", status=status, created_at=NOW, updated_at=NOW)
    Target.objects.create(goal=20, status="dropped", ended_on=NOW.date(), touchpoint=a, created_at=NOW)
    wanted = Target.objects.create(goal=40, touchpoint=a, created_at=NOW)
    places = journey.read(wanted=Slice(), period=PERIOD, now=NOW).places
    assert [place.figures.actions for place in places] == [2, 0, 0, 0, 0]
    assert [place.target and place.target.target for place in places] == [wanted, None, None, None, None]


def test_a_place_hurts_only_where_chance_does_not_explain_its_detractors() -> None:
    assert not journey.Figures(Counts(5, 0, 3)).hurts
    assert journey.Figures(Counts(40, 0, 40)).hurts
    assert not journey.Figures(Counts(80, 0, 20)).hurts
    assert not journey.Figures(Counts(0, 0, 4)).hurts


def test_the_map_costs_the_same_for_five_touchpoints_and_for_fifty(world: SimpleNamespace) -> None:
    fill(world, 40)
    User.objects.create(username="cx")
    costs = []
    for more in (0, 45):
        for n in range(more):
            place = touchpoint(f"t{n}", world.stages[n % 4], n)
            Event.objects.create(touchpoint=place, occurred_at=NOW, received_at=NOW)
            ScoreChange.objects.create(day=NOW.date(), survey=world.surveys[0], touchpoint=place, score=9, weight=1)
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            assert len(journey.read(wanted=Slice(), period=PERIOD, now=NOW).places) == 5 + more
        costs.append(len(captured))
    assert costs[0] == costs[1] <= 24
