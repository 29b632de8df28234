import re
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.cases.models import Case, CaseView, Outcome, RootCause
from tests.workspace.conftest import story


def cases_of(setup: SimpleNamespace, now: datetime, **by_name: dict[str, Any]) -> dict[str, Case]:
    """Open cases due in a week by name of their contact, with what is said of them."""
    found = {}
    for number, (name, values) in enumerate(by_name.items()):
        case = story(setup, number, now, score=values.pop("score", 3), comment=values.pop("comment", "")).case
        calm = {"owner": None, "opened_at": now, "contact_due_at": None, "due_at": now + timedelta(days=8)}
        Case.objects.filter(pk=case.pk).update(**(calm | values))
        case.refresh_from_db()
        assert case.contact is not None
        case.contact.name = name
        case.contact.save()
        found[name] = case
    return found


def names(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"/cases/?{query}")
    assert answer.status_code == 200
    return [case.contact.name for case in answer.context["page"].rows]


def filled(setup: SimpleNamespace, user: User, now: datetime) -> dict[str, Case]:
    """One case of everything that a filter can be about."""
    late, closed = now - timedelta(hours=3), now - timedelta(days=1)
    cause = RootCause.objects.create(name={"en": "Late"})
    result = Outcome.objects.create(name={"en": "Refunded"})
    found = cases_of(
        setup,
        now,
        calm={"comment": "Nothing much"},
        mine={"owner": user, "score": 0},
        late={"due_at": late, "owner": user, "comment": "Where is my parcel?"},
        unheard={"contact_due_at": late},
        heard={"contact_due_at": late, "first_contact_at": now, "status": "contacted"},
        hot={"is_urgent": True, "opened_at": now - timedelta(days=40)},
        gone={"status": "lost", "closed_at": closed, "root_cause": cause, "due_at": late},
        done={"status": "solved", "closed_at": now, "result": result},
    )
    into = found["calm"]
    merged = story(setup, 90, now).case
    Case.objects.filter(pk=merged.pk).update(merged_into=into, due_at=late)
    return found


OPEN = {"calm", "mine", "late", "unheard", "heard", "hot"}
FILTERS = [
    ("", OPEN),
    ("status=contacted", {"heard"}),
    ("status=closed", {"gone", "done"}),
    ("status=lost", {"gone"}),
    ("status=all", OPEN | {"gone", "done"}),
    ("status=burnt", OPEN),
    ("owner=me", {"mine", "late"}),
    ("owner=none", OPEN - {"mine", "late"}),
    ("owner=77777", OPEN),
    # Nobody was heard of in time either; what was closed late is not overdue any more.
    ("due=overdue", {"late", "unheard"}),
    ("due=overdue&status=all", {"late", "unheard"}),
    ("urgent=yes", {"hot"}),
    ("days=30", OPEN - {"hot"}),
    ("touchpoint=order_received&q=parcel", {"late"}),
    ("q=unheard", {"unheard"}),
    ("company=Company 1", {"mine"}),
    ("cause=1&status=all", {"gone"}),
    ("result=1&status=all", {"done"}),
    ("cause=abc&result=&days=x&sort=y&view=z&cursor=nonsense", OPEN),
]


def test_each_filter_shows_what_fits_and_never_what_was_merged(
    client: Client, user: User, setup: SimpleNamespace, now: datetime
) -> None:
    filled(setup, user, now)
    keys = {"cause=1": f"cause={RootCause.objects.get().pk}", "result=1": f"result={Outcome.objects.get().pk}"}
    for asked, expected in FILTERS:
        query = asked
        for short, real in keys.items():
            query = query.replace(short, real)
        assert set(names(client, query)) == expected, query


