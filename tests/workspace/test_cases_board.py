from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from django.test import Client

from apps.accounts.models import User
from apps.cases import services
from apps.cases.models import Case
from tests.workspace.conftest import story
from tests.workspace.test_cases import cases_of

JSON = {"Accept": "application/json"}


def columns(client: Client, query: str = "") -> dict[str, Any]:
    answer = client.get(f"/cases/board/?{query}")
    assert answer.status_code == 200
    return {column.status: column for column in answer.context["columns"]}


def test_cards_stand_in_the_column_of_their_status_and_closed_ones_for_a_while(
    client: Client, user: User, setup: SimpleNamespace, now: datetime
) -> None:
    cases_of(
        setup, now,
        later={"owner": user}, first={"due_at": now + timedelta(hours=1)}, heard={"status": "contacted"},
        done={"status": "solved", "closed_at": now - timedelta(days=29)},
        long_done={"status": "solved", "closed_at": now - timedelta(days=31)},
    )  # fmt: skip
    shown = {status: [card.contact.name for card in column.cards] for status, column in columns(client).items()}
    assert shown == {"new": ["first", "later"], "contacted": ["heard"], "solved": ["done"], "lost": []}
    assert {status: column.number for status, column in columns(client, "owner=me").items()} == {
        "new": 1, "contacted": 0, "solved": 0, "lost": 0,
    }  # fmt: skip


def test_a_long_column_shows_more_on_demand(
    client: Client, setup: SimpleNamespace, now: datetime, monkeypatch: Any
) -> None:
    monkeypatch.setattr("apps.workspace.lists_cases.COLUMN", 2)
    monkeypatch.setattr("apps.workspace.lists_cases.COLUMN_MAX", 4)
    cases_of(setup, now, **{f"p{n}": {} for n in range(5)})
    new = columns(client)["new"]
    assert (len(new.cards), new.number, new.more) == (2, 5, 4)
    new = columns(client, "show_new=4")["new"]
    assert (len(new.cards), new.more) == (4, 0)
    for nonsense in ("x", "-1", "99999999", "²"):
        assert len(columns(client, f"show_new={nonsense}")["new"].cards) in (2, 4)


def test_the_board_costs_the_same_for_one_card_and_for_twenty(
    queries_of: Callable[[str], int], setup: SimpleNamespace, now: datetime
) -> None:
    # Session, user, people, outcomes, causes, touchpoints, four columns, their numbers.
    cases_of(setup, now, one={})
    assert queries_of("/cases/board/") == 11
    for number in range(1, 20):
        story(setup, number, now)
    assert queries_of("/cases/board/") == 11


def test_a_script_moves_a_card_and_gets_it_as_it_is_then(
    client: Client, user: User, setup: SimpleNamespace, now: datetime
) -> None:
    case = cases_of(setup, now, Kim={})["Kim"]
    url = f"/cases/{case.pk}/move/"
    assert client.get(url).status_code == 405

    def move(**values: Any) -> tuple[int, dict[str, Any]]:
        answer = client.post(url, values, headers=JSON)
        return answer.status_code, answer.json()

    status, told = move(status="contacted", revision=case.revision)
    assert (status, told["status"], told["said"]) == (200, "contacted", "Kim is in “Contacted” now.")
    assert 'data-revision="1"' in told["card"]
    # Somebody else, who still sees the first state.
    status, told = move(status="lost", revision=case.revision, outcome="Gone.")
    assert (status, told["code"], told["status"]) == (409, "changed_meanwhile", "contacted")
    assert 'data-revision="1"' in told["card"]
    status, told = move(status="solved", revision=1)
    assert (status, told["code"]) == (422, "outcome_missing")
    status, told = move(status="solved", revision=1, outcome="Refunded.")
    assert (status, told["status"]) == (200, "solved")
    case.refresh_from_db()
    assert (case.status, case.outcome, case.changes.latest("pk").by) == ("solved", "Refunded.", user)
    assert move(status="burnt", revision=2)[0] == 409
    assert client.post(f"/cases/{uuid4()}/move/", {"status": "new", "revision": 0}, headers=JSON).status_code == 404


def test_a_card_whose_case_went_into_another_is_told_to_go(
    client: Client, setup: SimpleNamespace, now: datetime
) -> None:
    found = cases_of(setup, now, Kim={}, other={})
    Case.objects.filter(pk=found["other"].pk).update(contact=found["Kim"].contact)
    services.merge(into=found["Kim"].pk, others=[found["other"].pk], by=None, now=now)
    answer = client.post(f"/cases/{found['other'].pk}/move/", {"status": "contacted", "revision": 1}, headers=JSON)
    assert (answer.status_code, answer.json()["card"]) == (409, "")


def test_without_a_script_a_form_moves_the_card_and_the_case_asks_how_it_ended(
    client: Client, setup: SimpleNamespace, now: datetime
) -> None:
    case = cases_of(setup, now, Kim={})["Kim"]
    url = f"/cases/{case.pk}/move/"
    answer = client.post(url, {"status": "contacted", "revision": 0, "back": "owner=none"})
    assert answer.headers["Location"] == "/cases/board/?owner=none"
    answer = client.post(url, {"status": "lost", "revision": 1})
    assert answer.headers["Location"] == f"/cases/{case.pk}/?close=lost#close"
    page = client.get(f"/cases/{case.pk}/?close=lost").content.decode()
    assert 'value="lost" id="close_status_1" required checked' in " ".join(page.split())
    answer = client.post(url, {"status": "new", "revision": 0}, follow=True)
    assert [str(m) for m in answer.context["messages"]] == ["Not moved: Somebody else changed it meanwhile."]
