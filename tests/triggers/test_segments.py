"""Who belongs to a segment: counted by SQL as the engine would judge."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.contacts.models import Company, Contact
from apps.responses.models import Response
from apps.triggers import segments
from apps.triggers.facts import company_facts, contact_facts, read_histories
from apps.triggers.models import Segment
from apps.triggers.rules import parse_segment
from apps.triggers.segments import bucket_of
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")
TREES: list[dict[str, Any]] = [
    {},
    {"field": "contact.plan", "op": "eq", "value": "gold"},
    {"field": "contact.orders", "op": "ge", "value": 3},
    {"field": "contact.country", "op": "in", "value": ["DE", "AT"]},
    {"field": "contact.locale", "op": "ne", "value": "en"},
    {"field": "contact.email", "op": "matches", "value": "*@example.com"},
    {"field": "contact.time_zone", "op": "missing"},
    {"field": "contact.created_at", "op": "within_days", "value": 30},
    {"field": "company.name", "op": "contains", "value": "ACME"},
    {"field": "company.seats", "op": "between", "value": [10, 20]},
    {"field": "company.country", "op": "exists"},
    {"field": "history.last_score", "op": "le", "value": 6},
    {"field": "history.responses", "op": "eq", "value": 3},
    {"field": "history.days_since_response", "op": "gt", "value": 10},
    {"field": "history.last_response_at", "op": "older_days", "value": 10},
    {"field": "history.events", "op": "ge", "value": 1},
    {"field": "history.lifetime_days", "op": "ge", "value": 100},
    {
        "any": [
            {"field": "contact.plan", "op": "eq", "value": "gold"},
            {"not": {"field": "company.seats", "op": "exists"}},
        ]
    },
]


@pytest.fixture
def people(tenant: Any) -> list[Contact]:
    now = timezone.now()
    acme = Company.objects.create(name="Acme GmbH", external_id="a", properties={"seats": 12, "country": "DE"})
    other = Company.objects.create(name="Other", external_id="o", country="AT", properties={"seats": "15"})
    rows = [
        factories.ContactFactory(properties={"plan": "gold", "orders": 5}, country="DE", company=acme),
        factories.ContactFactory(
            properties={"plan": "basic", "orders": "3", "country": "AT"}, locale="de", company=other
        ),
        factories.ContactFactory(properties={"plan": None}, time_zone="Europe/Berlin", email=None),
        factories.ContactFactory(properties=[], email="x@elsewhere.example"),
        factories.ContactFactory(properties={"country": ["DE"], "plan": ["gold"]}),
        factories.ContactFactory(),
    ]
    Contact.objects.filter(pk=rows[0].pk).update(created_at=now - timedelta(days=300))
    survey = factories.SurveyFactory()
    for n, (days, score) in enumerate([(40, 9), (20, 3), (5, 8)]):
        at = now - timedelta(days=days)
        Response.objects.create(survey=survey, contact=rows[n // 2], score=score, answered_at=at, updated_at=at)
    # A score that was skipped, and a machine's: the last score stays what it was.
    told = {"survey": survey, "contact": rows[0], "answered_at": now - timedelta(days=15), "updated_at": now}
    Response.objects.create(**told, score=None)
    Response.objects.create(**{**told, "answered_at": now - timedelta(days=2)}, score=10, is_suspected=True)
    Response.objects.create(**{**told, "contact": rows[3]}, score=1, is_suspected=True)
    Response.objects.create(**{**told, "contact": rows[4]}, score=None)
    at = now - timedelta(days=150)
    factories.EventFactory(contact=rows[1], status="decided", occurred_at=at, received_at=at)
    factories.EventFactory(contact=rows[2], status="pending")
    return list(Contact.objects.select_related("company"))


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_sql_counts_whom_the_engine_would_ask(people: list[Contact], tree: dict[str, Any]) -> None:
    now = timezone.now()
    condition = parse_segment(tree)
    histories = read_histories({row.pk: row for row in people}, now=now)
    expected = [
        row
        for row in people
        if condition.test(
            {
                "contact": contact_facts(row),
                "company": company_facts(row.company),
                "history": histories[row.pk].facts(None, now),
            },
            now,
        )
    ]
    assert segments.size(condition=tree, now=now) == len(expected)
    buckets = segments.bucket_counts(condition=tree, now=now)
    assert sorted(buckets) == sorted({bucket_of(row.pk) for row in expected})


def test_a_segment_is_about_contacts_only_and_holds_no_other_segment() -> None:
    for tree in (
        {"field": "event.total", "op": "ge", "value": 1},
        {"field": "segment", "op": "in_segment", "value": "x"},
    ):
        with pytest.raises(ValidationError) as caught:
            Segment(key="x", name="X", condition=tree).full_clean()
        assert "condition" in caught.value.message_dict


def test_the_database_knows_the_same_buckets(people: list[Contact]) -> None:
    turns = [segments.Slice(0, bucket_of(people[0].pk), bucket_of(people[0].pk) + 1)]
    now = timezone.now()
    assert segments.contact_ids(turns, condition={}, now=now, after=None, limit=10) == [people[0].pk]
    assert segments.contact_ids(turns, condition={}, now=now, after=people[0].pk, limit=10) == []
    nobody = {"field": "contact.plan", "op": "eq", "value": "platinum"}
    assert segments.contact_ids(turns, condition=nobody, now=now, after=None, limit=10) == []
