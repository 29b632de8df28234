from datetime import datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.test import Client

from apps.responses.models import Response
from apps.triggers.models import Decision, Segment
from apps.triggers.reasons import SENTENCES, sentence
from apps.workspace.paging import page
from apps.workspace.wording import what_next
from tests.workspace.conftest import story


def shown(client: Client, query: dict[str, str]) -> list[str]:
    rows = client.get("/responses/", query).context["page"].rows
    return [row.contact.name for row in rows]


def test_responses_are_found_by_each_filter(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    story(setup, 1, now, score=10, comment="Great shoes")
    story(setup, 2, now - timedelta(days=40), score=7)
    story(setup, 3, now - timedelta(days=100), score=2, comment="Parcel was late")
    assert shown(client, {}) == ["Kim 1", "Kim 2", "Kim 3"]
    assert shown(client, {"segment": "promoter"}) == ["Kim 1"]
    assert shown(client, {"segment": "passive"}) == ["Kim 2"]
    assert shown(client, {"segment": "detractor"}) == ["Kim 3"]
    Segment.objects.create(key="two", name="Two", condition={"field": "contact.name", "op": "eq", "value": "Kim 2"})
    Segment.objects.create(key="broken", name="Broken", condition={"field": "nowhere"})
    assert shown(client, {"contacts": "two"}) == ["Kim 2"]
    assert shown(client, {"contacts": "broken"}) == []
    assert shown(client, {"contacts": "unheard-of"}) == ["Kim 1", "Kim 2", "Kim 3"]
    assert shown(client, {"q": "parcel"}) == ["Kim 3"]
    assert shown(client, {"q": "kim2@"}) == ["Kim 2"]
    assert shown(client, {"days": "90"}) == ["Kim 1", "Kim 2"]
    assert shown(client, {"comment": "yes"}) == ["Kim 1", "Kim 3"]
    assert shown(client, {"comment": "no"}) == ["Kim 2"]
    assert shown(client, {"touchpoint": "order_received", "segment": "promoter"}) == ["Kim 1"]
    assert shown(client, {"q": "nothing like it"}) == []


@pytest.mark.parametrize("path", ["/", "/responses/", "/decisions/", "/cases/", "/emails/", "/why/", "/dry-runs/"])
def test_no_filter_value_breaks_a_list(client: Client, path: str) -> None:
    for name in ("q", "segment", "touchpoint", "days", "comment", "status", "cursor", "reason", "rule", "kind"):
        for value in ("\x00", "'; --", "9" * 400, "2026-01-01~x", "9999-99-99~1", "%"):
            wanted = 400 if "\x00" in value else 200
            assert client.get(path, {name: value}).status_code == wanted, (name, value)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_moment_that_there_is_not_starts_a_list_over(client: Client, moment: str) -> None:
    for path in ("/responses/", "/actions/", "/targets/", "/people/advocates/", "/people/"):
        assert client.get(path, {"sort": "newest", "cursor": f"{moment}~1"}).status_code == 200, path


def test_pages_show_each_row_once_also_among_equal_times(setup: SimpleNamespace, now: datetime) -> None:
    for number in range(11):
        story(setup, number, now - timedelta(days=number // 4))
    for ascending in (False, True):
        seen: list[UUID] = []
        cursor, pages = "", 0
        while cursor or not pages:
            found = page(Response.objects.all(), field="answered_at", cursor=cursor, ascending=ascending, size=3)
            assert found.total == 11
            assert found.is_first == (pages == 0)
            seen += [row.pk for row in found.rows]
            cursor, pages = found.next_cursor, pages + 1
        order = ("answered_at", "pk") if ascending else ("-answered_at", "-pk")
        assert seen == list(Response.objects.order_by(*order).values_list("pk", flat=True))


def test_the_second_page_is_reached_by_its_link(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    for number in range(26):
        story(setup, number, now - timedelta(minutes=number))
    answer = client.get("/responses/", {"segment": "detractor"})
    assert "Next page" in answer.content.decode()
    cursor = answer.context["page"].next_cursor
    second = client.get("/responses/", {"segment": "detractor", "cursor": cursor})
    assert [row.contact.name for row in second.context["page"].rows] == ["Kim 25"]
    assert "First page" in second.content.decode()


def test_decisions_say_why_and_what_next(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    decision = story(setup, 1, now).invitation.decision  # type: ignore[union-attr]
    assert str(what_next(decision).text) == "sent"
    deferred = Decision(status="deferred", reason="budget", until=now)
    assert what_next(deferred).at == now
    Decision.objects.update(status="blocked", reason="no_legal_basis", invitation=None)
    html = client.get("/decisions/", {"status": "blocked"}).content.decode()
    assert str(SENTENCES["no_legal_basis"]) in html
    assert "Nothing" in html


def test_an_unknown_reason_stands_for_itself() -> None:
    assert sentence("brand_new") == "brand_new"


def test_a_withdrawn_invitation_says_why(setup: SimpleNamespace, now: datetime) -> None:
    invitation = story(setup, 1, now).invitation
    assert invitation is not None
    invitation.status, invitation.status_reason = "revoked", "suppressed"
    assert str(what_next(invitation.decision).because) == str(SENTENCES["suppressed"])
