import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from apps.api.delighted.erasing import erase
from apps.common.queues import DRAINS
from apps.insights import figures, selectors, services, tasks
from apps.insights.models import Rollup
from apps.insights.nps import Counts, nps
from apps.insights.overview import Overview, overview
from apps.insights.slices import Grain, Period, Slice
from apps.responses.models import Response, ScoreChange
from apps.responses.past import PastResponse, record_past_responses, remove_past_responses
from apps.responses.services import Origin, Submission, judge, submit, submit_openly
from apps.surveys import versions
from apps.surveys.models import Invitation, Survey
from apps.touchpoints.models import Stage, Touchpoint
from tests import factories

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TODAY = NOW.date()

pytestmark = pytest.mark.usefixtures("tenant")


@pytest.fixture
def survey() -> Survey:
    return Survey.objects.create(key="order", name={"en": "Order"})


@pytest.fixture
def touchpoints() -> list[Touchpoint]:
    stage = Stage.objects.create(key="purchase", name={"en": "Purchase"})
    return [
        Touchpoint.objects.create(key=key, name={"en": key}, stage=stage, position=position)
        for position, key in enumerate(["order_received", "support_closed"])
    ]


def answer(
    survey: Survey, touchpoint: Touchpoint | None, score: int, days_ago: int, *, is_incentivised: bool = False
) -> Response:
    """A stored response with the change it makes to the figures."""
    at = NOW - timedelta(days=days_ago)
    cell = {"survey": survey, "touchpoint": touchpoint, "is_incentivised": is_incentivised, "score": score}
    ScoreChange.objects.create(day=at.date(), weight=1, **cell)
    return Response.objects.create(answered_at=at, updated_at=at, comment="", **cell)


def shown(*, days: int, today: date = TODAY, is_incentivised: bool | None = None) -> tuple[Overview, Overview]:
    """The last days month by month, and those before."""
    period = Period.last(days, today=today)
    wanted = Slice(is_incentivised=is_incentivised)
    now, before = overview(wanted=wanted, periods=[period, period.before()], grain=Grain.MONTH, now=NOW)
    return now, before


def test_folding_moves_every_change_into_the_rollups(survey: Survey, touchpoints: list[Touchpoint]) -> None:
    for _repeat in range(3):
        answer(survey, touchpoints[0], 9, 1)
    answer(survey, None, 9, 1)
    assert services.roll_up(now=NOW, limit=100) == 4
    assert ScoreChange.objects.count() == 0
    cells = {(cell.touchpoint_id, 9, cell.given_9, cell.responses) for cell in Rollup.objects.all()}
    assert cells == {(None, 9, 1, 1), (touchpoints[0].pk, 9, 3, 3)}


def test_folding_again_adds_to_the_same_cell_also_without_a_touchpoint(survey: Survey) -> None:
    for _repeat in range(2):
        answer(survey, None, 3, 5)
        services.roll_up(now=NOW, limit=100)
    assert Rollup.objects.get().responses == 2


def test_what_was_promised_something_folds_into_cells_of_its_own_and_can_be_looked_at_alone(
    survey: Survey, touchpoints: list[Touchpoint]
) -> None:
    for is_incentivised, scores in {True: [10, 9, 9], False: [3, 9]}.items():
        for score in scores:
            answer(survey, touchpoints[0], score, 1, is_incentivised=is_incentivised)
    answer(survey, touchpoints[0], 9, 40, is_incentivised=True)
    for limit in (2, 100):  # Half of it folded, then all.
        services.roll_up(now=NOW, limit=limit)
        found = {wanted: shown(days=30, is_incentivised=wanted) for wanted in (None, True, False)}
        assert {wanted: now.nps.counts for wanted, (now, _before) in found.items()} == {
            None: Counts(promoters=4, detractors=1),
            True: Counts(promoters=3),
            False: Counts(promoters=1, detractors=1),
        }
        assert {wanted: before.nps.n for wanted, (_now, before) in found.items()} == {None: 1, True: 1, False: 0}
        assert [(now.incentivised, before.incentivised) for now, before in found.values()] == [(3, 1), (3, 1), (0, 0)]
    day = TODAY - timedelta(days=1)
    cells = Rollup.objects.filter(day=day).values_list("is_incentivised", "given_9")
    assert set(cells) == {(True, 2), (False, 1)}


def test_folding_takes_at_most_the_limit(survey: Survey) -> None:
    for _repeat in range(5):
        answer(survey, None, 3, 5)
    assert services.roll_up(now=NOW, limit=2) == 2
    assert ScoreChange.objects.count() == 3


