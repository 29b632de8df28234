"""Workers and people at once, with connections of their own: nobody waits in a circle, and stopped is stopped."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress as passing_over
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.utils import timezone
from django_tenants.utils import tenant_context

from apps.api.delighted.erasing import erase
from apps.campaigns import services
from apps.campaigns.models import Campaign, Enrolment, StepRun
from apps.campaigns.runs import Run
from apps.campaigns.sequence import Kind
from apps.cases import services as cases
from apps.cases.models import Case
from apps.cases.services import Changes
from apps.common.ids import uuid7
from apps.messaging.models import OutgoingEmail
from apps.responses.models import Response
from apps.tenants.models import Tenant
from apps.tenants.provisioning import create_tenant
from tests import factories
from tests.campaigns.test_services import BASE, respond

MAIL = {"kind": "email", "subject": {"en": "Hi"}, "body": {"en": "Hi"}, "within_budget": True, "also_while_case": True}
TAG = {"kind": "tag", "add": ["seen"]}


@pytest.fixture(scope="module")
def race(django_db_setup: None, django_db_blocker: Any) -> Iterator[Tenant]:
    """A tenant of its own with committed rows, dropped afterwards."""
    with django_db_blocker.unblock():
        connection.set_schema_to_public()
        tenant = create_tenant(schema_name="steprace", name="Race")
        try:
            yield tenant
        finally:
            connection.set_schema_to_public()
            tenant.delete(force_drop=True)
            connection.close()


@pytest.fixture
def inside(race: Tenant, autocommit: None) -> Iterator[None]:
    """Within that tenant, without responses and campaigns."""
    with tenant_context(race):
        Response.objects.all().delete()
        OutgoingEmail.objects.all().delete()
        Campaign.objects.update(is_active=False)
        yield


def begin(threads: ThreadPoolExecutor, race: Tenant, act: Callable[[], Any]) -> Future[Any]:
    """Let it run in a thread, within the tenant."""

    def run() -> Any:
        try:
            with tenant_context(race):
                return act()
        finally:
            connection.close()

    return threads.submit(run)


def campaign_of(*steps: dict[str, Any], **fields: Any) -> Campaign:
    numbered = [{"key": f"k{number}", **step} for number, step in enumerate(steps, 1)]
    return factories.publish(factories.CampaignFactory(**{"segment": "", **fields}), numbered)


def wait_for_a_waiter() -> None:
    """Until somebody waits for a lock."""
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        threading.Event().wait(0.05)
    raise AssertionError("nobody waits")


def test_who_is_stopped_while_a_step_is_in_hand_takes_that_step_and_none_after_it(race: Tenant, inside: None) -> None:
    campaign_of(TAG, {**TAG, "add": ["too much"]})
    respond(9)
    now = timezone.now()
    services.enrol(now=now)
    enrolment = Enrolment.objects.get()
    in_hand, go_on, honest = threading.Event(), threading.Event(), services._go_on

    def slowly(runs: Sequence[Run], at: Any) -> None:
        in_hand.set()
        go_on.wait(20)
        honest(runs, at)

    with ThreadPoolExecutor(2) as threads, mock.patch.object(services, "_go_on", slowly):
        worker = begin(threads, race, lambda: services.run_steps(now=now, base_url=BASE))
        assert in_hand.wait(20)
        stopped = begin(threads, race, lambda: services.stop(enrolment_ids=[enrolment.pk], reason="by_hand", now=now))
        wait_for_a_waiter()
        go_on.set()
        assert (worker.result(), stopped.result()) == (1, 1)
    later = timezone.now() + timedelta(minutes=1)
    for _ in range(2):
        services.run_steps(now=later, base_url=BASE)
    assert Response.objects.get().tags == ["seen"]
    assert list(StepRun.objects.order_by("position").values_list("status", flat=True)) == ["done", "skipped"]
    enrolment.refresh_from_db()
    assert (enrolment.state, enrolment.end_reason) == ("stopped", "by_hand")


def test_two_workers_with_the_same_contacts_do_not_wait_for_each_other_in_a_circle(race: Tenant, inside: None) -> None:
    ask = {"kind": "ask", "survey": factories.SurveyFactory().pk, "also_while_case": True}
    mails, asks = campaign_of(MAIL, segment="promoter"), campaign_of(ask, segment="detractor")
    first, second = respond(9), respond(9)
    again = [
        Response.objects.create(
            id=uuid7(), survey=row.survey, contact=row.contact, score=1, answered_at=row.answered_at,
            updated_at=row.answered_at, follow_up_at=row.answered_at,
        )
        for row in (first, second)
    ]  # fmt: skip
    Campaign.objects.update(stop_on_response=False)
    now = timezone.now()
    services.enrol(now=now)
    # One worker mails the first contact and asks the second, the other the other way round.
    order = [(mails, first), (asks, again[1]), (mails, second), (asks, again[0])]
    for place, (campaign, response) in enumerate(order):
        rows = StepRun.objects.filter(enrolment__campaign=campaign, enrolment__response=response)
        assert rows.update(due_at=now - timedelta(minutes=10 - place)) == 1
    meeting, honest = threading.Barrier(2), services._RUNNERS[Kind.EMAIL]

    def mailing(runs: Sequence[Run]) -> None:
        honest(runs)
        with passing_over(threading.BrokenBarrierError):  # One waits for the other from the beginning.
            meeting.wait(3)

    with (
        ThreadPoolExecutor(2) as threads,
        mock.patch.dict(services._RUNNERS, {Kind.EMAIL: mailing}),
    ):
        act = lambda: services.run_steps(now=now, base_url=BASE, limit=2)  # noqa: E731
        assert [one.result() for one in [begin(threads, race, act), begin(threads, race, act)]] == [2, 2]
    assert not StepRun.objects.filter(status="pending", reason="").exists()


def test_closing_a_case_does_not_wait_for_a_worker_that_looks_at_what_rests(race: Tenant, inside: None) -> None:
    campaign_of({**MAIL, "also_while_case": False}, segment="detractor")
    respond(3)
    now = timezone.now()
    services.enrol(now=now)
    services.run_steps(now=now, base_url=BASE)
    assert StepRun.objects.get().reason == "case_open"
    later = now + timedelta(hours=2)
    in_hand, go_on, honest = threading.Event(), threading.Event(), services._go_on

    def slowly(runs: Sequence[Run], at: Any) -> None:
        in_hand.set()
        go_on.wait(20)
        honest(runs, at)

    closed = Changes(status="solved", outcome="Done")
    case = Case.objects.get()
    with ThreadPoolExecutor(2) as threads, mock.patch.object(services, "_go_on", slowly):
        worker = begin(threads, race, lambda: services.run_steps(now=later, base_url=BASE))
        assert in_hand.wait(20)
        change = lambda: cases.change(case_id=case.pk, revision=None, changes=closed, by=None, now=now)  # noqa: E731
        try:
            assert begin(threads, race, change).result(10).status == "solved"
        finally:
            go_on.set()
        assert worker.result() == 1


def test_a_contact_is_erased_while_a_worker_has_its_step_in_hand(race: Tenant, inside: None) -> None:
    campaign_of(MAIL)
    contact_id = respond(9).contact_id
    assert contact_id is not None
    now = timezone.now()
    services.enrol(now=now)
    in_hand, go_on, honest = threading.Event(), threading.Event(), services._lock_contacts

    def slowly(runs: Sequence[Run]) -> None:
        in_hand.set()
        go_on.wait(20)
        honest(runs)

    with ThreadPoolExecutor(2) as threads, mock.patch.object(services, "_lock_contacts", slowly):
        worker = begin(threads, race, lambda: services.run_steps(now=now, base_url=BASE))
        assert in_hand.wait(20)
        erased = begin(threads, race, lambda: erase(contact_id=contact_id, now=now))
        wait_for_a_waiter()
        go_on.set()
        assert (worker.result(), erased.result()) == (1, True)
    assert not StepRun.objects.exists()
    assert not OutgoingEmail.objects.filter(reason__startswith="step:").exists()
