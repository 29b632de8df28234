from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client

from apps.accounts.models import User
from apps.messaging import backlogs
from apps.messaging.models import Backlog, DomainRest, OutgoingEmail, Pause
from apps.relays.models import RelayState
from apps.workspace.delivery import duration


@pytest.fixture
def may_change(user: User) -> None:
    user.user_permissions.add(Permission.objects.get(codename="change_outgoingemail"))


def put(stream: str, at: datetime, status: str = "queued", count: int = 1, prefix: str = "") -> None:
    OutgoingEmail.objects.bulk_create(
        OutgoingEmail(
            reason=f"{prefix}{stream}:{status}:{number}", stream=stream, to_email="a@x.example", from_header="n@x",
            subject="Hi", message_id=f"<{prefix}{stream}{status}{number}>", status=status, due_at=at, queued_at=at,
        )
        for number in range(count)
    )  # fmt: skip


def shown(client: Client) -> dict[str, Any]:
    return {row.name: row for row in client.get("/delivery/").context["rows"]}


def test_streams_are_shown_by_name_with_what_waits_and_what_became_of_todays(
    client: Client, setup: SimpleNamespace, now: datetime
) -> None:
    stream = f"survey:{setup.survey.pk}"
    for status, count in {"queued": 3, "paused": 2, "sending": 1, "delivered": 4, "sent": 1, "failed": 2,
                          "bounced": 3, "unknown": 1}.items():  # fmt: skip
        put(stream, now, status, count)
    put(stream, now - timedelta(days=2), "sent", 9, prefix="old")
    put(f"campaign:{setup.campaign.pk}", now, "sent")
    put("survey:999999", now, "sent")
    put("", now, "sent")
    rows = shown(client)
    assert set(rows) == {"After the order", "Sorry", "Deleted survey 999999", "Other messages"}
    of = rows["After the order"].of
    assert (of.waiting, of.held, of.sending, of.left, of.failed, of.bounced, of.unknown) == (3, 2, 1, 5, 2, 3, 1)
    page = client.get("/delivery/").content.decode()
    assert "Nobody knows whether 1 message left." in page
    assert "survey:" not in page.replace("stream=survey%3A", "").replace("stream=survey:", "")


def test_an_empty_page_says_so(client: Client) -> None:
    assert "Nothing waits, and nothing was queued today." in client.get("/delivery/").content.decode()


def test_progress_and_pace_are_told_from_what_the_workers_noted(
    client: Client, setup: SimpleNamespace, now: datetime
) -> None:
    stream = f"survey:{setup.survey.pk}"
    put(stream, now - timedelta(hours=3), "sent", 5, prefix="before")
    began = now - timedelta(minutes=2)
    put(stream, began, "queued", 100)
    row = shown(client)["After the order"]
    assert (row.of.pace.done, row.of.pace.total, row.remaining, row.status) == (0, 100, "", "waiting")

    backlogs.observe(now=began)
    ids = OutgoingEmail.objects.filter(status="queued").values("pk")[:40]
    OutgoingEmail.objects.filter(pk__in=list(ids.values_list("pk", flat=True))).update(status="sent")
    for _reload in range(2):
        answer = client.get("/delivery/")
        [row] = answer.context["rows"]
        # Forty of those that came since; what left before something waited does not count.
        assert (row.of.pace.done, row.of.pace.total, row.percent) == (40, 100, 40)
        assert answer.context["rate"] == 20
        assert row.remaining == "about 3 minutes"
    assert "40 of 100 messages" in answer.content.decode()

    OutgoingEmail.objects.update(status="sent")
    backlogs.observe(now=now)
    assert not Backlog.objects.exists()
    assert shown(client)["After the order"].status == ""