def test_a_change_and_its_taking_back_leave_no_cell(survey: Survey) -> None:
    for weight in (1, -1):
        ScoreChange.objects.create(day=TODAY, survey=survey, score=4, weight=weight)
    assert services.roll_up(now=NOW, limit=100) == 2
    assert not Rollup.objects.exists()


def test_the_queue_is_due_while_changes_wait(survey: Survey) -> None:
    assert services.next_due(now=NOW) is None
    answer(survey, None, 3, 5)
    assert services.next_due(now=NOW) == NOW
    services.roll_up(now=NOW, limit=100)
    assert services.next_due(now=NOW) is None


def test_the_drain_is_registered_under_the_queue_name() -> None:
    assert tasks.ROLL_UP_QUEUE in DRAINS


def test_folding_is_one_statement(survey: Survey, django_assert_num_queries: Any) -> None:
    answer(survey, None, 3, 5)
    with django_assert_num_queries(3):  # savepoint, the statement, release
        services.roll_up(now=NOW, limit=100)


@pytest.mark.parametrize("folded", [0, 60, 400])
def test_figures_equal_a_full_recount_however_much_is_folded(
    survey: Survey, touchpoints: list[Touchpoint], folded: int
) -> None:
    chance = random.Random(7)
    for _repeat in range(200):
        place, score, days_ago = chance.choice([*touchpoints, None]), chance.randint(0, 10), chance.randint(0, 400)
        answer(survey, place, score, days_ago, is_incentivised=chance.random() < 0.3)
    if folded:
        services.roll_up(now=NOW, limit=folded)
    for wanted in (None, True, False):
        stored = [row for row in Response.objects.all() if wanted in (None, row.is_incentivised)]
        check_overview(*shown(days=90, is_incentivised=wanted), stored)
        now = [row for row in stored if 0 <= age(row) < 90]
        parts = figures.by(
            wanted=Slice(is_incentivised=wanted),
            periods=[Period.last(90, today=TODAY)],
            dimension="touchpoint",
            now=NOW,
        )
        for part in parts:
            assert part.figures[0] == recount(row for row in now if row.touchpoint_id == part.pk)
        assert sum(part.figures[0].n for part in parts) == len(now)


def check_overview(now: Overview, before: Overview, stored: list[Response]) -> None:
    """Every figure of both periods is what these responses give when they are counted."""
    for found in (now, before):
        those = [row for row in stored if found.period.since <= row.answered_at.date() <= found.period.until]
        assert found.nps == recount(those)
        assert found.incentivised == sum(row.is_incentivised for row in those)
        assert sum(found.scores.values()) == len(those)
        for month in found.points:
            assert month.nps == recount(row for row in those if row.answered_at.date().replace(day=1) == month.start)
        assert sum(month.nps.n for month in found.points) == len(those)


def age(response: Response) -> int:
    return (TODAY - response.answered_at.date()).days


def recount(responses: Any) -> Any:
    scores: dict[int, int] = {}
    for response in responses:
        scores[response.score] = scores.get(response.score, 0) + 1
    return nps(Counts.from_scores(scores))


def test_the_overview_costs_two_queries_however_much_there_is(
    survey: Survey, touchpoints: list[Touchpoint], django_assert_num_queries: Any
) -> None:
    for days_ago in range(40):
        answer(survey, touchpoints[days_ago % 2], 9, days_ago * 9)
    with django_assert_num_queries(2):
        shown(days=365)


def test_an_answer_changed_from_9_to_3_counts_once(survey: Survey) -> None:
    answer(survey, None, 9, 1)
    services.roll_up(now=NOW, limit=100)
    day = TODAY - timedelta(days=1)
    ScoreChange.objects.create(day=day, survey=survey, score=9, weight=-1)
    ScoreChange.objects.create(day=day, survey=survey, score=3, weight=1)
    assert shown(days=30)[0].nps.counts == Counts(detractors=1)


def test_the_last_months_cross_the_year() -> None:
    assert selectors.last_months(today=date(2026, 2, 28), number=3) == [
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 2, 1),
    ]


def test_nothing_answered_gives_empty_months() -> None:
    now, _before = shown(days=365)
    assert len(now.points) == 13, "the first and the last are not whole"
    assert now.nps.score is None
    assert {month.nps.n for month in now.points} == {0}