def test_what_is_due_later_today_is_due_today(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    midnight = timezone.localtime(now).replace(hour=23, minute=59, second=59)
    cases_of(
        setup, now,
        tonight={"due_at": midnight}, tomorrow={"due_at": midnight + timedelta(hours=1)},
        past={"due_at": now - timedelta(seconds=1)},
    )  # fmt: skip
    assert names(client, "due=today") == ["tonight"]
    assert names(client, "due=week") == ["tonight", "tomorrow"]


def test_the_built_in_lists_count_what_they_show(
    client: Client, user: User, setup: SimpleNamespace, now: datetime
) -> None:
    tabs = {str(tab.name): tab for tab in client.get("/cases/").context["tabs"]}
    assert {tab.count for tab in tabs.values()} == {0}
    filled(setup, user, now)
    tabs = {str(tab.name): tab for tab in client.get("/cases/?owner=me").context["tabs"]}
    for name, tab in tabs.items():
        assert tab.count == len(names(client, tab.query)), name
    assert [name for name, tab in tabs.items() if tab.is_current] == ["Mine"]
    assert tabs["Closed"].count == 2


def test_lists_are_sorted_and_turned_over_without_losing_anybody(
    client: Client, user: User, setup: SimpleNamespace, now: datetime
) -> None:
    people = {
        f"p{n:02}": {"score": (n * 7) % 11, "due_at": now + timedelta(hours=1 + n % 5), "opened_at": now - timedelta(n)}
        for n in range(30)
    }
    found = cases_of(setup, now, **people)
    orders: dict[str, Callable[[Case], Any]] = {
        "": lambda case: (case.due_at, case.pk),
        "opened": lambda case: (-case.opened_at.timestamp(),),
        "score": lambda case: (case.response.score, case.pk),
    }
    for sort, key in orders.items():
        expected = [name for name, _case in sorted(found.items(), key=lambda item: key(item[1]))]
        page = client.get("/cases/", {"sort": sort}).context["page"]
        shown = [case.contact.name for case in page.rows] + names(
            client, urlencode({"sort": sort, "cursor": page.next_cursor})
        )
        assert shown == expected, sort


def test_due_times_are_told_in_words_and_overdue_ones_not_by_colour_alone(
    client: Client, setup: SimpleNamespace, now: datetime
) -> None:
    cases_of(
        setup, now,
        late={"due_at": now - timedelta(days=2, hours=1)}, soon={"due_at": now + timedelta(minutes=31)},
        first={"contact_due_at": now - timedelta(hours=5, minutes=1)},
    )  # fmt: skip
    page = " ".join(client.get("/cases/").content.decode().split())
    for part in ("2 days overdue", "5 hours overdue", "first contact", "in 30 minutes", 'due-overdue"><svg'):
        assert part in page, part
    assert timezone.localtime(now - timedelta(days=2, hours=1)).strftime("%H:%M") + '">' in page


def test_a_list_is_saved_renamed_shared_and_deleted(
    client: Client, user: User, setup: SimpleNamespace, now: datetime
) -> None:
    filled(setup, user, now)
    answer = client.post("/cases/?urgent=yes&sort=score&q=", {"do": "new_view", "name": "Hot ones"})
    view = CaseView.objects.get()
    assert (view.query, view.is_shared, view.user) == ("urgent=yes&sort=score", False, user)
    address = answer.headers["Location"]
    page = client.get(address)
    assert [tab.name for tab in page.context["saved"] if tab.is_current] == ["Hot ones"]
    assert [case.contact.name for case in page.context["page"].rows] == ["hot"]
    # The same name again is refused, and stays typed in.
    again = client.post("/cases/?status=all", {"do": "new_view", "name": "Hot ones"})
    assert again.status_code == 422
    assert "You have a list of this name already." in again.content.decode()
    assert 'value="Hot ones"' in again.content.decode()
    client.post(f"/cases/?view={view.pk}&owner=me", {"do": "change_view", "name": "Hot", "is_shared": "on"})
    view.refresh_from_db()
    assert (view.name, view.query, view.is_shared) == ("Hot", "owner=me", True)
    client.post(f"/cases/?view={view.pk}", {"do": "delete_view"})
    assert not CaseView.objects.exists()
    assert Case.objects.filter(merged_into=None).count() == 8


def test_what_others_share_is_seen_but_not_changed(client: Client, user: User, tenant: Any) -> None:
    other = User.objects.create(username="ada", first_name="Ada")
    shared = CaseView.objects.create(user=other, name="Shared", query="owner=me&cause=gone", is_shared=True)
    CaseView.objects.create(user=other, name="Private", query="owner=me")
    page = client.get(f"/cases/?view={shared.pk}&{shared.query}")
    assert [(tab.name, tab.of) for tab in page.context["saved"]] == [("Shared", "Ada")]
    for do in ("change_view", "delete_view"):
        assert client.post(f"/cases/?view={shared.pk}", {"do": do, "name": "Mine now"}).status_code == 404
    shared.refresh_from_db()
    assert shared.name == "Shared"
    assert client.post("/cases/", {"do": "nonsense"}).status_code == 400


def messages_of(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_many_are_changed_at_once_and_it_is_said_what_became_of_them(
    client: Client, user: User, setup: SimpleNamespace, now: datetime
) -> None:
    found = filled(setup, user, now)
    ids = [str(found[name].pk) for name in ("calm", "hot")]
    merged = str(Case.objects.exclude(merged_into=None).get().pk)

    def bulk(ids: list[str] = ids, **values: str) -> Any:
        return client.post("/cases/?owner=none", {"do": "bulk", "case": ids, **values}, follow=True)

    def state(*names: str) -> list[Any]:
        return list(Case.objects.filter(pk__in=ids).order_by("pk").values_list(*names, flat=len(names) == 1))

    answer = bulk([*ids, merged, "nonsense"], action="assign", owner="me")
    assert answer.redirect_chain == [("/cases/?owner=none", 302)]
    assert messages_of(answer) == ["2 cases changed.", "1 case not changed: It went into another case meanwhile."]
    assert state("owner") == [user.pk, user.pk]
    bulk(action="assign", owner="none")
    assert state("owner") == [None, None]
    bulk(action="status", to_status="contacted")
    assert state("status") == ["contacted", "contacted"]
    bulk(action="urgent", is_urgent="no")
    assert state("is_urgent") == [False, False]
    bulk(action="due", due_at="2030-05-06T17:00")
    assert {timezone.localtime(at).strftime("%Y-%m-%d %H:%M") for at in state("due_at")} == {"2030-05-06 17:00"}
    wrong = bulk(action="close", end="solved", outcome=" ")
    assert wrong.status_code == 422
    ticked = re.findall(r'value="([0-9a-f-]{36})"[^>]*checked', wrong.content.decode())
    assert sorted(ticked) == sorted(ids), "what was ticked stays ticked"
    assert state("closed_at") == [None, None]
    bulk(action="close", end="lost", outcome="Moved away.", root_cause=str(RootCause.objects.get().pk))
    assert state("status", "outcome") == [("lost", "Moved away.")] * 2
    assert messages_of(bulk([], action="assign", owner="me")) == ["Tick some cases first."]


def test_several_cases_of_one_contact_become_the_oldest(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    found = cases_of(setup, now, young={}, old={"opened_at": now - timedelta(days=3)}, other={})
    contact = found["old"].contact
    Case.objects.filter(pk=found["young"].pk).update(contact=contact)

    def merge(*names: str) -> list[str]:
        ids = [str(found[name].pk) for name in names]
        return messages_of(client.post("/cases/", {"do": "bulk", "action": "merge", "case": ids}, follow=True))

    assert merge("old") == ["Tick at least two cases of one contact to merge them."]
    assert merge("old", "other") == ["Nothing was merged: They are of different contacts and companies."]
    assert merge("young", "old") == ["1 case went into the oldest one."]
    found["young"].refresh_from_db()
    assert found["young"].merged_into == found["old"]


@pytest.mark.parametrize("action", ["assign", "status", "urgent", "due", "close", "nothing"])
def test_half_of_what_is_to_be_done_with_many_is_refused_and_what_was_ticked_stays(
    client: Client, setup: SimpleNamespace, now: datetime, action: str
) -> None:
    [case] = cases_of(setup, now, Kim={}).values()
    answer = client.post("/cases/", {"do": "bulk", "case": [str(case.pk)], "action": action})
    assert answer.status_code == 422
    assert re.search(rf'value="{case.pk}"[^>]*checked', answer.content.decode())
    assert Case.objects.get().revision == case.revision


def test_more_than_can_be_changed_at_once_are_left_and_it_is_said(
    client: Client, setup: SimpleNamespace, now: datetime
) -> None:
    [case] = cases_of(setup, now, Kim={}).values()
    ids = [str(case.pk), *(str(uuid4()) for _number in range(1200))]
    answer = client.post("/cases/", {"do": "bulk", "case": ids, "action": "assign", "owner": "me"}, follow=True)
    assert messages_of(answer)[0] == "1 case changed."
    assert messages_of(answer)[-1] == "At most 200 cases are changed at once: the other 1001 stayed as they are."


@pytest.mark.parametrize("query", ["", "sort=score", "sort=opened", "status=closed", "view=99999999999999999999"])
def test_a_cursor_of_another_list_or_none_at_all_breaks_nothing(
    client: Client, setup: SimpleNamespace, now: datetime, query: str
) -> None:
    [case] = cases_of(setup, now, Kim={"status": "solved", "closed_at": now, "outcome": "<script>x"}).values()
    for cursor in (
        f"5~{case.pk}", f"{now.isoformat()}~{case.pk}", "999999999999999999~5", "0001-01-01T00:00:00+14:00~5", "~",
        f"{case.pk}", "9999-12-31T23:59:59-14:00~" + "9" * 18,
    ):  # fmt: skip
        assert client.get(f"/cases/?{query}", {"cursor": cursor}).status_code == 200, cursor
        assert client.get(f"/cases/?{query}&{urlencode({'cursor': cursor})}").status_code == 200, cursor
