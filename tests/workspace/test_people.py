"""The pages about contacts at risk, advocates and silent ones: found by each filter, acted on, taken out as files."""

import csv
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db.models.expressions import RawSQL
from django.test import Client
from django.utils import translation
from django_tenants.utils import tenant_context

from apps.accounts.models import User
from apps.cases import services as cases
from apps.cases.models import Case
from apps.contacts.models import Company, Contact
from apps.insights import people_finding
from apps.integrations.services import create_api_key
from apps.messaging import suppressions
from apps.responses.models import Response
from apps.surveys.models import Invitation
from apps.triggers.models import Segment
from apps.workspace import lists_people, paging
from tests import factories
from tests.api.calling import call
from tests.workspace.conftest import make_setup

RISK, ADVOCATES, SILENT = "/people/", "/people/advocates/", "/people/silent/"
SCRIPT = "<script>alert('x')</script>"


def gave(setup: SimpleNamespace, name: str, score: int, at: datetime, **values: Any) -> Response:
    contact = Contact.objects.filter(name=name).first() or factories.ContactFactory(name=name)
    values = {"survey": setup.survey, "touchpoint": setup.touchpoint, **values}
    return Response.objects.create(contact=contact, score=score, answered_at=at, updated_at=at, **values)


def asked(setup: SimpleNamespace, name: str, at: datetime) -> None:
    contact = Contact.objects.filter(name=name).first() or factories.ContactFactory(name=name)
    Invitation.objects.create(
        survey=setup.survey, contact=contact, reason=f"{name}:{at}", status="shown", send_at=at, give_up_at=at,
        created_at=at,
    )  # fmt: skip


@pytest.fixture
def some(setup: SimpleNamespace, user: User, now: datetime) -> dict[str, Response]:
    """Ada has an overdue case and fell; Bob gave 6 elsewhere; Cy gave 0 and may not be written to."""
    other = factories.TouchpointFactory(key="support", name={"en": "Support"})
    rows = {
        "ada": gave(setup, "Ada", 9, now - timedelta(days=90)),
        "ada now": gave(setup, "Ada", 3, now - timedelta(days=30), comment="Too slow"),
        "bob": gave(setup, "Bob", 6, now - timedelta(days=2), touchpoint=other),
        "cy": gave(setup, "Cy", 0, now - timedelta(days=20)),
        "dee": gave(setup, "Dee", 10, now - timedelta(days=9), comment="Wonderful"),
    }
    Contact.objects.filter(name="Bob").update(company=Company.objects.create(name="Klarwerk GmbH", external_id="k-1"))
    Contact.objects.filter(name="Cy").update(email="cy@x.example", phone="+491701234567")
    suppressions.suppress(emails=["cy@x.example"], reason="complained", source="t", now=now)
    opened = cases.open_by_hand(response_id=rows["ada now"].pk, by=user, now=now - timedelta(days=29))
    Case.objects.filter(pk=opened.pk).update(due_at=now - timedelta(days=4, hours=1), contact_due_at=None)
    for days in (40, 20):
        asked(setup, "Eve", now - timedelta(days=days))
    return rows


def names(client: Client, path: str = RISK, **query: str) -> list[str]:
    return [one.contact.name for one in client.get(path, query).context["people"]]


