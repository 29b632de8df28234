"""Which responses open a case, whose it is, and until when."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.alerts.models import Notice
from apps.cases.models import Case, CaseChange, CaseRuleMember, Responsibility
from apps.cases.models.policy import LONGEST
from apps.cases.opening import open_by_hand, open_by_rules, open_cases
from apps.contacts.models import Company
from apps.integrations.models import Endpoint
from apps.responses.models import Response
from apps.triggers.models import Segment
from tests.cases.caring import NOW, berlin, contact, hours, opened, policy, response, rule, survey, touchpoint, worker

pytestmark = pytest.mark.usefixtures("tenant")


def kinds(case: Case) -> list[str]:
    return list(case.changes.values_list("kind", flat=True))


def told(kind: str) -> list[tuple[str, str]]:
    found = Notice.objects.filter(kind=kind).order_by("pk")
    return [(row.user.username if row.user else "", row.response.contact.name) for row in found]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("fields", "answer", "fits"),
    [
        ({}, {"score": 6}, True),
        ({}, {"score": 7}, False),
        ({}, {"score": None}, False),
        ({"score": "passive"}, {"score": 8}, True),
        ({"score": "promoter"}, {"score": 8}, False),
        ({"score": ""}, {"score": 10}, True),
        ({"score": ""}, {"score": None}, True),
        ({"score": "", "keywords": ["Anwalt", "cancel"]}, {"score": 9, "comment": "Mein ANWALT meldet sich"}, True),
        ({"score": "", "keywords": ["Anwalt"]}, {"score": 1, "comment": "Anwaltskosten"}, False),
        ({"keywords": ["cancel"]}, {"score": 9, "comment": "cancel"}, False),
        ({"survey": "order"}, {}, True),
        ({"survey": "other"}, {}, False),
        ({"touchpoint": "order_received"}, {}, True),
        ({"touchpoint": "other"}, {}, False),
        ({"segment": "big"}, {}, True),
        ({"segment": "small"}, {}, False),
        ({"segment": "broken"}, {}, False),
        ({"segment": "big"}, {"contact": None}, False),
        ({}, {"contact": None}, True),
        ({}, {"is_suspected": True}, False),
        ({}, {"channel": "import"}, False),
        ({"is_active": False}, {"score": 3}, True),  # No active rule: every detractor.
        ({"is_active": False}, {"score": 7}, False),
    ],
)
def test_a_case_is_opened_for_what_a_rule_says(fields: dict[str, Any], answer: dict[str, Any], fits: bool) -> None:
    conditions = {
        "big": {"field": "company.value", "op": "ge", "value": 100},
        "small": {"field": "company.value", "op": "lt", "value": 100},
        "broken": {"field": "nonsense"},
    }
    wanted = dict(fields)
    if "segment" in wanted:
        key = wanted.pop("segment")
        wanted["contact_segment"] = Segment.objects.create(key=key, name=key, condition=conditions[key])
    for name, find in (("survey", survey), ("touchpoint", touchpoint)):
        if name in wanted:
            wanted[name] = find(wanted[name])
    rule(**wanted)
    kim = contact("kim", company="Big")
    Company.objects.update(properties={"value": 500})
    row = response(**{"contact": kim, "touchpoint": touchpoint(), **answer})
    cases = opened(row)
    assert bool(cases) is fits
    if fits:
        assert (cases[0].contact_id, cases[0].status) == (row.contact_id, "new")
        assert kinds(cases[0]) == ["opened"]


def test_the_first_rule_that_fits_says_whose_how_urgent_and_until_when() -> None:
    berlin()
    policy(contact_within=hours(4), close_within=hours(16))
    ada, bob = worker("ada"), worker("bob")
    rule(ada, position=2)
    urgent = rule(bob, position=1, keywords=["cancel"], is_urgent=True, contact_within=hours(1), close_within=hours(8))
    rule(ada, position=0, is_active=False, keywords=["cancel"])
    loud, calm = opened(response(comment="I cancel!"), response(comment="Well."))
    assert (loud.rule, loud.owner, loud.is_urgent) == (urgent, bob, True)
    assert (loud.contact_due_at, loud.due_at) == (NOW + hours(1), NOW + timedelta(days=1))
    assert (calm.owner, calm.is_urgent) == (ada, False)
    assert (calm.contact_due_at, calm.due_at) == (NOW + hours(4), NOW + timedelta(days=2))
    assert sorted(told("case_assigned")) == [("ada", "C1"), ("bob", "C0")]


def test_without_a_time_for_the_first_contact_there_is_none() -> None:
    policy(contact_within=hours(0))
    [case] = opened(response())
    assert case.contact_due_at is None


def test_a_time_that_no_calendar_holds_is_refused_and_counts_as_a_year_where_it_was_saved() -> None:
    policy(hours=[])
    endless = rule(score="", close_within=timedelta(days=3_000_000), contact_within=timedelta(days=3_000_000))
    with pytest.raises(ValidationError) as refused:
        endless.full_clean()
    assert set(refused.value.message_dict) == {"contact_within", "close_within"}
    [case] = opened(response())
    assert (case.contact_due_at, case.due_at) == (NOW + LONGEST, NOW + LONGEST)


def test_members_take_turns_and_who_cannot_is_passed_over() -> None:
    ada, bob, cleo = worker("ada"), worker("bob"), worker("cleo")
    idle, stranger = worker("idle", is_active=False), worker("stranger")
    stranger.user_permissions.clear()
    rule(idle, ada, stranger, bob, cleo)
    CaseRuleMember.objects.filter(user=cleo).update(last_at=NOW - timedelta(days=9))
    CaseRuleMember.objects.filter(user=bob).update(last_at=NOW - timedelta(days=3))
    first = opened(*(response() for _ in range(4)))
    second = opened(*(response() for _ in range(3)), now=NOW + timedelta(hours=1))
    assert [case.owner for case in [*first, *second]] == [ada, cleo, bob, ada, cleo, bob, ada]
    for user in (ada, bob, cleo):
        user.is_active = False
        user.save()
    [nobodys] = opened(response())
    assert nobodys.owner is None


def test_who_looks_after_a_company_or_touchpoint_gets_its_cases_and_otherwise_the_next_in_turn() -> None:
    ada, bob, cleo, idle = worker("ada"), worker("bob"), worker("cleo"), worker("idle", is_active=False)
    rule(cleo, owner="company", touchpoint=touchpoint("shop"))
    rule(cleo, owner="touchpoint", touchpoint=touchpoint("phone"))
    rule(owner="touchpoint", touchpoint=touchpoint("other"))
    rule(ada, owner="nobody")
    kim, jo, lee = contact("kim", "Acme"), contact("jo", "Other"), contact("lee", "Idle")
    Responsibility.objects.create(user=ada, company=kim.company)
    Responsibility.objects.create(user=idle, company=lee.company)
    Responsibility.objects.create(user=bob, touchpoint=touchpoint("phone"))
    answers = [
        response(contact=kim, touchpoint=touchpoint("shop")),
        response(contact=jo, touchpoint=touchpoint("shop")),
        response(contact=lee, touchpoint=touchpoint("shop")),
        response(contact=None, touchpoint=touchpoint("shop")),
        response(touchpoint=touchpoint("phone")),
        response(touchpoint=touchpoint("other")),
        response(touchpoint=touchpoint()),
    ]
    assert [case.owner for case in opened(*answers)] == [ada, cleo, cleo, cleo, bob, None, None]


def test_a_response_that_comes_again_keeps_its_case_and_tells_what_changed() -> None:
    rule(worker("ada"))
    row = response(score=2)
    [case] = opened(row)
    assert opened(row, now=NOW + timedelta(hours=1)) == [case]
    assert kinds(case) == ["opened"]
    row.score = 10
    row.save()
    for _ in range(2):
        [case] = opened(row, now=NOW + timedelta(hours=2))
    assert (kinds(case), case.status, case.revision) == (["opened", "answered"], "new", 1)
    assert case.changes.last().data == {"response": str(row.pk), "score": 10, "was": 2}  # type: ignore[union-attr]
    assert told("case_reply") == [("ada", "C0")]


def test_a_contact_with_an_open_case_gets_no_second_one_unless_it_is_urgent() -> None:
    ada = worker("ada")
    rule(ada, position=1)
    rule(ada, keywords=["cancel"], is_urgent=True)
    kim = contact("kim")
    first, second = response(contact=kim), response(contact=kim, score=4, at=NOW + timedelta(minutes=1))
    [case] = opened(second, first)
    assert case.response == first  # The earlier one opens it, whatever the order they come in.
    for _ in range(2):
        assert opened(second, first) == [case]
    assert kinds(case) == ["opened", "answered"]
    urgent = response(contact=kim, comment="I cancel")
    assert len(opened(urgent)) == 1
    Case.objects.update(status="solved", outcome="Done", closed_at=NOW)
    assert opened(second) == []  # It was dealt with: it says nothing new.
    second.score = 0
    second.save()
    assert len(opened(second)) == 1
    assert len(opened(response(contact=kim))) == 0


def test_a_step_opens_cases_whatever_the_rules_say_and_none_twice() -> None:
    rule(score="passive")
    row = response(score=10)
    assert opened(row) == []
    for _ in range(2):
        open_cases(responses=[row, response(is_suspected=True)], now=NOW)
    case = Case.objects.get()
    assert (case.response, case.rule, case.owner) == (row, None, None)


def test_by_hand_a_case_is_opened_also_beside_an_open_one_and_is_theirs_who_opened_it() -> None:
    ada, kim = worker("ada"), contact("kim")
    first, second = response(contact=kim), response(contact=kim, channel="import")
    opened(first)
    case = open_by_hand(response_id=second.pk, by=ada, now=NOW)
    assert (case.response, case.owner, case.changes.get().by) == (second, ada, ada)
    assert open_by_hand(response_id=second.pk, by=ada, now=NOW) == case
    assert told("case_assigned") == []
    Case.objects.filter(pk=case.pk).update(merged_into=first.case)
    assert open_by_hand(response_id=second.pk, by=ada, now=NOW) == first.case


def test_an_anonymous_response_opens_a_case_of_nobodys_once_it_may_be_seen() -> None:
    anonymous = survey("quiet", is_anonymous=True)
    kim = contact("kim")
    row = response(survey=anonymous, contact=kim)
    with pytest.raises(Response.DoesNotExist):
        open_by_hand(response_id=row.pk, by=None, now=NOW)
    for _ in range(4):
        response(survey=anonymous, contact=None)
    assert open_by_hand(response_id=row.pk, by=None, now=NOW).contact is None


def cost(number: int, now: datetime) -> int:
    """Queries for a batch: new cases of two rules, further answers, and changed ones."""
    before = [response(score=1) for _ in range(number)]
    opened(*before, now=now)
    Response.objects.filter(pk__in=[row.pk for row in before]).update(score=0)
    changed = list(Response.objects.filter(pk__in=[row.pk for row in before]))
    further = [response(contact=row.contact) for row in before]
    fresh = [response(touchpoint=touchpoint()) for _ in range(number)]
    with CaptureQueriesContext(connection) as captured:
        open_by_rules(responses=[*changed, *further, *fresh], now=now)
    assert Case.objects.filter(response__in=fresh).count() == number
    assert CaseChange.objects.filter(case__response__in=before, kind="answered").count() == 2 * number
    return len(captured)


def test_a_batch_costs_as_many_queries_as_one_response() -> None:
    Endpoint.objects.create(url="https://hook.example/")
    ada, bob = worker("ada"), worker("bob")
    everybody = Segment.objects.create(
        key="all", name="All", condition={"field": "contact.email", "op": "contains", "value": "@"}
    )
    rule(ada, bob, owner="touchpoint", touchpoint=touchpoint())
    rule(ada, bob, contact_segment=everybody)
    assert cost(1, NOW) == cost(25, NOW + timedelta(hours=1)) < 50