def test_no_estimate_is_given_while_nothing_moves(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    put(f"survey:{setup.survey.pk}", now, "queued", 10)
    backlogs.observe(now=now - timedelta(minutes=2))
    answer = client.get("/delivery/")
    assert answer.context["rate"] is None
    assert answer.context["remaining"] == ""
    assert "How long it takes shows once something has moved." in answer.content.decode()


def test_a_backlog_of_more_than_a_day_counts_only_the_last_one(setup: SimpleNamespace, now: datetime) -> None:
    put("survey:1", now - timedelta(days=3), "queued", 2)
    backlogs.observe(now=now - timedelta(days=3))
    put("survey:1", now - timedelta(days=2), "sent", 5, prefix="before")
    put("survey:1", now - timedelta(hours=1), "sent", 4, prefix="today")
    pace = backlogs.paces(backlogs.waiting_in(["survey:1"]), now=now)["survey:1"]
    assert (pace.done, pace.total) == (2, 4)  # four of the day, of which two are taken for the two that wait


def test_noting_is_cheap_while_nothing_is_new(
    now: datetime, tenant: Any, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for number in range(5):
        put(f"survey:{number}", now)
    backlogs.observe(now=now)
    assert Backlog.objects.count() == 5
    with django_assert_num_queries(2):
        backlogs.observe(now=now + timedelta(seconds=5))
    assert sorted(backlogs.waiting_streams()) == [f"survey:{number}" for number in range(5)]


def test_where_counting_takes_long_it_is_done_less_often(now: datetime, tenant: Any) -> None:
    put("survey:1", now)
    backlogs.observe(now=now)
    row = Backlog.objects.get()
    row.trail[0][2] = 2.0
    row.save()
    backlogs.observe(now=now + timedelta(seconds=30))
    assert len(Backlog.objects.get().trail) == 1
    backlogs.observe(now=now + timedelta(seconds=41))
    assert len(Backlog.objects.get().trail) == 2


def test_counts_come_from_the_indexes_of_what_waits_and_of_streams(now: datetime, tenant: Any) -> None:
    put("survey:1", now, "queued", 3)
    for stream in ("survey:1", "survey:2"):
        put(stream, now, "sent", 300)  # Of three rows every index is as good as another.
    queries = {
        "email_waiting": [(backlogs._STREAMS, [100]), (backlogs._WAITING, [["survey:1"]])],
        "email_by_stream": [(backlogs._QUEUED, [now, ["survey:1"]])],
    }
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_outgoingemail")
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        for index, statements in queries.items():
            for statement, params in statements:
                cursor.execute("EXPLAIN " + statement, params)
                plan = "\n".join(row[0] for row in cursor.fetchall())
                assert index in plan, plan
                assert "Seq Scan on messaging_outgoingemail" not in plan, plan


def test_the_page_costs_the_same_for_one_stream_and_for_thirty(
    queries_of: Callable[[str], int], setup: SimpleNamespace, now: datetime, may_change: None
) -> None:
    put("survey:1", now)
    backlogs.observe(now=now)
    # Session, user, surveys, campaigns; streams, waiting, backlogs, queued since, today, pauses, domains, services,
    # unknown; permissions of the user and of groups.
    assert queries_of("/delivery/") == 15
    for number in range(2, 31):
        put(f"survey:{number}", now)
        put(f"campaign:{number}", now, "sent", 2)
    backlogs.observe(now=now)
    assert queries_of("/delivery/") == 15


def test_everything_and_single_streams_are_paused_and_let_go_on(
    client: Client, user: User, setup: SimpleNamespace, now: datetime, may_change: None
) -> None:
    stream = f"survey:{setup.survey.pk}"
    put(stream, now)
    assert client.get("/delivery/pause/").status_code == 405
    assert client.post("/delivery/pause/", {"stream": stream}).status_code == 302
    assert Pause.objects.get().by == "cx"
    page = client.get("/delivery/").content.decode()
    assert "Paused by cx since" in page
    assert "Let go on" in page
    assert "paused all delivery" not in client.get("/").content.decode()

    client.post("/delivery/pause/", {"stream": ""})
    for path in ("/", "/responses/", "/emails/"):
        assert "cx paused all delivery" in client.get(path).content.decode(), path
    assert "Let everything go on" in client.get("/delivery/").content.decode()
    client.post("/delivery/resume/", {"stream": ""})
    client.post("/delivery/resume/", {"stream": stream})
    assert not Pause.objects.exists()
    assert "paused all delivery" not in client.get("/").content.decode()


@pytest.mark.parametrize("stream", ["survey:abc", "nothing", "survey:1 or 1=1", "campaign:" + "9" * 60])
def test_what_is_no_stream_cannot_be_paused(client: Client, may_change: None, stream: str) -> None:
    assert client.post("/delivery/pause/", {"stream": stream}).status_code == 404
    assert not Pause.objects.exists()


def test_without_permission_there_are_no_buttons_and_nothing_is_paused(
    client: Client, setup: SimpleNamespace, now: datetime
) -> None:
    put(f"survey:{setup.survey.pk}", now)
    assert "/delivery/pause/" not in client.get("/delivery/").content.decode()
    assert client.post("/delivery/pause/", {"stream": ""}).status_code == 403
    assert client.post("/delivery/resume/", {"stream": ""}).status_code == 403
    assert not Pause.objects.exists()


def test_pausing_needs_a_token_of_the_form(user: User, may_change: None) -> None:
    strict = Client(headers={"host": "nordwind.resonanz.test"}, enforce_csrf_checks=True)
    strict.force_login(user)
    assert strict.post("/delivery/pause/", {"stream": ""}).status_code == 403
    assert not Pause.objects.exists()


def test_what_rests_is_told_with_its_reason_and_its_end(client: Client, now: datetime) -> None:
    DomainRest.objects.create(domain="slow.example", faults=3, until=now + timedelta(minutes=5))
    DomainRest.objects.create(domain="past.example", faults=3, until=now - timedelta(minutes=5))
    RelayState.objects.create(key="", faults=5, rests_until=now + timedelta(minutes=1))
    RelayState.objects.create(key="of-somebody-else", faults=5, rests_until=now + timedelta(minutes=1))
    answer = client.get("/delivery/")
    page = answer.content.decode()
    assert len(answer.context["services"]) == 1
    assert "slow.example" in page
    assert "past.example" not in page
    # The test's mail service is the environment's.
    assert "The platform&#x27;s mail service" in page


def test_the_part_that_is_polled_is_the_same_without_its_frame(client: Client, now: datetime) -> None:
    put("", now)
    part = client.get("/delivery/progress/").content.decode()
    assert "Other messages" in part
    assert "<html" not in part


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0.5, "less than a minute"), (1, "about 1 minute"), (12.3, "about 12 minutes"), (100, "about 2 hours"),
     (3000, "about 2 days")],
)  # fmt: skip
def test_times_are_rough(minutes: float, words: str) -> None:
    assert duration(minutes) == words