@pytest.mark.usefixtures("some")
def test_contacts_at_risk_are_found_by_each_filter_the_most_urgent_first(
    client: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    Segment.objects.create(key="bob", name="Bob", condition={"field": "contact.name", "op": "eq", "value": "Bob"})
    assert names(client) == ["Ada", "Cy", "Bob"]
    assert names(client, sort="newest") == ["Bob", "Cy", "Ada"]
    assert names(client, q="CY@x") == names(client, q="4917012") == ["Cy"]
    assert names(client, company="klarwerk") == names(client, company="K-1") == names(client, segment="bob") == ["Bob"]
    monkeypatch.setattr(people_finding, "MANY", 0)  # as where very many fit the words
    assert names(client, q="CY@x") == ["Cy"]
    assert names(client, company="klarwerk", segment="bob") == ["Bob"]
    assert names(client, touchpoint="support") == ["Bob"]
    assert names(client, reason="fell") == names(client, reason="case_overdue") == ["Ada"]
    assert names(client, owner=str(user.pk)) == ["Ada"]
    assert names(client, owner="no_case") == ["Cy", "Bob"]
    assert names(client, owner="none") == names(client, q="nobody") == []
    assert names(client, owner="nonsense", reason="nonsense", touchpoint="nonsense") == ["Ada", "Cy", "Bob"]
    assert "No contact of this list fits these filters." in client.get(RISK, {"q": "nobody"}).content.decode()


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize(
    ("path", "file"),
    [(RISK, "/people/at-risk"), (ADVOCATES, "/people/advocates"), (SILENT, "/people/silent")],
)
def test_a_segment_that_cannot_be_evaluated_is_told_and_no_list_goes_out(
    client: Client, user: User, path: str, file: str
) -> None:
    Segment.objects.create(key="broken", name="Broken", condition={"field": "nowhere"})
    page = client.get(path, {"segment": "broken"})
    assert "A segment of contacts that was chosen cannot be evaluated." in page.content.decode()
    assert "No contact of this list fits" not in page.content.decode()
    assert [number.total for _url, _name, number, _here in page.context["tabs"]] == [3, 1, 1]
    user.user_permissions.add(Permission.objects.get(codename="view_contact"))
    for kind in ("csv", "xlsx"):
        answer = client.get(f"{file}.{kind}", {"segment": "broken", "q": "a b"})
        assert answer.headers["Location"] == f"{path}?segment=broken&q=a+b"
        shown = client.get(answer.headers["Location"])
        assert ["cannot be evaluated" in str(message) for message in shown.context["messages"]] == [True]
    assert not LogEntry.objects.filter(object_repr__contains="CSV").exists()


@pytest.mark.usefixtures("some")
def test_each_list_tells_reasons_next_actions_and_how_many_are_in_the_others(client: Client) -> None:
    page = client.get(RISK).content.decode()
    for part in (
        "Case overdue 4 days", "Fell from 9 to 3", "Too slow", "Go on with the open case.", "The case, with cx",
        "may not be written to: complained", "They may not be written to: call.", 'href="tel:+491701234567"',
        "Open a case and get in touch.", "at “Support”",
    ):  # fmt: skip
        assert part in page, part
    assert page.count('name="response"') == 2  # to be ticked is only who can get a case
    assert [number.total for _url, _name, number, _here in client.get(RISK).context["tabs"]] == [3, 1, 1]
    assert names(client, ADVOCATES) == ["Dee"]
    assert names(client, ADVOCATES, reason="twice_high") == []
    assert "Gave 10 with a comment on" in client.get(ADVOCATES).content.decode()
    assert names(client, SILENT) == ["Eve"]
    assert "2 invitations unanswered" in client.get(SILENT).content.decode()


def test_empty_lists_say_what_it_would_take(client: Client) -> None:
    for path, words in ((RISK, "Nobody is at risk."), (ADVOCATES, "No advocates yet."), (SILENT, "Nobody is silent.")):
        assert words in client.get(path).content.decode()


def test_ticked_contacts_get_one_case_each_and_those_who_have_one_do_not(
    client: Client, some: dict[str, Response], user: User
) -> None:
    ticked = [some["bob"].pk, some["cy"].pk, some["ada"].pk, some["ada now"].pk, "nonsense"]
    assert client.post(f"{RISK}?sort=newest", {"response": ticked}).headers["Location"] == f"{RISK}?sort=newest"
    opened = Case.objects.exclude(response=some["ada now"])
    assert {case.response_id for case in opened} == {some["bob"].pk, some["cy"].pk}
    assert {case.owner_id for case in opened} == {user.pk}
    said = [str(message) for message in client.get(RISK).context["messages"]]
    assert said == [
        "2 cases opened.", "2 contacts have a case already, or their answers are gone: nothing was opened."
    ]  # fmt: skip
    client.post(RISK, {"response": ticked})
    assert Case.objects.count() == 3
    client.post(RISK)
    assert "Tick some contacts first." in client.get(RISK).content.decode()
    assert client.post(ADVOCATES, {"response": ticked}).status_code == 405


def test_two_answers_of_one_contact_open_one_case(setup: SimpleNamespace, user: User, now: datetime) -> None:
    rows = [gave(setup, "Ada", score, now - timedelta(days=score)) for score in (2, 3)]
    machine = gave(setup, "Bot", 1, now, is_suspected=True)
    ids = [*(row.pk for row in rows), machine.pk]
    assert len(cases.open_many_by_hand(response_ids=ids, by=user, now=now)) == 1
    assert cases.open_many_by_hand(response_ids=ids, by=user, now=now) == []


def test_pages_show_each_contact_once_in_either_order_and_cost_the_same_queries(
    client: Client,
    setup: SimpleNamespace,
    now: datetime,
    queries_of: Callable[[str], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("apps.tenants.registry.TTL_SECONDS", 600)  # however slow the machine is
    monkeypatch.setattr("apps.workspace.templatetags.workspace.PAUSE_SECONDS", 600)

    def fill(start: int, end: int) -> None:
        for kind in "rps":
            people = Contact.objects.bulk_create(
                Contact(name=f"{kind}{n}", external_id=f"{kind}{n}") for n in range(start, end)
            )
            times = [(n, contact, now - timedelta(days=40 - n // 3)) for n, contact in enumerate(people, start)]
            if kind == "s":
                Invitation.objects.bulk_create(
                    Invitation(survey=setup.survey, contact=contact, reason=f"{n}:{ask}", status="shown", send_at=at,
                               give_up_at=at, created_at=at - timedelta(days=ask))
                    for n, contact, at in times for ask in (1, 9)
                )  # fmt: skip
                continue
            Response.objects.bulk_create(
                Response(survey=setup.survey, touchpoint=setup.touchpoint, contact=contact, comment="x",
                         score=n % 7 if kind == "r" else 9, answered_at=at, updated_at=at)
                for n, contact, at in times
            )  # fmt: skip

    fill(0, 1)
    few = [queries_of(path) for path in (RISK, f"{RISK}?sort=newest", ADVOCATES, SILENT)]
    fill(1, 30)
    assert [queries_of(path) for path in (RISK, f"{RISK}?sort=newest", ADVOCATES, SILENT)] == few
    assert max(few) <= 20
    for path, query in ((RISK, {}), (RISK, {"sort": "newest"}), (ADVOCATES, {}), (SILENT, {})):
        first = client.get(path, query)
        cursor = first.context["page"].next_cursor
        assert first.context["page"].total == 30
        found = [*(one.contact.name for one in first.context["people"]), *names(client, path, **query, cursor=cursor)]
        assert len(found) == len(set(found)) == 30
    weights = [one.weight for one in client.get(RISK).context["people"]]
    assert weights == sorted(weights, reverse=True)


def test_more_than_can_be_counted_are_the_most_urgent_of_the_newest(
    client: Client, some: dict[str, Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (paging, lists_people):
        monkeypatch.setattr(module, "COUNT_UP_TO", 2)
    assert names(client) == ["Cy", "Bob"]
    assert "here are the most urgent of the newest" in client.get(RISK).content.decode()
    assert names(client, sort="newest") == ["Bob", "Cy", "Ada"]


@pytest.mark.usefixtures("some")
def test_whoever_looks_for_too_long_is_told_what_to_do(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(RawSQL):
        """A condition that takes its time."""

        def __init__(self) -> None:
            super().__init__("(SELECT pg_sleep(5) IS NOT NULL)", [])

    monkeypatch.setattr(people_finding, "PATIENCE_MS", 50)
    monkeypatch.setattr(lists_people, "narrowed", lambda found, wanted, now: found.alias(slow=Slow()).filter(slow=True))
    page = client.get(RISK, {"q": "ada"})
    assert "Looking through all contacts takes too long" in page.content.decode()
    assert "No contact of this list fits" not in page.content.decode()
    monkeypatch.setattr("apps.api.resources.people.narrowed", lists_people.narrowed)
    assert call(create_api_key(name="crm")[1], "GET", "/contacts/at-risk").status_code == 503


def test_what_contacts_wrote_is_shown_as_text(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    row = gave(setup, SCRIPT, 1, now, comment=SCRIPT)
    Contact.objects.filter(pk=row.contact_id).update(company=Company.objects.create(name=SCRIPT))
    gave(setup, SCRIPT + "2", 10, now, comment=SCRIPT)
    for days in (40, 20):
        asked(setup, SCRIPT + "3", now - timedelta(days=days))
    for path in (RISK, ADVOCATES, SILENT):
        page = client.get(path, {"q": "<script"}).content.decode()
        assert "&lt;script&gt;alert" in page
        assert "<script>alert" not in page


@pytest.mark.usefixtures("some")
def test_a_list_goes_out_as_a_file_for_those_who_may_and_is_noted(client: Client, user: User) -> None:
    assert client.get("/people/at-risk.csv").status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_contact"))
    assert client.get("/people/at-risk.pdf").status_code == 404
    answer = client.get("/people/at-risk.csv", {"owner": "no_case"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(StringIO(text), delimiter=";" if ";" in text.splitlines()[0] else ","))
    assert [row["name"] for row in rows] == ["Bob", "Cy"]
    assert rows[1]["reasons"].startswith("gave 0 on ")
    assert rows[1]["next_action"] == "They may not be written to: call."
    assert (rows[0]["company"], rows[0]["touchpoint"], rows[0]["score"]) == ("Klarwerk GmbH", "support", "6")
    for path, name in (("advocates", "Dee"), ("silent", "Eve")):
        out = client.get(f"/people/{path}.csv")
        assert name in b"".join(out.streaming_content).decode()  # type: ignore[attr-defined]
        assert client.get(f"/people/{path}.xlsx").status_code == 200
    assert LogEntry.objects.latest("pk").object_repr == "XLSX silent"
    assert LogEntry.objects.filter(object_repr="CSV at_risk, owner").exists()


@pytest.mark.usefixtures("some")
def test_the_pages_speak_german(client: Client) -> None:
    for path in (RISK, ADVOCATES, SILENT):
        answer = client.get(path, headers={"accept-language": "de"})
        assert answer.status_code == 200
        assert '<html lang="de">' in answer.content.decode()
    translation.activate("en")


def test_another_tenants_contacts_are_on_no_list_and_get_no_case(
    client: Client, tenant: Any, other_tenant: Any, now: datetime
) -> None:
    with tenant_context(other_tenant):
        theirs = gave(make_setup(), "Theirs", 1, now)
    assert names(client) == []
    client.post(RISK, {"response": [theirs.pk]})
    assert not Case.objects.exists()
    with tenant_context(other_tenant):
        assert not Case.objects.exists()


@pytest.mark.usefixtures("some")
def test_a_crm_gets_the_lists_with_reasons_and_next_actions(some: dict[str, Response]) -> None:
    key = create_api_key(name="crm")[1]
    told = call(key, "GET", "/contacts/at-risk").json()["results"]
    assert [one["contact"]["name"] for one in told] == ["Bob", "Cy", "Ada"]
    ada = told[2]
    assert [reason["code"] for reason in ada["reasons"]] == ["case_overdue", "low_score", "fell"]
    assert (ada["reasons"][0]["number"], ada["reasons"][2]["score_before"]) == (4, 9)
    assert (ada["score"], ada["next_action"], ada["blocked"]) == (3, "work_on_case", None)
    assert ada["case_id"] == ada["reasons"][0]["case_id"] == str(some["ada now"].case.pk)
    assert (told[1]["next_action"], told[1]["blocked"]) == ("call", "complained")

    def found(query: str) -> list[str]:
        rows = call(key, "GET", f"/contacts/{query}").json()["results"]
        return [one["contact"]["name"] for one in rows]

    assert found("at-risk?reason=fell") == ["Ada"]
    assert found("at-risk?touchpoint=support") == ["Bob"]
    company = Company.objects.get()
    assert found(f"at-risk?company={company.pk}") == found("at-risk?q=bob") == ["Bob"]
    assert found("advocates") == ["Dee"]
    assert found("silent") == ["Eve"]
