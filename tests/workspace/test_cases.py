from datetime import datetime, timedelta
from types import SimpleNamespace

from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.cases.models import Case
from tests.workspace.conftest import story


def test_a_case_is_opened_once_from_a_response(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    response = story(setup, 1, now)
    Case.objects.all().delete()
    url = reverse("workspace:open_case", args=[response.pk])
    assert client.get(url).status_code == 405
    first, second = client.post(url), client.post(url)
    assert first.headers["Location"] == second.headers["Location"]
    assert Case.objects.count() == 1


def test_saving_changes_status_owner_and_outcome(
    client: Client, user: User, setup: SimpleNamespace, now: datetime
) -> None:
    case = story(setup, 1, now).case
    url = reverse("workspace:case", args=[case.pk])
    answer = client.post(url, {"status": "solved", "owner": str(user.pk), "outcome": "Refunded."})
    assert answer.headers["Location"] == url
    case.refresh_from_db()
    assert (case.status, case.owner, case.outcome) == ("solved", user, "Refunded.")
    assert case.closed_at is not None


def test_closing_without_words_is_refused_on_the_page(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    case = story(setup, 1, now).case
    answer = client.post(reverse("workspace:case", args=[case.pk]), {"status": "lost", "owner": "", "outcome": " "})
    assert answer.status_code == 200
    assert "Say how it ended" in answer.content.decode()
    case.refresh_from_db()
    assert case.status == "new"


def test_a_made_up_status_or_owner_changes_nothing(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    case = story(setup, 1, now).case
    url = reverse("workspace:case", args=[case.pk])
    for wrong in ({"status": "burnt"}, {"status": "contacted", "owner": "99999"}):
        assert client.post(url, wrong).status_code == 200
    case.refresh_from_db()
    assert case.status == "new"


def test_open_cases_come_first_due_first_and_overdue_ones_say_so(
    client: Client, setup: SimpleNamespace, now: datetime
) -> None:
    story(setup, 1, now)
    story(setup, 2, now - timedelta(days=9))
    done = story(setup, 3, now).case
    Case.objects.filter(pk=done.pk).update(status="solved", closed_at=now)
    answer = client.get("/cases/")
    assert [case.contact.name for case in answer.context["page"].rows] == ["Kim 2", "Kim 1"]
    assert answer.content.decode().count("overdue for") == 1
    assert [case.pk for case in client.get("/cases/", {"status": "solved"}).context["page"].rows] == [done.pk]
    assert len(client.get("/cases/", {"status": "all"}).context["page"].rows) == 3
