"""The dashboard: what it is narrowed down to and compared with; page and file say what a recount says."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.contacts.models import Company, Contact
from apps.insights.models import Annotation, Target
from apps.insights.nps import Counts, nps
from apps.insights.slices import Grain, Period
from apps.responses.models import Response, ScoreChange
from apps.surveys.models import Survey
from apps.touchpoints.models import Stage, Touchpoint
from apps.triggers.models import Segment
from apps.workspace import board, dashboard_choices
from apps.workspace.dashboard_choices import choices
from apps.workspace.dashboard_filter import MAX_POINTS, DashboardFilter

TODAY = datetime.now(UTC).date()
Given = list[Response]
FORMULA = "=1+1"


@pytest.fixture
def given(tenant: Any) -> Given:
    """Answers of two years at all kinds of places; so many that most parts have enough."""
    stages = [Stage.objects.create(key=key, name={"en": key}, position=n) for n, key in enumerate(["buy", "use"])]
    step = Stage.objects.create(key="unpack", name={"en": "Unpack"}, parent=stages[1], position=2)
    places = [
        Touchpoint.objects.create(key=key, name={"en": f"At {key}", "de": f"Bei {key}"}, stage=stage)
        for key, stage in (("shop", stages[0]), ("box", step), ("help", stages[1]))
    ]
    surveys = [Survey.objects.create(key=key, name={"en": f"Survey {key}"}) for key in ("one", "two")]
    firms = [Company.objects.create(name=name) for name in ("Acme", "Acme North", FORMULA)]
    people = [
        Contact.objects.create(email=f"p{n}@example.com", company=firm, properties={"plan": "pro" if n else "free"})
        for n, firm in enumerate([*firms, None])
    ]
    Segment.objects.create(key="pro", name="Pro", condition={"field": "contact.plan", "op": "eq", "value": "pro"})
    rows = []
    for number in range(240):
        day = TODAY - timedelta(days=number * number * 3 // 250)
        rows.append(
            Response(
                survey=surveys[number % 2], touchpoint=[*places, None][number % 4], contact=people[number * 7 % 4],
                score=(number * 13 + number // 50) % 11, channel=("email", "link", "kiosk")[number % 3],
                locale=("de", "de-AT", "en", "")[number // 2 % 4], is_incentivised=number % 5 == 0,
                properties={"store": "b" if number % 3 else "a"},
                answered_at=datetime.combine(day, time(hour=number % 24), tzinfo=UTC),
                updated_at=datetime.combine(day, time(), tzinfo=UTC),
            )
        )  # fmt: skip
    Response.objects.bulk_create(rows)
    cells = ("survey", "touchpoint", "score", "is_incentivised")
    ScoreChange.objects.bulk_create(
        ScoreChange(day=row.answered_at.date(), weight=1, **{name: getattr(row, name) for name in cells})
        for row in rows
    )
    return rows


@pytest.fixture
def chief(client: Client, user: User) -> Client:
    """Somebody who may take figures out."""
    user.is_superuser = True
    user.save()
    return client


def words(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    html = answer.content.decode().partition("<main")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def table(client: Client, address: str) -> list[dict[str, str]]:
    text = b"".join(client.get(address).streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def recount(rows: list[Response], period: Period, keep: Callable[[Response], bool] = lambda row: True) -> Any:
    scores: dict[int, int] = {}
    for row in rows:
        if period.since <= row.answered_at.date() <= period.until and keep(row):
            assert row.score is not None
            scores[row.score] = scores.get(row.score, 0) + 1
    return nps(Counts.from_scores(scores))


def plan(row: Response) -> str:
    return row.contact.properties["plan"] if row.contact else ""


NARROWED: dict[str, Callable[[Response], bool]] = {
    "": lambda row: True,
    "touchpoint=shop": lambda row: bool(row.touchpoint and row.touchpoint.key == "shop"),
    "stage=use": lambda row: bool(row.touchpoint and row.touchpoint.key in ("box", "help")),
    "stage=unpack&survey=two": lambda row: (
        bool(row.touchpoint and row.touchpoint.key == "box") and row.survey.key == "two"
    ),
    "channel=kiosk": lambda row: row.channel == "kiosk",
    "language=de": lambda row: row.locale in ("de", "de-AT"),
    "company=acme": lambda row: bool(row.contact and row.contact.company and row.contact.company.name == "Acme"),
    "company=North": lambda row: bool(row.contact and row.contact.company and row.contact.company.name == "Acme North"),
    "segment=pro": lambda row: plan(row) == "pro",
    "property_name=store&property_value=a": lambda row: row.properties["store"] == "a",
    "property_name=contact.plan&property_value=free": lambda row: plan(row) == "free",
    "incentive=no": lambda row: not row.is_incentivised,
}


def test_whatever_it_is_narrowed_down_to_page_and_file_say_what_a_recount_says(chief: Client, given: Given) -> None:
    for query, keep in NARROWED.items():
        for days in (90, 365):
            period = Period.last(days, today=TODAY)
            now, before = recount(given, period, keep), recount(given, period.before(), keep)
            rows = table(chief, f"/dashboard.csv?days={days}&{query}")
            whole = {row["Figure"]: row for row in rows if row["Of"] == "All"}
            for found, figure in ((now, "NPS"), (before, "NPS, compared with")):
                assert whole[figure]["n"] == str(found.n), (query, days)
                assert whole[figure]["Value"] == ("" if found.too_few else str(round(found.score, 2))), (query, days)
            shown = words(chief, f"/?days={days}&{query}")
            assert f"from {now.n} answers" in shown, query
            assert f"± {round(now.margin)}" in shown, query
            points = [row for row in rows if row["Figure"] == "NPS over time"]
            assert sum(int(row["n"]) for row in points) == now.n
            assert sum(int(row["n"]) for row in rows if row["Figure"] == "Touchpoint") == now.n


def test_it_can_be_cut_by_anything(chief: Client, given: Given) -> None:
    period = Period.last(365, today=TODAY)
    company = lambda row: row.contact.company.name if row.contact and row.contact.company else "Without company"  # noqa: E731
    keys: dict[str, tuple[str, Callable[[Response], str]]] = {
        "touchpoint": ("Touchpoint", lambda row: str(row.touchpoint or "Without touchpoint")),
        "survey": ("Survey", lambda row: str(row.survey)),
        "channel": ("Channel", lambda row: {"email": "E-mail", "link": "Public link", "kiosk": "Kiosk"}[row.channel]),
        "language": ("Language", lambda row: {"de": "German", "en": "English", "": "Unknown language"}[row.locale[:2]]),
        "company": ("Company", company),
        "incentive": ("Incentive", lambda row: "With incentive" if row.is_incentivised else "Without incentive"),
        "property:store": ("store", lambda row: row.properties["store"]),
        "property:contact.plan": ("contact.plan", plan),
    }
    for dimension, (name, key) in keys.items():
        parts = [row for row in table(chief, f"/dashboard.csv?days=365&by={dimension}") if row["Figure"] == name]
        assert {row["Of"].removeprefix("'") for row in parts} == {
            key(row) for row in given if row.answered_at.date() >= period.since
        }
        for row in parts:
            of = row["Of"].removeprefix("'")
            found = recount(given, period, lambda response, key=key, of=of: key(response) == of)  # type: ignore[misc]
            assert (row["n"], row["Value"]) == (str(found.n), "" if found.too_few else str(round(found.score, 2)))
        html = chief.get(f"/?days=365&by={dimension}").content.decode()
        assert all(name in html for name in {row["Of"].removeprefix("'") for row in parts})
    assert "'=1+1" in {row["Of"] for row in table(chief, "/dashboard.csv?days=365&by=company")}


def test_it_is_compared_with_the_time_before_a_year_ago_or_a_segment(client: Client, given: Given) -> None:
    period = Period.last(90, today=TODAY)
    offered = choices()
    for compare, days, keep in (
        ("previous", period.before(), lambda row: True),
        ("year", period.year_before(), lambda row: True),
        ("segment:pro", period, lambda row: plan(row) == "pro"),
    ):
        form = DashboardFilter({"compare": compare}, now=datetime.now(UTC), choices=offered)
        found = board.gather(form, now=datetime.now(UTC))
        other = recount(given, days, keep)
        assert found.other is not None
        assert found.other.nps == other
        assert f"(n = {other.n})" in words(client, f"/?compare={compare}")
        for row in found.rows:
            place = recount(given, days, lambda one, key=row.key, keep=keep: keep(one) and  # type: ignore[misc]
                            (one.touchpoint.key if one.touchpoint else "") == key)  # fmt: skip
            assert (row.other.n if row.other else 0) == place.n, (compare, row.key)
    assert "compared with" not in words(client, "/?compare=none")


def test_the_trend_can_be_of_any_grain_and_roll(client: Client, given: Given) -> None:
    offered, now = choices(), datetime.now(UTC)
    for days in ("30", "90", "365"):
        for grain in ("", "day", "week", "month", "quarter"):
            form = DashboardFilter({"days": days, "grain": grain}, now=now, choices=offered)
            points = board.gather(form, now=now).now.points
            assert len(points) <= MAX_POINTS
            assert [point.start for point in points] == form.period.buckets(form.trend_grain)
            if grain and (grain, days) != ("day", "365"):
                assert form.trend_grain == grain
    form = DashboardFilter({"grain": "week", "rolling": "30"}, now=now, choices=offered)
    last = board.gather(form, now=now).now.points[-1]
    assert last.nps == recount(given, Period.last(30, today=TODAY))
    assert "NPS of 30 days each" in words(client, "/?grain=week&rolling=30")
    far = DashboardFilter({"since": "2019-01-01", "grain": "day"}, now=now, choices=offered)
    assert far.trend_grain == Grain.MONTH


NONSENSE = [
    "days=7&grain=hour&rolling=-1&by=nothing&compare=segment:none&sort=x&rows=9&view=1&company_id=-1&incentive=maybe",
    "touchpoint=x&stage=x&survey=x&channel=x&language=Deutsch1&segment=x&property_name=store",
    "since=2026-13-01&until=yesterday", "since=2026-02-01&until=2026-01-01", "since=0001-01-01", "until=2026-01-01",
    "since=9999-12-31", "since=1500-01-01&until=2026-01-01", "company_id=99999999999999999999", "by=property:",
]  # fmt: skip


@pytest.mark.parametrize("query", NONSENSE)
def test_what_makes_no_sense_counts_as_not_given(client: Client, setup: SimpleNamespace, query: str) -> None:
    Response.objects.create(survey=setup.survey, score=9, answered_at=datetime.now(UTC), updated_at=datetime.now(UTC))
    form = DashboardFilter(dict(parse_qsl(query)), now=datetime.now(UTC))
    assert form.given == {}
    assert form.query() == ""
    assert client.get(f"/?{query}").status_code == 200


def test_every_state_is_an_address_that_leads_back_to_it(given: Given) -> None:
    now, offered = datetime.now(UTC), choices()
    for query in (
        "days=30&grain=day&rolling=7&by=property%3Astore&compare=year&sort=-nps&rows=all",
        "since=2026-01-01&until=2026-03-31&touchpoint=shop&survey=one&channel=link&language=fr&by=property:contact.plan",
        "company=acme&segment=pro&property_name=once&property_value=a+b&incentive=yes&compare=segment:pro&stage=use",
    ):
        first = DashboardFilter(dict(parse_qsl(query)), now=now, choices=offered)
        again = DashboardFilter(dict(parse_qsl(first.query())), now=now, choices=offered)
        assert (again.wanted, again.period, again.against) == (first.wanted, first.period, first.against)
        assert again.given == first.given
        assert len(first.given) >= len(parse_qsl(query)) - 1
    changed = dict(parse_qsl(DashboardFilter({"since": "2026-01-01"}, now=now, choices=offered).query(days="30")))
    assert changed == {"days": "30"}


@pytest.mark.usefixtures("tenant")
@pytest.mark.parametrize("words", ["zeta", "z-1"])
def test_a_company_is_found_by_its_whole_name_or_id_among_very_many(words: str) -> None:
    Company.objects.bulk_create(Company(name=f"A z-1 {number:03} Zeta") for number in range(100))
    found = Company.objects.create(name="Zeta", external_id="Z-1")
    Company.objects.create(name="ZETA Holding", external_id="z-10")
    assert dashboard_choices.companies(words) == [found]
    assert len(dashboard_choices.companies("zet")) == dashboard_choices.MAX_COMPANIES


def test_a_company_that_is_not_clear_is_asked_about(client: Client, given: Given) -> None:
    Company.objects.create(name="Acme", external_id="a-2")
    shown = words(client, "/?company=Acme")
    assert "Several companies fit. Which one?" in shown
    assert "Acme (a-2)" in shown
    assert "No company is called like this." in words(client, "/?company=Nobody")
    assert "No period can be made of these days" in words(client, "/?since=2026-05-02&until=2026-05-01")
    assert "No period can be made" not in words(client, "/?since=2026-05-01&until=2026-05-02")
    pk = Company.objects.get(external_id="a-2").pk
    assert "0 answers: too few for a score" in words(client, f"/?company_id={pk}")
    assert f'value="{Company.objects.get(external_id="a-2")}"' in client.get(f"/?company_id={pk}").content.decode()


def test_parts_are_sorted_by_what_is_asked_for(client: Client, given: Given) -> None:
    now, offered = datetime.now(UTC), choices()

    def order(sort: str) -> list[Any]:
        form = DashboardFilter({"sort": sort, "by": "channel", "days": "365"}, now=now, choices=offered)
        rows = board.gather(form, now=now).rows
        number = {"n": lambda row: row.now.n, "nps": lambda row: row.now.score, "name": lambda row: row.name}
        return [number[sort.removeprefix("-")](row) for row in rows]

    for sort in ("n", "nps"):
        assert order(sort) == sorted(order(sort), reverse=True) == order(f"-{sort}")[::-1]
    assert order("name") == sorted(order("name")) == order("-name")[::-1]
    html = client.get("/?sort=nps&days=365").content.decode()
    assert 'aria-sort="descending"' in html
    assert "sort=-nps" in html


def test_few_answers_have_no_score_anywhere(chief: Client, setup: SimpleNamespace, now: datetime) -> None:
    for score in (10, 10, 9, 0):
        Response.objects.create(survey=setup.survey, score=score, answered_at=now, updated_at=now)
        ScoreChange.objects.create(day=now.date(), survey=setup.survey, score=score, weight=1)
    shown = words(chief, "/")
    assert "4 answers: too few for a score" in shown
    assert "+50" not in shown
    assert not re.search(r"[+−]\d+ ±", shown)
    values = {row["Value"] for row in table(chief, "/dashboard.csv") if row["Unit"] == "NPS"}
    assert values == {""}


def test_notes_targets_and_suspected_answers_are_told(client: Client, given: Given, now: datetime) -> None:
    shop, box = Touchpoint.objects.get(key="shop"), Touchpoint.objects.get(key="box")
    day = TODAY - timedelta(days=20)
    for text, place in (("New checkout", None), ("Shop only", shop), ("Box only", box)):
        Annotation.objects.create(day=day, text=text, touchpoint=place, created_at=now)
    Annotation.objects.create(day=day - timedelta(days=200), text="Long ago", created_at=now)
    Target.objects.create(goal=42, created_at=now)
    Target.objects.create(goal=-7, touchpoint=shop, created_at=now)
    Response.objects.filter(pk__in=[row.pk for row in given[:2]]).update(is_suspected=True)
    shown = words(client, "/")
    assert all(text in shown for text in ("New checkout", "Shop only", "Box only", "Target +42"))
    assert "Long ago" not in shown
    assert "2 answers of this period are not counted, because probably no human gave them." in shown
    shown = words(client, "/?touchpoint=shop")
    assert ("Shop only" in shown, "Box only" in shown, "New checkout" in shown) == (True, False, True)
    assert "Target −7" in shown
    assert "Target" not in words(client, "/?channel=kiosk")


def test_a_segment_that_cannot_be_evaluated_is_said_so(chief: Client, given: Given) -> None:
    Segment.objects.update(condition={"field": "contact.plan", "op": "nonsense", "value": 1})
    assert "cannot be evaluated" in words(chief, "/?segment=pro")
    assert table(chief, "/dashboard.csv?segment=pro") == []


def test_it_costs_the_same_however_many_days_and_parts_there_are(
    client: Client, queries_of: Callable[[str], int], given: Given
) -> None:
    few = queries_of("/?days=30&by=company")
    for number in range(20):
        firm = Company.objects.create(name=f"Firm {number}")
        contact = Contact.objects.create(email=f"f{number}@example.com", company=firm)
        Response.objects.create(
            survey=given[0].survey,
            contact=contact,
            score=9,
            answered_at=datetime.now(UTC),
            updated_at=datetime.now(UTC),
        )
    assert queries_of("/?since=2025-01-01&grain=week&by=company") <= few
    shown = words(client, "/?days=365&by=company")
    assert "10 of 24 are shown." in shown
    assert shown.count("Firm ") < words(client, "/?days=365&by=company&rows=all").count("Firm ") == 20
    assert queries_of("/") <= 15


def test_it_speaks_german_and_the_file_is_for_those_who_may(client: Client, given: Given) -> None:
    client.cookies["django_language"] = "de"
    shown = words(client, "/?grain=quarter")
    assert "Bei shop" in shown
    assert client.get("/dashboard.csv").status_code == 403
    assert "CSV" not in shown


def test_the_link_to_the_list_keeps_what_the_list_knows(client: Client, given: Given) -> None:
    html = client.get("/?touchpoint=shop&segment=pro&days=30").content.decode()
    assert f"{reverse('workspace:responses')}?touchpoint=shop&amp;days=30&amp;contacts=pro" in html
