"""Many at once, with connections of their own: fair turns, no case twice, no alarm twice, no change lost."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django_tenants.utils import tenant_context

from apps.alerts.models import Notice
from apps.cases import alarms, services
from apps.cases.models import Case, CaseChange
from apps.cases.opening import open_by_rules
from apps.cases.services import Changes
from apps.integrations.models import Delivery, Endpoint
from apps.responses.models import Response
from apps.tenants.models import Tenant
from apps.tenants.provisioning import create_tenant
from tests.cases.caring import NOW, contact, hours, policy, response, rule, worker

WORKERS = 12


@pytest.fixture(scope="module")
def race(django_db_setup: None, django_db_blocker: Any) -> Iterator[Tenant]:
    """A tenant of its own with committed rows, dropped afterwards."""
    with django_db_blocker.unblock():
        connection.set_schema_to_public()
        tenant = create_tenant(schema_name="caserace", name="Race")
        try:
            yield tenant
        finally:
            connection.set_schema_to_public()
            tenant.delete(force_drop=True)
            connection.close()


@pytest.fixture
def inside(race: Tenant, autocommit: None) -> Iterator[None]:
    """Within that tenant, without cases."""
    with tenant_context(race):
        Case.objects.all().delete()
        Response.objects.all().delete()
        Notice.objects.all().delete()
        Delivery.objects.all().delete()
        yield


def at_once(race: Tenant, acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each comes to when all begin at the same time; errors included."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            with tenant_context(race):
                start.wait(60)
                return act()
        except services.CaseError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def test_turns_are_fair_a_response_has_one_case_and_a_contact_one_open_one(race: Tenant, inside: None) -> None:
    Endpoint.objects.create(url="https://hook.example/")
    members = [worker(name) for name in ("ada", "bob", "cleo")]
    rule(*members)
    # Every worker gets what its neighbours get as well, in another order; each contact answered twice.
    rows = [response(contact=contact(f"kim{number // 2}")) for number in range(WORKERS * 6)]

    def act(number: int) -> Callable[[], None]:
        mine = [rows[(number * 6 + place * 7) % len(rows)] for place in range(12)]
        return lambda: open_by_rules(responses=mine, now=NOW)

    at_once(race, [act(number) for number in range(WORKERS)])
    open_by_rules(responses=rows, now=NOW)
    cases = list(Case.objects.all())
    assert len({case.contact_id for case in cases}) == len(cases) == WORKERS * 3
    assert set(Counter(case.owner_id for case in cases).values()) == {WORKERS}
    assert CaseChange.objects.filter(kind="opened").count() == len(cases)
    assert CaseChange.objects.filter(kind="answered").count() == len(rows) - len(cases)
    assert Delivery.objects.filter(event_type="case.opened").count() == len(cases)
    assert Notice.objects.filter(kind="case_assigned").count() == len(cases)


def test_two_workers_tell_each_alarm_once(race: Tenant, inside: None) -> None:
    policy(contact_within=hours(1), remind_before=hours(0))
    rows = [response() for _ in range(30)]
    open_by_rules(responses=rows, now=NOW)
    at = NOW + hours(2)

    def drain() -> int:
        done = 0
        while count := alarms.sound(now=at, limit=5):
            done += count
        return done

    assert sum(at_once(race, [drain] * 4)) == 30
    assert Notice.objects.filter(kind="case_overdue").count() == 30
    assert CaseChange.objects.filter(kind="overdue").count() == 30


def test_of_two_changes_on_top_of_the_same_one_wins_and_the_other_is_told(race: Tenant, inside: None) -> None:
    open_by_rules(responses=[response()], now=NOW)
    case = Case.objects.get()

    def act(number: int) -> Callable[[], Case]:
        changes = Changes(status="contacted" if number % 2 else "new", is_urgent=True)
        return lambda: services.change(case_id=case.pk, revision=0, changes=changes, by=None, now=NOW)

    said = at_once(race, [act(number) for number in range(6)])
    assert Counter(type(one).__name__ for one in said) == {"Case": 1, "ChangedMeanwhileError": 5}
    case.refresh_from_db()
    assert case.revision == 1
    assert case.changes.filter(kind="urgent").count() == 1


def test_bulk_changes_merging_and_opening_never_wait_for_each_other_in_a_circle(race: Tenant, inside: None) -> None:
    kim = [contact(f"lee{number}", "Acme") for number in range(6)]
    open_by_rules(responses=[response(contact=one) for one in kim], now=NOW)
    ids = list(Case.objects.order_by("pk").values_list("pk", flat=True))
    further = [response(contact=one) for one in kim]
    acts: list[Callable[[], Any]] = [
        *[
            lambda order=order: services.change_many(  # type: ignore[misc]
                case_ids=order, changes=Changes(is_urgent=len(order) % 2 == 0), by=None, now=NOW
            )
            for order in (ids, ids[::-1], ids[:5], ids[:0:-1])
        ],
        lambda: open_by_rules(responses=further, now=NOW),
        lambda: open_by_rules(responses=further[::-1], now=NOW),
        lambda: services.merge(into=ids[3], others=[ids[0], ids[5]], by=None, now=NOW),
    ]
    at_once(race, acts)
    assert Case.objects.filter(merged_into=ids[3]).count() == 2
    assert CaseChange.objects.filter(kind="answered").count() + Case.objects.count() == 12
