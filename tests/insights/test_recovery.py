"""Recovery: what SQL counts is compared with a recount in Python that follows the definition word by word."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.campaigns.models import Campaign, CampaignVersion, Enrolment, StepRun
from apps.cases.models import Case
from apps.common.shares import Part, newcombe, wilson
from apps.contacts.models import Contact
from apps.insights.case_slices import Slice
from apps.insights.recovery import MINIMUM, NOBODY, Difference, Recovery, recovery
from apps.messaging.models import OutgoingEmail
from apps.responses.models import Response
from tests.cases import caring

NOW = caring.NOW
YEAR = Slice(NOW - timedelta(days=365), NOW)
pytestmark = pytest.mark.usefixtures("tenant")
numbers = count(1)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def person() -> Contact:
    return caring.contact(f"p{next(numbers)}")


def answer(who: Contact | None, score: int | None, days_ago: float, **fields: Any) -> Response:
    return caring.response(score, contact=who, at=ago(days_ago), **fields)


def case_of(response: Response, *, contacted: float | None = None, **fields: Any) -> Case:
    at = response.answered_at
    heard = None if contacted is None else ago(contacted)
    kept = {"contact": response.contact, "opened_at": at, "due_at": at, "first_contact_at": heard, **fields}
    return Case.objects.create(response=response, **kept)


def mail(who: Contact, sent: float | None, *, status: str = "sent", stream: str = "") -> OutgoingEmail:
    number, at = next(numbers), None if sent is None else ago(sent)
    return OutgoingEmail.objects.create(
        reason=f"r{number}", contact=who, to_email="a@example.com", from_header="n", subject="s", stream=stream,
        message_id=f"<{number}>", status=status, due_at=at or NOW, queued_at=at or ago(300), sent_at=at,
    )  # fmt: skip


def followed_up(response: Response, email: OutgoingEmail, kind: str = "email") -> None:
    campaign = Campaign.objects.get_or_create(name="Sorry")[0]
    version = CampaignVersion.objects.get_or_create(campaign=campaign, number=1, document={}, published_at=ago(400))[0]
    run = Enrolment.objects.create(
        campaign=campaign, version=version, response=response, contact=response.contact, enrolled_at=NOW
    )
    StepRun.objects.create(enrolment=run, step_key="s", kind=kind, status="done", due_at=NOW, email=email)


def found(wanted: Slice = YEAR, days: int = 180) -> Recovery:
    return recovery(wanted=wanted, now=NOW, days=days)


def told(wanted: Slice = YEAR, days: int = 180) -> tuple[int, int, int, int]:
    total = found(wanted, days).total
    return total.detractors, total.answered, total.higher, total.risen


def one(*answers: tuple[int | None, float], **fields: Any) -> Contact:
    who = person()
    for score, days_ago in answers:
        answer(who, score, days_ago, **fields)
    return who


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param([(3, 100), (8, 50)], (1, 1, 1, 1), id="higher and out"),
        pytest.param([(3, 100), (5, 50)], (1, 1, 1, 0), id="higher and still a detractor"),
        pytest.param([(3, 100), (3, 50)], (1, 1, 0, 0), id="equal"),
        pytest.param([(3, 100), (1, 50)], (1, 1, 0, 0), id="lower"),
        pytest.param([(3, 100), (1, 50), (10, 20)], (1, 1, 0, 0), id="the next one decides, not a later one"),
        pytest.param([(3, 100), (None, 60), (9, 50)], (1, 1, 1, 1), id="an answer without a score decides nothing"),
        pytest.param([(3, 300), (9, 120)], (1, 1, 1, 1), id="on the last of its days"),
        pytest.param([(3, 300), (9, 119.9)], (1, 0, 0, 0), id="later than its days"),
        pytest.param([(2, 200), (4, 100), (9, 50)], (1, 1, 1, 0), id="two detractor answers: the first counts"),
        pytest.param([(9, 200), (6, 100)], (1, 0, 0, 0), id="what was before does not count"),
        pytest.param([(7, 200), (9, 100)], (0, 0, 0, 0), id="a passive is no detractor"),
        pytest.param([(3, 366), (9, 300)], (0, 0, 0, 0), id="answered before the span"),
    ],
)
def test_the_next_scored_answer_decides(answers: list[tuple[int | None, float]], expected: tuple[int, ...]) -> None:
    one(*answers)
    assert told() == expected


def test_machines_imports_and_erased_contacts_count_neither_as_detractors_nor_as_recovered() -> None:
    who = one((3, 100))
    answer(who, 10, 60, is_suspected=True)
    answer(who, 10, 55, channel="import")
    assert told() == (1, 0, 0, 0)
    answer(who, 2, 50)
    assert told() == (1, 1, 0, 0)
    answer(person(), 0, 100, is_suspected=True)
    answer(person(), 0, 100, channel="import")
    answer(None, 0, 100)
    gone = one((2, 100), (9, 50))
    case_of(Response.objects.get(contact=gone, score=2), contacted=70)
    assert told() == (2, 2, 1, 1)
    gone.delete()
    assert told() == (1, 1, 0, 0)


def test_who_is_silent_and_who_still_has_time_is_told_apart() -> None:
    one((3, 300))
    one((3, 300), (9, 200))
    one((3, 300), (9, 30))
    one((3, 20))
    one((3, 20), (9, 10))
    total = found().total
    assert (total.detractors, total.answered, total.silent, total.waiting) == (5, 2, 2, 1)
    assert (total.recovered, total.came_back, total.of_all) == (Part(2, 2), Part(3, 1), Part(3, 1))
    assert (found(days=10).total.waiting, found(days=15).total.waiting) == (0, 0)


SURE = [
    ("case", {"contacted": 80}, "person"),
    ("case", {"contacted": 40}, "nobody"),
    ("case", {"contacted": 101}, "nobody"),
    ("case", {"contacted": None}, "nobody"),
    ("personal", {"sent": 80}, "person"),
    ("personal", {"sent": 80, "status": "bounced"}, "nobody"),
    ("personal", {"sent": None, "status": "queued"}, "nobody"),
    ("campaign", {"sent": 80}, "mail"),
    ("campaign", {"sent": 80, "status": "delivered"}, "mail"),
    ("campaign", {"sent": 80, "status": "complained"}, "mail"),
    ("campaign", {"sent": 80, "status": "failed"}, "nobody"),
    ("campaign", {"sent": 49}, "nobody"),
    ("ask", {"sent": 80}, "nobody"),
    ("invitation", {"sent": 80}, "nobody"),
]


@pytest.mark.parametrize(("what", "fields", "way"), SURE)
def test_contacted_is_who_heard_from_us_between_the_two_answers(what: str, fields: dict[str, Any], way: str) -> None:
    who = one((3, 100), (9, 50))
    first = Response.objects.get(contact=who, score=3)
    if what == "case":
        case_of(first, **fields)
    elif what == "personal":
        mail(who, stream="cases", **fields)
    elif what == "invitation":
        mail(who, **fields)
    else:
        followed_up(first, mail(who, **fields), "email" if what == "campaign" else "ask")
    assert {name: group.detractors for name, group in found().ways.items() if group.detractors} == {way: 1}


def test_a_person_counts_before_a_mail_and_a_case_that_went_into_another_one_does_not_count() -> None:
    who = one((3, 100), (9, 50))
    first = Response.objects.get(contact=who, score=3)
    followed_up(first, mail(who, 90))
    into = case_of(answer(person(), 9, 100))
    case = case_of(first, contacted=80, merged_into=into)
    assert found().ways["mail"].detractors == 1
    case.merged_into = None
    case.save()
    assert (found().ways["mail"].detractors, found().ways["person"].detractors) == (0, 1)


def test_an_owner_and_a_touchpoint_narrow_it_down() -> None:
    owner = User.objects.create(username="kim")
    place = caring.touchpoint()
    mine, there, _other = one((3, 100), (9, 50)), one((3, 100), (9, 50), touchpoint=place), one((3, 100))
    case_of(Response.objects.get(contact=mine, score=3), owner=owner)
    assert told() == (3, 2, 2, 2)
    assert told(Slice(YEAR.since, NOW, owner_id=owner.pk)) == (1, 1, 1, 1)
    assert told(Slice(YEAR.since, NOW, touchpoint_id=place.pk)) == (1, 1, 1, 1)
    answer(there, 0, 120)  # Elsewhere, and before: the first one there counts.
    assert told(Slice(YEAR.since, NOW, touchpoint_id=place.pk)) == (1, 1, 1, 1)


def test_intervals_are_those_of_newcombe_s_tables() -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998): 857–872, table I, method 3; 873–890, table II, method 10."""
    for (total, hits), expected in {
        (263, 81): (0.2553, 0.3662), (148, 15): (0.0624, 0.1605), (20, 0): (0.0000, 0.1611), (29, 1): (0.0061, 0.1718),
    }.items():  # fmt: skip
        assert tuple(round(bound, 4) for bound in wilson(Part(total, hits))) == expected
    for one_, other, expected in [
        (Part(70, 56), Part(80, 48), (0.0524, 0.3339)),
        (Part(10, 9), Part(10, 3), (0.1705, 0.8090)),
        (Part(7, 6), Part(7, 2), (0.0582, 0.8062)),
        (Part(56, 5), Part(29, 0), (-0.0381, 0.1926)),
        (Part(10, 10), Part(20, 0), (0.6791, 1.0000)),
    ]:
        assert tuple(round(bound, 4) for bound in newcombe(one_, other)) == expected


