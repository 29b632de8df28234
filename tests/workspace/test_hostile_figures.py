"""The dashboard's figures under attack: broken addresses, what a link narrowed down to is gone, names that are code."""

import re
from datetime import UTC
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.contacts.models import Company, Contact
from apps.insights.models import SavedView, ShareLink
from apps.responses.models import Response, ScoreChange
from apps.surveys.models import Survey
from apps.touchpoints.models import Event, Stage, Touchpoint
from apps.triggers.models import Segment
from apps.workspace import saved

PAGES = ("/", "/dashboard.csv", "/funnel/", "/views/new/", "/views/")
SCRIPT = "\"'><script>alert(1)</script>"


@pytest.fixture
def given(tenant: Any, user: User) -> list[Response]:
    user.is_superuser = True
    user.save()
    now = timezone.now()
    survey = Survey.objects.create(key="order", name={"en": f"Order {SCRIPT}"})
    stage = Stage.objects.create(key="buy", name={"en": f"Buy {SCRIPT}"})
    place = Touchpoint.objects.create(key="shop", name={"en": f"Shop {SCRIPT}"}, stage=stage)
    company = Company.objects.create(name=f"Acme {SCRIPT}", properties={SCRIPT: SCRIPT})
    contact = Contact.objects.create(email="k@example.com", company=company, properties={SCRIPT: SCRIPT})
    Segment.objects.create(
        key="all", name=f"All {SCRIPT}", condition={"field": "contact.plan", "op": "ne", "value": "x"}
    )
    rows = []
    for number in range(8):
        cell = {"survey": survey, "touchpoint": place, "score": 9 if number % 4 else 3}
        rows.append(
            Response.objects.create(
                contact=contact if number % 2 else None,
                properties={SCRIPT: SCRIPT, "empty": ""},
                locale="de",
                answered_at=now,
                updated_at=now,
                **cell,
            )
        )
        ScoreChange.objects.create(day=now.astimezone(UTC).date(), weight=1, **cell)
    return rows


BAD = [
    "property_name=a%00b&property_value=x", "by=property:a%00b", "property_name=store&property_value=a%00b",
    "company=%00&survey=%00&compare=segment:%00&language=%00&q=%00&cursor=%00&view=%00", "page=journey&x=%00&x%00=1",
    "property_name=%ED%A0%80&property_value=%ED%A0%80", "by=property:%27);DROP%20TABLE%20x;--%25(start)s",
    "property_name=%25s%25(start)s&property_value=%25s%25(x)s",
    f"since={'9' * 5000}&days={'9' * 3000}&company_id={'9' * 5000}&by=property:{'x' * 5000}",
    "since=2026-01-01&until=2026-01-01&grain=day&rolling=90", "compare=year&since=2024-02-29&until=2024-02-29",
    "since=1990-06-01&by=property:0", "property_name=contact.&property_value=x&by=property:contact.",
    "property_name=0&property_value=x&company_id=%D9%A3&language=%C3%9F",
]  # fmt: skip
PARTS = [
    {"by": "touchpoint"}, {"by": "stage"}, {"by": "survey"}, {"by": "segment"}, {"by": "company"},
    {"compare": "segment:all"}, {"by": f"property:{SCRIPT}"}, {"by": f"property:contact.{SCRIPT}"},
    {"property_name": SCRIPT, "property_value": SCRIPT}, {"company": "Acme"}, {"company": SCRIPT},
]  # fmt: skip


def test_no_address_breaks_a_page(client: Client, given: list[Response]) -> None:
    client.raise_request_exception = False
    broken = []
    for query in BAD:
        asked = [(page, client.get(f"{page}?{query}")) for page in PAGES]
        asked.append(("save", client.post(f"/views/new/?{query}", {"name": "V"})))
        for view in SavedView.objects.all():
            asked.append(("view", client.get(f"/views/{view.pk}/")))
            asked.append(("update", client.post(f"/views/{view.pk}/update/?{query}")))
        SavedView.objects.all().delete()
        broken += [(page, query, answer.status_code) for page, answer in asked if answer.status_code >= 500]
    assert broken == []


def test_names_are_never_code(client: Client, given: list[Response]) -> None:
    for part in PARTS:
        for page in ("/", "/funnel/", "/questions/"):
            html = client.get(page, part).content.decode()
            assert "<script>alert" not in html, part
            assert "alert(1)" in html or page != "/", part


def link(query: dict[str, str]) -> str:
    now = timezone.now()
    view = SavedView.objects.create(name="V", query=query, created_at=now, updated_at=now)
    return f"/shared/{saved.token_of(ShareLink.objects.create(view=view, created_at=now))}/"


@pytest.mark.parametrize("field", ["company_id", "segment", "touchpoint", "survey", "stage", "compare"])
def test_a_view_whose_part_is_gone_shows_nothing_to_others_rather_than_everything(
    client: Client, given: list[Response], field: str
) -> None:
    company = Company.objects.create(name="Gone")
    values = {"company_id": str(company.pk), "compare": "segment:all"}
    address = link({field: values.get(field, "all")})
    anybody = Client(headers={"host": "nordwind.resonanz.test"})
    if field in ("company_id", "compare", "segment"):
        assert "cannot be shown" not in anybody.get(address).content.decode()
    company.delete()
    Segment.objects.all().delete()
    html = anybody.get(address).content.decode()
    assert "from 8 answers" not in html
    assert "cannot be shown" in html
    file = client.get(f"/views/{SavedView.objects.get().pk}/figures.csv")
    assert len(b"".join(file.streaming_content).splitlines()) == 1  # type: ignore[attr-defined]
    page = client.get(f"/views/{SavedView.objects.get().pk}/").content.decode()
    assert "could not be applied" in page


@pytest.mark.parametrize("value", ["  ", " a", "a ", "x" * 200, "x" * 201])
def test_a_part_leads_to_itself_and_not_to_more(client: Client, given: list[Response], value: str) -> None:
    Response.objects.filter(score=9).update(properties={"store": value})
    html = client.get("/?by=property:store").content.decode()
    links = re.findall(r'href="(/\?[^"]*property_value=[^"]*)"', html)
    assert len(links) == (len(value) <= 200)
    for address in links:
        assert "from 6 answers" in client.get(address.replace("&amp;", "&")).content.decode()


def test_what_was_counted_for_some_filters_is_not_shown_for_others(client: Client, given: list[Response]) -> None:
    now = timezone.now()
    Event.objects.create(touchpoint=Touchpoint.objects.get(), occurred_at=now, received_at=now, status="decided")
    empty = "Nothing happened in this period"
    addresses = ("/funnel/", "/funnel/?survey=order", "/funnel/?since=2026-01-01&until=2026-01-02", "/funnel/")
    assert [empty in client.get(address).content.decode() for address in addresses] == [False, True, True, False]
