"""Cases and their setup in the admin."""

from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from apps.accounts.models import User
from apps.alerts.models import Notice
from apps.cases.models import Case, CasePolicy, CaseRule, Outcome, Responsibility, RootCause
from tests.admin.test_configuration import errors, inline
from tests.cases.caring import case, contact, worker

POLICY = {
    "hours": '[{"days": [0, 1], "from": "08:00", "to": "16:00"}]', "contact_within": "4 hours",
    "close_within": "2 days",
    "remind_before": "1 hour", "escalate_after": "0", "escalate_to": "",
}  # fmt: skip


def posted(row: Case, **fields: Any) -> dict[str, Any]:
    """The page as it is shown, with what is changed on it."""
    data = {
        "status": row.status, "owner": row.owner_id or "", "due_at_0": "2026-11-30", "due_at_1": "16:00:00",
        "result": "", "root_cause": "", "outcome": row.outcome, **inline("changes"),
    }  # fmt: skip
    return {**data, **fields}


def test_a_case_is_handed_over_and_closed_through_the_services(client: Client, admin_user: User) -> None:
    row, ada = case(), worker("ada")
    path = f"/admin/cases/case/{row.pk}/change/"
    assert "how it ended" in errors(client.post(path, posted(row, status="solved", outcome=" ")))
    answer = client.post(path, posted(row, status="solved", outcome="Replaced the parcel", owner=ada.pk))
    assert answer.status_code == 302, errors(answer)
    row.refresh_from_db()
    assert (row.status, row.outcome, row.owner, row.revision) == ("solved", "Replaced the parcel", ada, 1)
    assert row.closed_at is not None
    assert {one.kind: one.by for one in row.changes.exclude(kind="opened")} == dict.fromkeys(
        ("status", "owner", "outcome", "due"), admin_user
    )
    assert Notice.objects.filter(kind="case_assigned").count() == 0  # It is closed: nothing is to be done.
    page = client.get(path).content.decode()
    assert "new → solved" in page


def test_a_case_that_went_into_another_is_only_shown(client: Client) -> None:
    row, other = case(contact=contact("kim", "Acme")), case(contact=contact("jo", "Acme"))
    Case.objects.filter(pk=other.pk).update(merged_into=row)
    path = f"/admin/cases/case/{other.pk}/change/"
    assert client.get(path).status_code == 200
    assert client.post(path, posted(other, is_urgent="on")).status_code == 403


def test_a_rule_takes_words_separated_by_commas_and_members(client: Client) -> None:
    ada = worker("ada")
    worker("gone", is_active=False)
    data = {
        "name": "Angry", "position": 1, "is_active": "on", "score": "", "owner": "round_robin",
        "keywords": " Anwalt,my  contract,, Anwalt, kündig* ", "contact_within": "2 hours", "close_within": "",
    }  # fmt: skip
    page = client.get("/admin/cases/caserule/add/").content.decode()
    assert ("ada" in page, "gone" in page) == (True, False)
    assert "too long" in errors(
        client.post("/admin/cases/caserule/add/", {**data, **inline("members"), "keywords": "x" * 61})
    )
    answer = client.post("/admin/cases/caserule/add/", {**data, **inline("members", {"user": ada.pk})})
    assert answer.status_code == 302, errors(answer)
    rule = CaseRule.objects.get()
    assert (rule.keywords, rule.members.get().user) == (["Anwalt", "my contract", "kündig*"], ada)
    assert "Anwalt, my contract, kündig*" in client.get(f"/admin/cases/caserule/{rule.pk}/change/").content.decode()


def test_there_is_one_policy_and_hours_that_are_none_are_refused(client: Client) -> None:
    assert client.get("/admin/cases/casepolicy/").headers["Location"].endswith("/add/")
    add = "/admin/cases/casepolicy/add/"
    backwards = '[{"days": [0], "from": "16:00", "to": "08:00"}]'
    assert "send window" in errors(client.post(add, {**POLICY, "hours": backwards}))
    assert "between nothing and a year" in errors(client.post(add, {**POLICY, "close_within": "0"}))
    answer = client.post(add, POLICY)
    assert answer.status_code == 302, errors(answer)
    row = CasePolicy.objects.get()
    assert row.hours == [{"days": [0, 1], "from": "08:00", "to": "16:00"}]
    assert client.get("/admin/cases/casepolicy/").headers["Location"].endswith(f"/{row.pk}/change/")
    assert "Mon" in client.get(f"/admin/cases/casepolicy/{row.pk}/change/").content.decode()


def test_a_responsibility_is_for_one_thing(client: Client) -> None:
    ada, kim = worker("ada"), contact("kim", "Acme")
    add = "/admin/cases/responsibility/add/"
    assert "Choose a company or a touchpoint" in errors(client.post(add, {"user": ada.pk}))
    assert client.post(add, {"user": ada.pk, "company": kim.company_id}).status_code == 302
    assert Responsibility.objects.get().company == kim.company


@pytest.mark.parametrize(("name", "model"), [("outcome", Outcome), ("rootcause", RootCause)])
def test_the_usual_list_is_offered_and_nothing_is_added_twice(client: Client, name: str, model: Any) -> None:
    mine = {"outcome": "problem gelöst", "rootcause": "Sonstiges"}[name]
    model.objects.create(name={"de": mine}, position=3)
    path = f"/admin/cases/{name}/usual/"
    assert "Take over the usual list" in client.get(f"/admin/cases/{name}/").content.decode()
    assert client.get(path).status_code == 200
    assert model.objects.count() == 1  # Looking adds nothing.
    assert client.post(path).status_code == 302
    count = model.objects.count()
    assert count > 6
    client.post(path)
    assert model.objects.count() == count
    assert "already" in client.get(path).content.decode()
    with translation.override("de"):
        assert str(model.objects.order_by("position").last()) not in ("", mine)