def test_the_verdict_needs_enough_on_both_sides_and_an_interval_without_zero() -> None:
    few = MINIMUM - 1
    for one_, other, expected in [
        (Part(few, few), Part(100, 0), "too_few"),
        (Part(100, 100), Part(few, 0), "too_few"),
        (Part(100, 52), Part(100, 45), "chance"),
        (Part(100, 65), Part(100, 45), "better"),
        (Part(100, 45), Part(100, 65), "worse"),
    ]:
        assert Difference(one_, other).verdict == expected


@pytest.mark.parametrize("seed", [1, 2])
def test_it_equals_a_recount_by_hand(seed: int) -> None:
    rng = random.Random(seed)
    for _number in range(50):
        who = person()
        answers = [
            answer(
                who, rng.choice([0, 3, 6, 6, 7, 9, None]), rng.uniform(0, 420),
                is_suspected=rng.random() < 0.1, channel=rng.choice(["email", "email", "link", "import"]),
            )
            for _n in range(rng.randint(1, 4))
        ]  # fmt: skip
        if rng.random() < 0.5:
            case_of(rng.choice(answers), contacted=rng.choice([None, rng.uniform(0, 420)]))
        if rng.random() < 0.3:
            mail(who, rng.uniform(0, 420), stream=rng.choice(["cases", "cases.wanted", "survey:1"]))
        if rng.random() < 0.4:
            status = rng.choice(["sent", "delivered", "bounced", "unknown"])
            followed_up(rng.choice(answers), mail(who, rng.uniform(0, 420), status=status))
    days = rng.choice([30, 90, 180])
    counted = Counter(recounted(days))
    result = found(days=days)
    for way, group in result.ways.items():
        mine = {row: number for row, number in counted.items() if row[0] == way}
        assert group.detractors == sum(mine.values())
        assert group.answered == sum(n for (_w, again, *_rest), n in mine.items() if again)
        assert group.higher == sum(n for (_w, _a, higher, *_rest), n in mine.items() if higher)
        assert group.risen == sum(n for (_w, _a, _h, risen, _over), n in mine.items() if risen)
        assert group.over == sum(n for (*_rest, over), n in mine.items() if over)
        assert group.over_higher == sum(n for (_w, _a, higher, _r, over), n in mine.items() if over and higher)
    assert sum(group.detractors for group in result.months.values()) == sum(counted.values())


