"""The interpreter of sequences on the real database: no step runs twice, none is lost, the order is kept."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextlib import suppress as passing_over
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apps.campaigns import services, standing, versions
from apps.campaigns.models import Campaign, Enrolment, StepRun
from apps.campaigns.services import enrol, retry, run_due, run_steps, stop
from apps.cases import services as cases
from apps.cases.models import Case
from apps.contacts.models import ContactBudget, Outreach
from apps.incentives.models import Voucher, VoucherPool
from apps.integrations.models import Delivery, Endpoint
from apps.messaging.models import OutgoingEmail
from apps.messaging.suppressions import suppress
from apps.responses.models import Response
from apps.surveys.models import Invitation
from apps.triggers.models import Segment
from tests import factories
from tests.campaigns import trees
from tests.campaigns.test_services import BASE, respond
from tests.messaging.words import words as words_of

pytestmark = pytest.mark.usefixtures("tenant")
PEOPLE = ((9, "Great"), (9, ""), (3, "Late"), (3, ""))


class CrashError(Exception):
    """The process ends here."""


@contextmanager
def crashing(at: set[int]) -> Iterator[None]:
    """Break off before or after the numbered doings of the interpreter: what its steps do, and what it writes."""
    count = 0

    def breakable(whole: Callable[..., Any]) -> Callable[..., Any]:
        def doing(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count in at:
                raise CrashError
            result = whole(*args, **kwargs)
            count += 1
            if count in at:
                raise CrashError
            return result

        return doing

    runners = {kind: breakable(runner) for kind, runner in services._RUNNERS.items()}
    with (
        mock.patch.object(services, "_RUNNERS", runners),
        mock.patch.object(services, "_save", breakable(services._save)),
        mock.patch.object(services, "_go_on", breakable(services._go_on)),
        mock.patch.object(services, "start_runs", breakable(services.start_runs)),
    ):
        yield


def drive(now: datetime, limit: int) -> None:
    """Run until nothing is left, with the clock going on; whatever breaks is begun again."""
    for _ in range(200):
        with passing_over(CrashError):
            if not run_steps(now=now, base_url=BASE, limit=limit):
                if not StepRun.objects.filter(status="pending").exists():
                    return
                now += timedelta(seconds=61)
    raise AssertionError("it does not come to an end")


@given(document=trees.documents(), crashes=st.sets(st.integers(1, 60), max_size=8), limit=st.integers(1, 5))
@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # Making an example smaller would take minutes.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_each_step_of_the_way_is_taken_once_and_in_order_wherever_it_breaks(
    document: trees.Tree, crashes: set[int], limit: int
) -> None:
    with transaction.atomic():
        factories.theme()
        campaign = Campaign.objects.create(name="Any", stop_on_response=False, draft=document)
        with mock.patch.object(versions, "dead_ends", return_value=[]):  # Also what makes no sense is run as written.
            versions.publish(campaign_id=campaign.pk, now=timezone.now())
        answers = [respond(score, comment) for score, comment in PEOPLE]
        with crashing(crashes):
            now = timezone.now() + timedelta(seconds=1)
            while Response.objects.filter(follow_up="pending").exists():
                with passing_over(CrashError):
                    enrol(now=now)
            drive(now, limit)
        for response in answers:
            check_way(document, response)
        mails = [run for run in StepRun.objects.all() if run.kind == "email"]
        assert OutgoingEmail.objects.count() == Outreach.objects.count() == len(mails)
        transaction.set_rollback(True)


def check_way(document: trees.Tree, response: Response) -> None:
    assert response.score is not None
    way = trees.walk(document, {"response.score": response.score >= 9, "response.has_comment": bool(response.comment)})
    runs = list(StepRun.objects.filter(enrolment__response=response).order_by("position").select_related("email"))
    assert [(run.step_key, run.kind) for run in runs] == way
    assert [run.position for run in runs] == list(range(1, len(way) + 1))
    assert {run.status for run in runs} <= {"done"}
    times = [run.done_at for run in runs if run.done_at]
    assert times == sorted(times)
    for run in runs:
        assert (run.email.reason if run.email else None) == (f"step:{run.pk}" if run.kind == "email" else None)
    kinds = {run.kind for run in runs}
    response.refresh_from_db()
    assert response.tags == (["seen"] if "tag" in kinds else [])
    assert Case.objects.filter(response=response).exists() == ("case" in kinds or response.score < 7)
    assert Enrolment.objects.get(response=response).state == "done"


def run_all(now: datetime) -> None:
    while run_due(now=now, base_url=BASE):
        pass


def only_run(**values: Any) -> StepRun:
    return StepRun.objects.get(**values)


def campaign_of(*steps: dict[str, Any], **values: Any) -> Campaign:
    factories.theme()
    campaign = Campaign.objects.create(name="C", **values)
    return factories.publish(campaign, [{"key": f"k{n}", **step} for n, step in enumerate(steps, start=1)])


MAIL = {"kind": "email", **factories.MAIL}
DAY = {"kind": "wait", "seconds": 86_400}


def test_only_one_step_of_an_enrolment_can_be_pending_and_none_twice() -> None:
    campaign_of(MAIL)
    respond(9)
    enrol(now=timezone.now())
    run = only_run()
    for key in ("k1", "other"):
        with pytest.raises(IntegrityError), transaction.atomic():
            StepRun.objects.create(enrolment=run.enrolment, step_key=key, kind="case", due_at=timezone.now())


def test_a_step_that_keeps_breaking_is_tried_five_times_and_can_be_taken_up_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    campaign_of(MAIL)
    respond(9, "Great")
    now = timezone.now()
    enrol(now=now)
    whole = services._RUNNERS["email"]  # type: ignore[index]
    monkeypatch.setitem(services._RUNNERS, "email", mock.Mock(side_effect=ZeroDivisionError("no")))
    seen = []
    for _ in range(5):
        now = max(now, only_run().due_at)
        run_due(now=now, base_url=BASE)
        run = only_run()
        seen.append((run.status, run.attempts, round((run.due_at - now).total_seconds())))
    waits = [("pending", n, wait) for n, wait in enumerate((60, 600, 3600, 21_600), start=1)]
    assert seen[:4] == waits
    assert (run.status, run.reason, run.last_error) == ("failed", "ZeroDivisionError", "ZeroDivisionError: no")
    assert Enrolment.objects.get().state == "failed"
    assert not OutgoingEmail.objects.exists()
    monkeypatch.setitem(services._RUNNERS, "email", whole)
    assert retry(enrolment_ids=[run.enrolment_id], now=now) == 1
    run_all(now)
    assert (only_run().status, Enrolment.objects.get().state, OutgoingEmail.objects.count()) == ("done", "done", 1)


def test_after_days_of_standstill_a_contact_gets_the_next_mail_and_the_pace_is_kept() -> None:
    campaign_of(MAIL, DAY, MAIL, DAY, MAIL)
    respond(9, "Great")
    now = timezone.now()
    enrol(now=now)
    run_all(now)
    late = now + timedelta(days=4)
    run_all(late)
    assert OutgoingEmail.objects.count() == 2, "not both that would have been due"
    pending = only_run(status="pending")
    assert (pending.kind, pending.due_at) == ("wait", late + timedelta(days=1))


def test_an_approach_that_would_come_much_too_late_is_left_out_and_the_rest_goes_on() -> None:
    campaign_of({**MAIL, "too_late_after": 3600}, {"kind": "tag", "add": ["late"]})
    response = respond(9, "Great")
    now = timezone.now()
    enrol(now=now)
    run_all(now + timedelta(hours=2))
    response.refresh_from_db()
    assert (only_run(kind="email").reason, response.tags) == ("too_late", ["late"])
    assert not OutgoingEmail.objects.exists()


def test_running_enrolments_finish_on_the_version_they_began_with() -> None:
    campaign = campaign_of(DAY, MAIL)
    respond(9, "Great")
    now = timezone.now()
    enrol(now=now)
    factories.publish(campaign, [{"key": "k1", **DAY}, {"key": "new", "kind": "tag", "add": ["new"]}])
    respond(9, "Great too")
    enrol(now=timezone.now())
    run_all(now + timedelta(days=1, minutes=1))
    assert OutgoingEmail.objects.count() == 1
    assert list(Response.objects.order_by("answered_at").values_list("tags", flat=True)) == [[], ["new"]]


def test_who_is_moved_goes_on_where_it_is_and_takes_no_step_again() -> None:
    campaign = campaign_of(MAIL, DAY, MAIL)
    respond(9, "Great")
    now = timezone.now()
    enrol(now=now)
    run_all(now)
    old = campaign.current_version
    assert old is not None
    assert standing.waiting(campaign)[old.pk] == {"k2": 1}
    # The wait is gone, the first mail comes last.
    moved = [{"key": "k9", "kind": "tag", "add": ["x"]}, {"key": "k1", **MAIL}, {"key": "k3", **MAIL}]
    new = factories.publish(campaign, moved).current_version
    assert new is not None
    with pytest.raises(versions.UnknownStepError):
        versions.move(source=old, target=new, places={}, now=now)
    with pytest.raises(versions.UnknownStepError):
        versions.move(source=old, target=new, places={"k2": "nowhere"}, now=now)
    assert versions.move(source=old, target=new, places={"k2": "k9"}, now=now) == 1
    run_all(now)
    runs = StepRun.objects.order_by("position").values_list("step_key", "status")
    assert list(runs) == [("k1", "done"), ("k9", "done"), ("k3", "done")]
    assert (OutgoingEmail.objects.count(), Enrolment.objects.get().state) == (2, "done")


def test_who_has_nowhere_to_go_on_ends() -> None:
    campaign = campaign_of(DAY, MAIL)
    respond(9)
    now = timezone.now()
    enrol(now=now)
    old = campaign.current_version
    new = factories.publish(campaign, [{"key": "k2", **MAIL}]).current_version
    assert old is not None
    assert new is not None
    versions.move(source=old, target=new, places={"k1": None}, now=now)
    enrolment = Enrolment.objects.get()
    assert (enrolment.state, enrolment.end_reason, enrolment.version) == ("done", "moved", new)
    assert not StepRun.objects.exists()


def test_a_stopped_enrolment_takes_no_step_more() -> None:
    campaign_of(MAIL)
    respond(9)
    now = timezone.now()
    enrol(now=now)
    assert stop(enrolment_ids=[Enrolment.objects.get().pk], reason="by_hand", now=now) == 1
    run_all(now)
    assert (only_run().status, only_run().reason, Enrolment.objects.get().state) == ("skipped", "by_hand", "stopped")


@pytest.mark.parametrize(
    ("campaign", "enters"),
    [
        ({"condition": {"field": "response.has_comment", "op": "eq", "value": False}}, {"bare"}),
        ({"condition": {"field": "answer.delivery", "op": "le", "value": 2}}, {"slow"}),
        ({"condition": {"field": "contact.plan", "op": "eq", "value": "gold"}}, {"gold"}),
        ({"condition": {"field": "property.store", "op": "eq", "value": "Ulm"}}, {"ulm"}),
        ({"condition": {"field": "company.value", "op": "gt", "value": 1000}}, {"big"}),
        ({"segment": "detractor"}, {"slow", "big"}),
        ({"condition": {"field": "nonsense", "op": "?"}}, set()),
        ({"entry": "by_hand"}, set()),
        ({"is_active": False}, set()),
    ],
)
def test_a_campaign_takes_the_responses_that_fit(campaign: dict[str, Any], enters: set[str]) -> None:
    company = factories.Contact._meta.get_field("company").related_model.objects.create(  # type: ignore[union-attr]
        name="Big", properties={"value": 5000}
    )
    made = {
        "bare": respond(9),
        "slow": respond(2, "slow"),
        "gold": respond(9, "gold", properties={"plan": "gold"}),
        "ulm": respond(8, "ulm"),
        "big": respond(1, "big", company=company),
    }
    Response.objects.filter(pk=made["ulm"].pk).update(properties={"store": "Ulm"})
    question = made["slow"].survey.questions.get(key="delivery")
    made["slow"].answers.create(question=question, value=2)
    campaign_of({"kind": "tag", "add": ["in"]}, **campaign)
    enrol(now=timezone.now())
    by_id = {response.pk: name for name, response in made.items()}
    assert {by_id[pk] for pk in Enrolment.objects.values_list("response_id", flat=True)} == enters


def test_the_highest_priority_takes_a_response_then_the_most_specific() -> None:
    gold = Segment.objects.create(key="g", name="G", condition={"field": "contact.plan", "op": "eq", "value": "gold"})
    names = {
        "first": {"priority": 5, "segment": "passive"},
        "segment": {"contact_segment": gold},
        "plain": {},
    }
    for name, values in names.items():
        campaign_of({"kind": "tag", "add": ["x"]}, **values)
        Campaign.objects.filter(name="C").update(name=name)
    people = [respond(8, "first"), respond(9, "segment", properties={"plan": "gold"}), respond(9, "plain")]
    enrol(now=timezone.now())
    found = dict(Enrolment.objects.values_list("response_id", "campaign__name"))
    assert [found[person.pk] for person in people] == [person.comment for person in people]


def test_a_share_is_left_out_for_comparison_always_the_same_contacts() -> None:
    campaign_of(MAIL, holdout_percent=50)
    people = [respond(9, "Great") for _ in range(40)]
    now = timezone.now()
    enrol(now=now)
    run_all(now)
    left_out = {row.contact_id for row in Enrolment.objects.filter(arm="holdout", state="done", end_reason="holdout")}
    assert 8 <= len(left_out) <= 32
    assert OutgoingEmail.objects.count() == 40 - len(left_out)
    assert not StepRun.objects.filter(enrolment__contact__in=left_out).exists()
    for person in people:
        again = Response.objects.get(pk=person.pk)
        Response.objects.filter(pk=again.pk).delete()
        respond_again(again)
    Enrolment.objects.all().delete()
    enrol(now=timezone.now())
    assert {row.contact_id for row in Enrolment.objects.filter(arm="holdout")} == left_out


def respond_again(response: Response, **values: Any) -> Response:
    """The contact answers once more, now."""
    now = timezone.now()
    times = dict.fromkeys(("answered_at", "updated_at", "follow_up_at"), now)
    said = {"score": response.score, "comment": response.comment}
    about = {"survey": response.survey, "touchpoint": response.touchpoint, "contact": response.contact}
    return Response.objects.create(**{**times, **said, **about, **values})


def test_a_mail_rests_while_the_contact_has_an_open_case_and_goes_out_when_it_is_closed() -> None:
    campaign_of({**MAIL, "also_while_case": False}, {"kind": "tag", "add": ["told"]})
    response = respond(3, "Late")
    now = timezone.now()
    enrol(now=now)
    run_all(now)
    run = only_run()
    assert (run.status, run.reason, run.due_at) == ("pending", "case_open", now + timedelta(hours=1))
    run_all(now + timedelta(hours=1))
    assert not OutgoingEmail.objects.exists()
    later = now + timedelta(hours=1, minutes=5)
    changes = cases.Changes(status="solved", outcome="Sent a new one")
    case = Case.objects.get(response=response)
    cases.change(case_id=case.pk, revision=None, changes=changes, by=None, now=later)
    run_all(later)
    assert (OutgoingEmail.objects.count(), Enrolment.objects.get().state) == (1, "done")


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        ("answers", "new_response"),
        ("leaves", "unsubscribed"),
        ("is judged", "suspected"),
        ("changes", "segment_changed"),
    ],
)
def test_what_the_contact_does_meanwhile_ends_the_sequence(happens: str, reason: str) -> None:
    campaign_of(DAY, MAIL, {"kind": "tag", "add": ["x"]}, segment="promoter")
    response = respond(9, "Great")
    now = timezone.now()
    enrol(now=now)
    if happens == "answers":
        respond_again(response, score=4)
    elif happens == "leaves":
        assert response.contact
        assert response.contact.email
        suppress(emails=[response.contact.email], reason="unsubscribed", source="t", now=now + timedelta(hours=1))
    elif happens == "is judged":
        Response.objects.update(is_suspected=True)
    else:
        Response.objects.update(score=1)
    run_all(now + timedelta(days=2))
    enrolment = Enrolment.objects.get(response=response)
    assert (enrolment.state, enrolment.end_reason, only_run(enrolment=enrolment).reason) == ("stopped", reason, reason)
    assert not OutgoingEmail.objects.exists()


def test_a_mail_within_the_contact_budget_waits_for_its_place() -> None:
    ContactBudget.objects.create(pk=1, min_days_between=14)
    campaign_of(MAIL, {**MAIL, "within_budget": True})
    respond(9, "Great")
    now = timezone.now()
    enrol(now=now)
    run_all(now)
    run = only_run(status="pending")
    assert (run.reason, OutgoingEmail.objects.count()) == ("budget", 1)
    assert run.due_at >= now + timedelta(days=14)
    run_all(run.due_at)
    assert OutgoingEmail.objects.count() == 2


def test_asking_again_keeps_to_the_budget_and_does_not_go_on_for_ever() -> None:
    ContactBudget.objects.create(pk=1, min_days_between=14)
    survey = factories.SurveyFactory()
    campaign_of(DAY, {"kind": "ask", "survey": survey.pk})
    response = respond(9, "Great")
    Outreach.objects.create(
        contact=response.contact, kind="invitation", reason="earlier", at=timezone.now(), state="spent"
    )
    asked = []
    for _ in range(3):
        now = Response.objects.latest("answered_at").answered_at + timedelta(minutes=1)
        enrol(now=now)
        run_all(now + timedelta(days=1))
        invitation = Invitation.objects.exclude(pk__in=asked).first()
        if invitation is None:
            break
        asked.append(invitation.pk)
        assert invitation.send_at >= now + timedelta(days=13)
        at = invitation.send_at + timedelta(hours=1)
        Outreach.objects.filter(state="reserved").update(state="spent")
        respond_again(response, invitation=invitation, answered_at=at, updated_at=at, follow_up_at=at)
    assert len(asked) == 2, list(StepRun.objects.values_list("kind", "status", "reason"))
    assert list(Enrolment.objects.order_by("round").values_list("round", flat=True)) == [1, 2, 3]
    assert only_run(kind="ask", enrolment__round=3).reason == "asked_often_enough"


def test_a_voucher_is_named_in_the_mail_after_it() -> None:
    pool = VoucherPool.objects.create(name="Sorry", value={"en": "5 €"}, kind="uploaded")
    Voucher.objects.create(pool=pool, code="SORRY-1")
    words = {"subject": {"en": "{{ voucher_value }} for you"}, "body": {"en": "Code: {{ voucher|none left }}"}}
    shop = {"button": {"en": "Use it"}, "button_url": "https://shop.example/?code={{ voucher }}&who={{ name }}"}
    campaign_of(
        {"kind": "voucher", "pool": pool.pk}, {**MAIL, **words, **shop, "body_no_comment": {}, "subject_no_comment": {}}
    )
    first, second = respond(9, "a", name="A&B"), respond(9, "b")
    now = timezone.now()
    enrol(now=now)
    run_all(now)
    mails = {mail.reason: mail for mail in OutgoingEmail.objects.all()}
    given = StepRun.objects.get(kind="voucher", status="done").enrolment
    [with_code] = [mails[f"step:{run.pk}"] for run in StepRun.objects.filter(enrolment=given, kind="email")]
    assert with_code.subject == "5 € for you"
    assert "Code: SORRY-1" in words_of(with_code).text
    assert "https://shop.example/?code=SORRY-1&amp;who=" in words_of(with_code).html
    [without] = [mail for mail in mails.values() if mail != with_code]
    assert "Code: none left" in words_of(without).text
    assert StepRun.objects.get(kind="voucher", status="skipped").reason == "pool_empty"
    assert {first.pk, second.pk} == set(Enrolment.objects.values_list("response_id", flat=True))
    name = "A%26B" if given.response_id == first.pk else "Ada%20Lovelace"
    assert f"who={name}" in words_of(with_code).text


def test_other_systems_are_told_and_asked_for_a_task() -> None:
    Endpoint.objects.create(url="https://crm.example/hook", event_types=["campaign.task", "campaign.step"])
    campaign_of(
        {"kind": "task", "title": {"en": "Call {{ name }}: {{ score }}"}, "due_days": 2},
        {"kind": "webhook", "name": "end"},
    )
    respond(3, "Late")
    now = timezone.now()
    enrol(now=now)
    run_all(now)
    run_all(now)
    payloads = {row.event_type: row.payload for row in Delivery.objects.filter(event_type__startswith="campaign")}
    assert payloads["campaign.task"]["title"] == "Call Ada Lovelace: 3"
    assert payloads["campaign.task"]["due_at"] == (now + timedelta(days=2)).isoformat()
    assert payloads["campaign.step"]["name"] == "end"


def test_two_hundred_steps_cost_as_many_queries_as_five(django_assert_max_num_queries: Any) -> None:
    survey = factories.SurveyFactory()
    asks = {"kind": "branch", "condition": {"field": "case.open", "op": "eq", "value": True}, "no": []}
    campaign_of(
        MAIL,
        {**asks, "yes": [{"key": "y1", "kind": "tag", "add": ["case"]}]},
        DAY,
        {"kind": "ask", "survey": survey.pk},
    )
    counts = []
    for people in (5, 100):
        for _ in range(people):
            respond(9, "Great")
        now = timezone.now()
        with CaptureQueriesContext(connection) as queries:
            enrol(now=now)
            run_all(now)
            run_all(now + timedelta(days=1, minutes=1))
        counts.append(len(queries))
    assert counts[1] <= counts[0] + 3
    assert StepRun.objects.filter(kind="ask", status="done").count() == 105
