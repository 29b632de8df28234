"""What is broken, stopped or missing holds up nobody else, and does no harm."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.campaigns.models import Campaign, CampaignVersion, Enrolment, StepRun
from apps.campaigns.services import enrol, enrol_due, run_due, run_steps
from apps.campaigns.troubles import BACKOFF
from apps.cases import opening
from apps.cases import services as cases
from apps.cases.models import Case
from apps.common.ids import uuid7
from apps.contacts.models import ContactBudget
from apps.incentives.models import Voucher, VoucherPool
from apps.messaging.models import OutgoingEmail
from apps.responses.models import Response
from tests import factories
from tests.campaigns.test_services import BASE, respond
from tests.messaging.words import words as words_of

pytestmark = pytest.mark.usefixtures("tenant")
MAIL = {"kind": "email", "subject": {"en": "Hi"}, "body": {"en": "Hi"}, "also_while_case": True}
TAG = {"kind": "tag", "add": ["seen"]}
NO_SEQUENCE = {"steps": [{"key": "k1", "kind": "email", "body": {"en": "Dear {{ nobody }}"}}]}


def campaign_of(*steps: dict[str, Any], **fields: Any) -> Campaign:
    numbered = [{"key": f"k{number}", **step} for number, step in enumerate(steps, 1)]
    return factories.publish(factories.CampaignFactory(**{"segment": "", **fields}), numbered)


def break_version(campaign: Campaign) -> None:
    CampaignVersion.objects.filter(campaign=campaign).update(document=NO_SEQUENCE)


def test_a_campaign_whose_steps_cannot_be_read_takes_nobody_and_the_others_go_on() -> None:
    break_version(campaign_of(MAIL, segment="promoter", name="Broken"))
    whole = campaign_of(MAIL, segment="detractor", name="Whole")
    happy, sad = respond(9), respond(3)
    assert enrol(now=timezone.now()) == 2
    happy.refresh_from_db()
    assert happy.follow_up == "none"
    assert list(Enrolment.objects.values_list("campaign", "response")) == [(whole.pk, sad.pk)]


def test_enrolments_whose_steps_cannot_be_read_any_more_fail_alone() -> None:
    broken = campaign_of(MAIL, segment="promoter", name="Broken")
    campaign_of(TAG, segment="detractor", name="Whole")
    for score in (9, 10, 3):
        respond(score)
    now = timezone.now()
    enrol(now=now)
    break_version(broken)
    assert run_steps(now=now, base_url=BASE) == 3  # Without a standstill: not one by one.
    assert Response.objects.get(score=3).tags == ["seen"]
    for later in BACKOFF:
        assert set(Enrolment.objects.filter(campaign=broken).values_list("state", flat=True)) == {"running"}
        now += later
        run_due(now=now, base_url=BASE)
        now += timedelta(seconds=1)
    rows = StepRun.objects.filter(enrolment__campaign=broken)
    assert set(rows.values_list("status", "reason", "enrolment__state")) == {("failed", "SequenceError", "failed")}


def test_a_response_that_breaks_its_follow_up_holds_up_nobody_and_is_given_up_after_a_week(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    campaign_of(MAIL)
    bad, good = respond(3), respond(4)
    honest = opening.open_by_rules

    def fail(*, responses: Sequence[Response], now: Any) -> None:
        if bad.pk in {row.pk for row in responses}:
            raise ValueError("broken")
        honest(responses=responses, now=now)

    monkeypatch.setattr(opening, "open_by_rules", fail)
    now = timezone.now()
    enrol_due(now=now)
    assert list(Enrolment.objects.values_list("response", flat=True)) == [good.pk]
    bad.refresh_from_db()
    assert (bad.follow_up, bad.follow_up_at) == ("pending", now + timedelta(hours=1))
    assert enrol_due(now=now) == 0
    enrol_due(now=now + timedelta(days=8))
    bad.refresh_from_db()
    assert bad.follow_up == "none"


def test_what_is_left_of_a_stopped_enrolment_is_not_run() -> None:
    campaign_of(TAG, TAG)
    respond(9)
    now = timezone.now()
    enrol(now=now)
    Enrolment.objects.update(state="stopped", end_reason="by_hand", ended_at=now)
    run_steps(now=now, base_url=BASE)
    assert list(StepRun.objects.values_list("status", "reason")) == [("skipped", "by_hand")]
    assert (Response.objects.get().tags, Enrolment.objects.get().state) == ([], "stopped")


def test_a_step_that_was_taken_before_its_turn_is_not_taken_again() -> None:
    """Before campaigns were sequences, a later step could go before an earlier one that broke."""
    campaign_of(MAIL, TAG, MAIL)
    respond(9)
    now = timezone.now()
    enrol(now=now)
    StepRun.objects.create(
        enrolment=Enrolment.objects.get(), step_key="k2", kind="tag", position=2, status="done", due_at=now, done_at=now
    )
    for _ in range(3):
        run_due(now=now, base_url=BASE)
    assert set(StepRun.objects.values_list("step_key", "status")) == {("k1", "done"), ("k2", "done"), ("k3", "done")}
    assert Enrolment.objects.get().state == "done"


def test_a_mail_about_a_voucher_that_was_not_issued_is_not_sent() -> None:
    pool = VoucherPool.objects.create(name="Sorry", value={"en": "5 €"}, kind="uploaded")
    campaign_of(
        {"kind": "voucher", "pool": pool.pk},
        {**MAIL, "body": {"en": "Your code: {{ voucher }}"}},
        {**MAIL, "body": {"en": "Your code: {{ voucher|there was none left }}"}},
    )
    respond(9)
    now = timezone.now()
    enrol(now=now)
    for _ in range(4):
        run_due(now=now, base_url=BASE)
    runs = StepRun.objects.order_by("position").values_list("status", "reason")
    assert list(runs) == [("skipped", "pool_empty"), ("skipped", "no_voucher"), ("done", "")]
    assert "there was none left" in words_of(OutgoingEmail.objects.get()).text


def test_of_two_vouchers_the_mail_names_the_one_given_last() -> None:
    first, last = (
        VoucherPool.objects.create(name=name, value={"en": name}, kind="uploaded") for name in ("First", "Last")
    )
    # The one of the first pool is the younger row.
    Voucher.objects.create(pool=last, code="LAST-1")
    Voucher.objects.create(pool=first, code="FIRST-1")
    campaign_of(
        {"kind": "voucher", "pool": first.pk},
        {"kind": "voucher", "pool": last.pk},
        {**MAIL, "body": {"en": "Your code: {{ voucher }}"}},
    )
    respond(9)
    now = timezone.now()
    enrol(now=now)
    for _ in range(2):
        run_due(now=now, base_url=BASE)
    Voucher.objects.filter(pool=first).update(status="redeemed", redeemed_at=now)
    run_due(now=now, base_url=BASE)
    assert "LAST-1" in words_of(OutgoingEmail.objects.get()).text


@pytest.mark.parametrize("is_merged", [False, True])
def test_a_branch_knows_the_open_case_that_a_response_belongs_to(is_merged: bool) -> None:
    """Noted on a case that was open already, or with a case of its own that went into that one."""
    ask = {"kind": "branch", "condition": {"field": "case.open", "op": "eq", "value": True}, "no": []}
    campaign_of({**ask, "yes": [{"key": "y", **TAG}]}, segment="passive")
    old = respond(2)
    now = timezone.now()
    enrol(now=now)
    row = Response.objects.create(
        id=uuid7(), survey=old.survey, contact=old.contact, score=7, answered_at=timezone.now(),
        updated_at=timezone.now(), follow_up_at=timezone.now(),
    )  # fmt: skip
    if is_merged:
        case = cases.open_by_hand(response_id=row.pk, by=None, now=timezone.now())
        cases.merge(into=Case.objects.get(response=old).pk, others=[case.pk], by=None, now=timezone.now())
    enrol(now=timezone.now())
    for _ in range(2):
        run_due(now=timezone.now(), base_url=BASE)
    row.refresh_from_db()
    assert row.tags == ["seen"]


def test_a_mail_within_the_budget_knows_of_the_one_that_goes_out_at_the_same_time() -> None:
    ContactBudget.objects.create(pk=1, min_days_between=14)
    campaign_of({**MAIL, "within_budget": True}, segment="promoter", stop_on_response=False)
    campaign_of(MAIL, segment="passive", stop_on_response=False)
    first = respond(9)
    Response.objects.create(
        id=uuid7(), survey=first.survey, contact=first.contact, score=7, answered_at=timezone.now(),
        updated_at=timezone.now(), follow_up_at=timezone.now(),
    )  # fmt: skip
    now = timezone.now()
    enrol(now=now)
    assert run_steps(now=now, base_url=BASE) == 2
    runs = StepRun.objects.order_by("enrolment__campaign").values_list("status", "reason")
    assert list(runs) == [("pending", "budget"), ("done", "")]