def recounted(days: int) -> Iterator[tuple[str, bool, bool, bool, bool]]:
    """(way, answered again, higher, out, days over) of every contact with a detractor answer, in plain loops."""
    for who in Contact.objects.all():
        rows = Response.objects.filter(contact=who).order_by("answered_at")
        scored = [r for r in rows if r.score is not None and not r.is_suspected and r.channel != "import"]
        bad = [r for r in scored if r.score <= 6 and YEAR.since <= r.answered_at < YEAR.until]
        if not bad:
            continue
        first, limit = bad[0], bad[0].answered_at + timedelta(days=days)
        later = [r for r in scored if r.answered_at > first.answered_at and r.answered_at <= min(limit, NOW)]
        then = later[0] if later else None
        end = min(then.answered_at if then else limit, NOW)
        way = NOBODY
        for email in OutgoingEmail.objects.filter(contact=who, status__in=["sent", "delivered"]):
            if first.answered_at <= email.sent_at < end:
                if email.stream in ("cases", "cases.wanted"):
                    way = "person"
                elif StepRun.objects.filter(email=email).exists() and way == NOBODY:
                    way = "mail"
        for case in Case.objects.filter(contact=who, first_contact_at__isnull=False):
            if first.answered_at <= case.first_contact_at < end:
                way = "person"
        is_higher = then is not None and then.score > first.score
        yield way, then is not None, is_higher, then is not None and then.score >= 7, limit <= NOW


def test_it_costs_one_query_however_many_there_are() -> None:
    for _number in range(3):
        one((3, 100), (9, 50))
    with CaptureQueriesContext(connection) as captured:
        found()
    assert len(captured) <= 1


def test_months_are_those_of_the_detractor_answer_in_utc() -> None:
    who = person()
    caring.response(3, contact=who, at=datetime(2026, 6, 30, 23, 59, tzinfo=UTC))
    caring.response(9, contact=who, at=datetime(2026, 8, 1, tzinfo=UTC))
    assert [(month.isoformat(), group.higher) for month, group in found().months.items()] == [("2026-06-01", 1)]
