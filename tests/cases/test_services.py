"""Moving cases on: one, many, together; and what colleagues write."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.alerts.models import Notice
from apps.cases import listeners, selectors, services
from apps.cases.models import Case, CaseMail, CaseNote, Outcome, RootCause
from apps.cases.services import Changes
from tests.cases.caring import NOW, berlin, case, contact, hours, opened, policy, response, rule, worker

pytestmark = pytest.mark.usefixtures("tenant")
LATER = NOW + timedelta(days=1)


def change(row: Case, by: User | None = None, revision: int | None = None, at: Any = NOW, **fields: Any) -> Case:
    return services.change(case_id=row.pk, revision=revision, changes=Changes(**fields), by=by, now=at)


def history(row: Case) -> list[tuple[str, Any]]:
    return [(one.kind, one.data) for one in row.changes.all()][1:]


def test_closing_stamps_times_once_and_reopening_takes_the_end_away() -> None:
    row, ada = case(), worker("ada")
    closed = change(row, ada, status="solved", outcome=" Refunded. ")
    assert (closed.outcome, closed.closed_at, closed.first_contact_at) == ("Refunded.", NOW, NOW)
    assert (closed.alarm, closed.alarm_at) == (Case.Alarm.NONE, None)
    assert change(row, ada, at=LATER, status="lost").closed_at == NOW
    again = change(row, ada, at=LATER, status="contacted")
    again.refresh_from_db()
    assert (again.closed_at, again.first_contact_at, again.revision) == (None, NOW, 3)
    assert again.alarm_at is not None
    assert history(row) == [
        ("status", {"from": "new", "to": "solved"}), ("outcome", {}),
        ("status", {"from": "solved", "to": "lost"}), ("status", {"from": "lost", "to": "contacted"}),
    ]  # fmt: skip
    assert row.changes.last().by == ada  # type: ignore[union-attr]


def test_a_case_opened_again_after_its_time_gets_time_anew() -> None:
    berlin()
    policy(close_within=hours(8))
    row = case()
    change(row, status="solved", outcome="Done")
    assert change(row, at=NOW + timedelta(days=7), status="contacted").due_at == NOW + timedelta(days=8)


def test_a_case_is_closed_with_words_or_an_outcome_and_keeps_one() -> None:
    row = case()
    refunded, late = Outcome.objects.create(name={"en": "Refunded"}), RootCause.objects.create(name={"en": "Late"})
    for refused in ({}, {"outcome": "  "}):
        with pytest.raises(services.OutcomeMissingError):
            change(row, status="lost", **refused)
    done = change(row, status="solved", result_id=refunded.pk, root_cause_id=late.pk)
    assert (done.result, done.root_cause) == (refunded, late)
    with pytest.raises(services.OutcomeMissingError):
        change(row, result_id=None)
    row.refresh_from_db()
    assert (row.status, row.result) == ("solved", refunded)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"status": "burnt"}, services.UnknownStatusError),
        ({"owner_id": 99_999}, services.UnknownOwnerError),
        ({"result_id": 99_999}, services.UnknownEntryError),
        ({"root_cause_id": 99_999}, services.UnknownEntryError),
    ],
)
def test_what_does_not_exist_is_refused(fields: dict[str, Any], error: type[Exception]) -> None:
    row = case()
    for act in (lambda: change(row, **fields), lambda: many([row], **fields)):
        with pytest.raises(error):
            act()


def test_a_user_who_left_gets_no_case() -> None:
    with pytest.raises(services.UnknownOwnerError):
        change(case(), owner_id=worker("gone", is_active=False).pk)


def test_a_change_on_top_of_another_ones_is_refused_and_shows_how_it_is() -> None:
    row = case()
    change(row, revision=0, is_urgent=True)
    with pytest.raises(services.ChangedMeanwhileError) as refused:
        change(row, revision=0, status="contacted")
    assert (refused.value.case.is_urgent, refused.value.case.revision) == (True, 1)
    assert change(row, revision=1, status="contacted").revision == 2


def test_a_change_that_changes_nothing_leaves_no_trace() -> None:
    row = case()
    assert change(row, status="new", owner_id=None, due_at=row.due_at).revision == 0
    assert history(row) == []


def test_the_new_owner_is_told_but_not_of_what_they_did_themselves() -> None:
    row, ada, bob = case(), worker("ada", first_name="Ada"), worker("bob")
    change(row, ada, owner_id=bob.pk)
    change(row, ada, owner_id=ada.pk)
    [notice] = Notice.objects.filter(kind="case_assigned")
    assert (notice.user, notice.values["by"], notice.path) == (bob, "Ada", f"/cases/{row.pk}/")


def many(rows: list[Case], by: User | None = None, **fields: Any) -> services.Many:
    return services.change_many(case_ids=[row.pk for row in rows], changes=Changes(**fields), by=by, now=NOW)


def test_many_are_changed_alike_and_each_that_cannot_be_says_why() -> None:
    ready, bare, merged = case(), case(), case()
    gone = Case(pk=response().pk)
    change(ready, outcome="Paid back")
    Case.objects.filter(pk=merged.pk).update(merged_into=ready)
    done = many([gone, merged, bare, ready, ready], status="solved")
    assert done.changed == [ready.pk]
    assert done.refused == {gone.pk: "missing", merged.pk: "merged", bare.pk: "outcome_missing"}
    with pytest.raises(ValueError, match="at most"):
        services.change_many(case_ids=[ready.pk] * 1001, changes=Changes(), by=None, now=NOW)


def test_many_cost_as_many_queries_as_one() -> None:
    ada = worker("ada")
    costs = []
    for number in (1, 40):
        rows = opened(*(response() for _ in range(number)))
        with CaptureQueriesContext(connection) as captured:
            assert len(many(rows, owner_id=ada.pk, status="contacted").changed) == number
        costs.append(len(captured))
    assert costs[0] == costs[1] < 25
    assert Notice.objects.filter(kind="case_assigned").count() == 41


def test_merging_leaves_one_case_with_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(listeners, "_listeners", [lambda ids, now: told.append(list(ids))])
    ada, kim = worker("ada"), contact("kim", "Acme")
    rule(score="", is_urgent=True, keywords=["one"])
    rule(score="")
    one, two = case(contact=kim, comment="one"), case(contact=contact("jo", "Acme"), now=NOW - timedelta(days=3))
    three = case(contact=contact("lee", "Acme"))
    into = case(contact=contact("max", "Acme"))
    change(two, ada, status="contacted", owner_id=ada.pk)
    note = services.add_note(case_id=one.pk, text="Called.", by=ada, now=NOW)
    CaseMail.objects.create(case=one, direction="out", subject="Hello", at=NOW)
    services.merge(into=three.pk, others=[one.pk], by=ada, now=NOW)
    found = services.merge(into=into.pk, others=[two.pk, three.pk, into.pk], by=ada, now=LATER)
    assert (found.status, found.owner, found.is_urgent) == ("contacted", ada, True)
    assert (found.due_at, found.first_contact_at) == (two.due_at, NOW)
    assert set(Case.objects.exclude(pk=into.pk).values_list("merged_into", "alarm_at")) == {(into.pk, None)}
    note.refresh_from_db()
    assert (note.case, CaseMail.objects.get().case) == (into, into)
    assert list(selectors.visible()) == [into]
    assert selectors.responses_of(into).count() == 4
    assert selectors.where_it_went(one.pk) == into.pk
    assert told == [[one.pk], sorted([two.pk, three.pk])]
    for act in (
        lambda: change(one, is_urgent=False),
        lambda: services.add_note(case_id=one.pk, text="x", by=None, now=NOW),
    ):
        with pytest.raises(services.MergedError) as refused:
            act()
        assert refused.value.case.merged_into_id == into.pk


def test_strangers_cases_and_open_ones_into_a_closed_one_are_not_merged() -> None:
    kim, jo, nobodys = case(contact=contact("kim", "Acme")), case(contact=contact("jo")), case(contact=None)
    colleague = case(contact=contact("lee", "Acme"))
    change(kim, status="lost", outcome="Left")
    for into, other, code in (
        (kim, jo, "contact"), (nobodys, jo, "contact"), (jo, nobodys, "contact"), (kim, colleague, "closed"),
        (kim, kim, "others"),
    ):  # fmt: skip
        with pytest.raises(services.MergeError) as refused:
            services.merge(into=into.pk, others=[other.pk], by=None, now=NOW)
        assert refused.value.code == code
    services.merge(into=colleague.pk, others=[kim.pk], by=None, now=NOW)
    with pytest.raises(services.MergedError):
        services.merge(into=kim.pk, others=[colleague.pk], by=None, now=NOW)
    with pytest.raises(Case.DoesNotExist):
        services.merge(into=jo.pk, others=[response().pk], by=None, now=NOW)


def test_a_note_tells_those_whom_it_mentions() -> None:
    row, ada = case(), worker("ada", first_name="Ada", last_name="Lovelace")
    bob = worker("bob")
    worker("idle", is_active=False)
    User.objects.create(username="stranger")
    note = services.add_note(
        case_id=row.pk, text=" @Ada Lovelace, @bob, @idle, @stranger, mail x@bob ", by=bob, now=NOW
    )
    assert (note.text[:4], set(note.mentions.all())) == ("@Ada", {ada, bob})
    [notice] = Notice.objects.filter(kind="case_mention")
    assert (notice.user, notice.values["by"]) == (ada, "bob")
    with pytest.raises(ValueError, match="something"):
        services.add_note(case_id=row.pk, text=" ", by=bob, now=NOW)
    assert CaseNote.objects.count() == 1


def test_who_waits_for_the_end_of_a_case_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(listeners, "_listeners", [])
    for _ in range(2):
        listeners.register(lambda ids, now: told.append((list(ids), now)))
    row = case()
    change(row, status="contacted")
    change(row, status="solved", outcome="Done")
    change(row, status="lost", at=LATER)
    assert told == [([row.pk], NOW)] * 2


def test_counts_by_status_and_owner_are_one_query() -> None:
    ada = worker("ada")
    late, done, merged, fresh = case(), case(), case(), case()
    change(late, owner_id=ada.pk, due_at=NOW - timedelta(days=1))
    change(done, status="solved", outcome="Done")
    Case.objects.filter(pk=merged.pk).update(merged_into=fresh)
    with CaptureQueriesContext(connection) as captured:
        found = selectors.counts(now=NOW)
    assert len(captured) == 1
    assert found.by_status == {"new": 2, "contacted": 0, "solved": 1, "lost": 0}
    assert (found.open_by_owner, found.overdue_by_owner) == ({ada.pk: 1, None: 1}, {ada.pk: 1, None: 0})
    assert (found.open, found.overdue) == (2, 1)
    assert list(selectors.overdue(Case.objects.all(), now=NOW)) == [late]
    assert list(selectors.open_cases_of(fresh.contact)) == [fresh]  # type: ignore[arg-type]