@pytest.mark.parametrize("seed", range(5))
def test_figures_equal_a_full_recount_whatever_is_sent_judged_promised_imported_and_erased(seed: int) -> None:
    chance = random.Random(seed)
    survey, places = factories.SurveyFactory(), [factories.TouchpointFactory(), None]
    invitations = [_invite(survey, chance.choice(places), number) for number in range(4)]
    # Seen from outside: what was promised when each was first stored. Nothing that comes later changes that.
    promised: dict[Any, bool] = {}
    now = NOW
    for step in range(60):
        now += timedelta(seconds=chance.choice([1, 5, 600, 86_400]))
        stored = list(Response.objects.order_by("pk"))
        action = chance.random()
        if stored and action < 0.35:
            judge(response_id=chance.choice(stored).pk, is_genuine=chance.random() < 0.5, by="cx", now=now)
        elif action < 0.45:
            services.roll_up(now=now, limit=chance.choice([1, 3, 100]))
        elif action < 0.52:
            survey.incentive = {"de": "5 €"} if not survey.incentive else {}
            survey.save()
            versions.publish(survey_id=survey.pk, now=now)
        elif action < 0.6:
            _import_or_undo(chance, survey, now)
        elif action < 0.63:
            number = chance.randrange(4)
            erase(contact_id=invitations[number].contact_id, now=now)
            invitations[number] = _invite(survey, chance.choice(places), 100 + step, at=now)
        else:
            _send(chance, survey, invitations, now)
        for row in Response.objects.exclude(channel="import"):
            assert row.is_incentivised == promised.setdefault(row.pk, row.is_incentivised)
        counted = list(Response.objects.filter(is_suspected=False, score__isnull=False))
        for wanted in (None, True, False):
            those = [r for r in counted if wanted in (None, r.is_incentivised)]
            check_overview(*shown(days=365, today=now.date(), is_incentivised=wanted), those)
    services.roll_up(now=now, limit=10_000)
    assert folded() == Counter((r.is_incentivised, r.score) for r in counted)


def folded() -> Counter[tuple[bool, int | None]]:
    found: Counter[tuple[bool, int | None]] = Counter()
    for cell in Rollup.objects.all():
        found.update({(cell.is_incentivised, score): number for score, number in cell.scores.items()})
    return found


def _invite(survey: Survey, touchpoint: Touchpoint | None, number: int, *, at: datetime = NOW) -> Invitation:
    return Invitation.objects.create(
        survey=survey, contact=factories.ContactFactory(), touchpoint=touchpoint, reason=f"test:{number}",
        status="queued", send_at=at, give_up_at=at, created_at=at,
    )  # fmt: skip


def _import_or_undo(chance: random.Random, survey: Survey, now: datetime) -> None:
    """Past responses come, with a promise or without, or are taken out again."""
    known = list(Response.objects.filter(channel="import").values_list("pk", flat=True))
    if known and chance.random() < 0.4:
        remove_past_responses(ids=chance.sample(known, min(2, len(known))), now=now)
        return
    rows = [
        PastResponse(survey.pk, now - timedelta(days=40 * n), chance.randint(0, 10), is_incentivised=promised)
        for n, promised in enumerate([True, False, None])
    ]
    record_past_responses(rows=rows, now=now)


def _send(chance: random.Random, survey: Survey, invitations: list[Invitation], now: datetime) -> None:
    """Somebody, or something, answers: with a score or without, by a personal or a public link."""
    answers: dict[str, Any] = {"comment": f"At {now:%c}"} if chance.random() < 0.5 else {"delivery": 3}
    if chance.random() < 0.8:
        answers["nps"] = chance.randint(0, 10)
    submission = Submission(
        answers,
        is_partial=chance.random() < 0.3,
        suspicions=chance.choice([[], [], ["no_page"], ["agent", "trap"]]),
    )
    if chance.random() < 0.7:
        submit(invitation_id=chance.choice(invitations).pk, submission=submission, now=now)
    else:
        origin = Origin(survey.pk, chance.choice(["one", "two", "three"]))
        submit_openly(origin=origin, submission=submission, now=now)


def test_a_suspected_answer_counts_once_it_is_judged_a_humans_and_no_more_once_a_machines() -> None:
    invitation = _invite(factories.SurveyFactory(), None, 1)
    submission = Submission({"nps": 10}, suspicions=["trap"])
    response = submit(invitation_id=invitation.pk, submission=submission, now=NOW)
    counted = []
    for is_genuine in (None, True, True, False, False, True):
        if is_genuine is not None:
            judge(response_id=response.pk, is_genuine=is_genuine, by="cx", now=NOW)
        counted.append(shown(days=30)[0].nps.n)
    assert counted == [0, 1, 1, 0, 0, 1]
