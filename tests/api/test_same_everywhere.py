"""The same figure is the same number on the dashboard, in its file, on the map, in the API and in a recount."""

import csv
import io
import random
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.contacts.models import Company, Contact
from apps.insights import services
from apps.insights.nps import Counts, Nps, change, nps
from apps.insights.slices import Grain, Period
from apps.integrations.services import create_api_key
from apps.responses.models import Response, ScoreChange
from apps.surveys.models import Survey
from apps.touchpoints.models import Event, Stage, Touchpoint
from apps.triggers.models import Segment
from tests.api.calling import call
from tests.api.sending import HOST

NOW = datetime.now(UTC)
TODAY = NOW.date()
PERIOD = Period.last(90, today=TODAY)
DAYS = f"since={PERIOD.since}&until={PERIOD.until}"
CHANNELS, LOCALES, STORES = ("email", "link", "kiosk"), ("de", "de-AT", "en", ""), ("Köln", "Bonn:Süd", "", None)
Keep = Callable[[Response], bool]


@pytest.fixture
def world(tenant: Any) -> SimpleNamespace:
    """1,000 answers at random: machines', promised ones, of anonymous surveys with few and with many; half folded."""
    chance = random.Random(8)
    stages = [Stage.objects.create(key=key, name={"en": key}, position=n) for n, key in enumerate(("buy", "use"))]
    step = Stage.objects.create(key="unpack", name={"en": "Unpack"}, parent=stages[1], position=2)
    places = [
        Touchpoint.objects.create(key=key, name={"en": key}, stage=stage)
        for key, stage in (("shop", stages[0]), ("help", stages[1]), ("box", step))
    ]
    surveys = [Survey.objects.create(key=key, name={"en": key}) for key in ("one", "two")]
    rare, crowd = (Survey.objects.create(key=key, name={"en": key}, is_anonymous=True) for key in ("rare", "crowd"))
    people: list[Contact | None] = [None]
    for plan in ("pro", "free", "pro"):
        firm = Company.objects.create(name=f"Firm {len(people)}", properties={"size": len(people)})
        people.append(Contact.objects.create(external_id=f"p{len(people)}", company=firm, properties={"plan": plan}))
    Segment.objects.create(key="pro", name="Pro", condition={"field": "contact.plan", "op": "eq", "value": "pro"})
    rows = []
    for number in range(1000):
        # Of the rare survey four humans and three machines: too few to be shown.
        survey = rare if number < 7 else chance.choice([*surveys, *surveys, crowd])
        store, at = chance.choice(STORES), chance.uniform(0, 400) ** 2 / 400
        answered = datetime.combine(TODAY - timedelta(days=at), time(chance.randint(0, 23), 59), tzinfo=UTC)
        rows.append(Response(
            survey=survey, touchpoint=chance.choice([*places, None]), answered_at=answered, updated_at=answered,
            contact=None if survey.is_anonymous else chance.choice(people), channel=chance.choice(CHANNELS),
            score=chance.choice([*range(11), 9, 10, None]) if number >= 7 else 0, locale=chance.choice(LOCALES),
            is_incentivised=chance.random() < 0.3, is_suspected=number < 3 or (number >= 7 and chance.random() < 0.1),
            properties={} if store is None else {"store": store, "2024": "yes"},
        ))  # fmt: skip
    Response.objects.bulk_create(rows)
    counted = [row for row in rows if row.score is not None and not row.is_suspected]
    names = ("survey", "touchpoint", "score", "is_incentivised")
    ScoreChange.objects.bulk_create(
        ScoreChange(day=row.answered_at.date(), weight=1, **{name: getattr(row, name) for name in names})
        for row in counted
    )
    services.roll_up(now=NOW, limit=len(counted) // 2)
    events = [Event(touchpoint=places[n % 3], occurred_at=NOW - timedelta(days=n), received_at=NOW) for n in range(120)]
    Event.objects.bulk_create(events)
    return SimpleNamespace(
        shown=[row for row in counted if row.survey.key != "rare"], firm=Company.objects.get(name="Firm 1"),
        key=create_api_key(name="bi")[1],
    )  # fmt: skip


@pytest.fixture
def chief(tenant: Any) -> Client:
    client = Client(headers={"host": HOST})
    client.force_login(User.objects.create(username="cx", is_superuser=True))
    return client


def at(row: Response) -> str:
    return row.touchpoint.key if row.touchpoint else ""


def plan(row: Response) -> str:
    return row.contact.properties["plan"] if row.contact else ""


# What the dashboard is asked, what the API is asked, and which answers that means.
FILTERS: list[tuple[str, str, Keep]] = [
    ("", "", lambda row: True),
    ("touchpoint=box", "touchpoint=box", lambda row: at(row) == "box"),
    ("stage=use&survey=one", "stage=use&survey=one",
     lambda row: at(row) in ("help", "box") and row.survey.key == "one"),
    ("stage=unpack&incentive=yes", "stage=unpack&incentivised=true",
     lambda row: at(row) == "box" and row.is_incentivised),
    ("survey=rare", "survey=rare", lambda row: False),
    ("survey=crowd&channel=kiosk", "survey=crowd&channel=kiosk",
     lambda row: row.survey.key == "crowd" and row.channel == "kiosk"),
    ("language=de&incentive=no", "language=de&incentivised=false",
     lambda row: row.locale[:2] == "de" and not row.is_incentivised),
    ("segment=pro", "segment=pro", lambda row: plan(row) == "pro"),
    ("company=Firm+1&stage=use", "company={firm}&stage=use",
     lambda row: bool(row.contact and row.contact.company_id == row.firm) and at(row) in ("help", "box")),
    ("property_name=store&property_value=Bonn:S%C3%BCd", "property=store:Bonn:S%C3%BCd",
     lambda row: row.properties.get("store") == "Bonn:Süd"),
    ("property_name=contact.plan&property_value=free", "property=contact.plan:free", lambda row: plan(row) == "free"),
]  # fmt: skip
# How each dimension calls the part that an answer belongs to; segments apart from that.
CUTS: dict[str, Callable[[Response], Any]] = {
    "touchpoint": lambda row: at(row) or None,
    "stage": lambda row: {"shop": "buy", "help": "use", "box": "use"}.get(at(row)),
    "survey": lambda row: row.survey.key,
    "channel": lambda row: row.channel,
    "language": lambda row: row.locale[:2] or None,
    "company": lambda row: row.contact.company_id if row.contact else None,
    "incentive": lambda row: row.is_incentivised,
    "property:store": lambda row: row.properties.get("store") or None,
    "property:2024": lambda row: row.properties.get("2024"),
    "property:company.size": lambda row: str(row.contact.company.properties["size"]) if row.contact else None,
}


def recount(rows: list[Response], period: Period) -> Nps:
    scores: dict[int, int] = {}
    for row in rows:
        if period.since <= row.answered_at.date() <= period.until:
            scores[row.score] = scores.get(row.score, 0) + 1  # type: ignore[index]
    return nps(Counts.from_scores(scores))


def told(score: Nps) -> tuple[Any, ...]:
    """n, score, ±, and from where to where, as figures are shown: none of fewer than five."""
    shown = (None,) * 4 if score.n < 5 else (score.score, score.margin, score.low, score.high)
    return (score.n, *(None if value is None else round(value, 2) for value in shown))


def of_api(found: dict[str, Any]) -> tuple[Any, ...]:
    assert found["too_few"] == (found["n"] < 5)
    if found["too_few"]:
        assert {name for name, value in found.items() if value is None} >= {"promoters", "passives", "detractors"}
    else:
        assert found["promoters"] + found["passives"] + found["detractors"] == found["n"]
    return tuple(found[name] for name in ("n", "score", "margin", "low", "high"))


def step(before: Nps, after: Nps) -> dict[str, Any]:
    found = change(before, after)
    if found is None:
        return {"points": None, "low": None, "high": None, "verdict": "too_few"}
    numbers = {"points": found.delta, "low": found.low, "high": found.high}
    return {**{name: round(value, 2) for name, value in numbers.items()}, "verdict": found.verdict}


def api(world: SimpleNamespace, path: str, *parts: str) -> Any:
    query = "&".join(part for part in parts if part).replace("{firm}", str(world.firm.pk))
    answer = call(world.key, "GET", f"{path}?{query}" if query else path)
    assert answer.status_code == 200, (path, query, answer.content)
    return answer.json()


def kept(world: SimpleNamespace, keep: Keep) -> list[Response]:
    for row in world.shown:
        row.firm = world.firm.pk
    return [row for row in world.shown if keep(row)]


def file_of(client: Client, query: str) -> list[dict[str, str]]:
    text = b"".join(client.get(f"/dashboard.csv?{query}").streaming_content)  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))


def of_file(row: dict[str, str]) -> tuple[Any, ...]:
    numbers = [row[name] for name in ("Value", "interval from (95 %)", "interval to (95 %)")]
    return (int(row["n"]), *(float(value) if value else None for value in numbers))


def without_margin(found: tuple[Any, ...]) -> tuple[Any, ...]:
    """A file tells from where to where instead."""
    return found[:2] + found[3:]


def test_every_figure_is_the_same_on_the_page_in_the_file_in_the_api_and_in_a_recount(
    world: SimpleNamespace, chief: Client
) -> None:
    assert len(world.shown) > 600
    for query, asked, keep in FILTERS:
        rows = kept(world, keep)
        now, before = recount(rows, PERIOD), recount(rows, PERIOD.before())
        board = chief.get(f"/?{query}").context["board"]
        found = api(world, "/metrics/nps", DAYS, asked, "by=touchpoint&compare=previous")
        lines = file_of(chief, query)
        whole = {line["Figure"]: line for line in lines if line["Of"] == "All"}

        assert told(now) == told(board.nps) == of_api(found["total"]), query
        assert told(before) == told(board.other.nps) == of_api(found["total"]["before"]), query
        assert step(before, now) == step(board.other.nps, board.nps) == found["total"]["change"], query
        assert board.change == change(before, now), query
        assert without_margin(told(now)) == of_file(whole["NPS"]), query
        assert without_margin(told(before)) == of_file(whole["NPS, compared with"]), query
        assert whole["Change"]["Value"] == ("" if board.change is None else str(round(board.change.delta, 2))), query

        parts = [recount([row for row in rows if at(row) == key], PERIOD) for key in ("shop", "help", "box", "")]
        expected = [told(part) for part in parts if part.n]
        assert [of_api(group) for group in found["groups"] if group["n"]] == expected, query
        assert [told(row.now) for row in board.rows] == expected, query
        assert [of_file(line) for line in lines if line["Figure"] == "Touchpoint"] == [
            without_margin(part) for part in expected
        ], query

        made = api(world, "/metrics/nps/distribution", asked)
        spread = [None] * 11 if now.too_few else board.distribution
        assert [score["hits"] for score in made["scores"]] == spread, query
        assert of_api(made["total"]) == told(now), query
        percents = [line["Value"] for line in lines if line["Figure"] == "Score"]
        assert percents == ["" if score["percent"] is None else str(score["percent"]) for score in made["scores"]]

        points = api(world, "/metrics/nps/trend", asked)["points"]
        assert [(point["start"], of_api(point)) for point in points] == [
            (point.start.isoformat(), told(point.nps)) for point in board.now.points
        ], query
        assert sum(point["n"] for point in points) == now.n, query


def test_however_it_is_cut_compared_and_put_over_time_it_is_what_a_recount_says(
    world: SimpleNamespace, chief: Client
) -> None:
    year = Period.last(365, today=TODAY)
    for by, key in CUTS.items():
        told_of = api(world, "/metrics/nps", f"since={year.since}&until={year.until}&compare=year", f"by={by}")
        shown = {row.key: row for row in chief.get(f"/?days=365&compare=year&by={by}").context["board"].rows}
        assert {group["key"] for group in told_of["groups"]} == {key(row) for row in world.shown}, by
        for group in told_of["groups"]:
            rows = [row for row in world.shown if key(row) == group["key"]]
            now, before = recount(rows, year), recount(rows, year.year_before())
            assert (of_api(group), of_api(group["before"])) == (told(now), told(before)), (by, group["key"])
            assert group["change"] == step(before, now), (by, group["key"])
            name = {True: "yes", False: "no", None: ""}.get(group["key"], str(group["key"]))
            assert told(shown[name].now) == told(now), (by, name)
    (pro,) = api(world, "/metrics/nps", "by=segment")["groups"]
    assert of_api(pro) == told(nps_of([row for row in world.shown if plan(row) == "pro"]))
    daily = api(world, "/metrics/nps", DAYS, "by=day")["groups"]
    assert sum(day["n"] for day in daily) == recount(world.shown, PERIOD).n
    for grain in Grain:
        for point in api(world, "/metrics/nps/trend", DAYS, f"grain={grain}&rolling=30")["points"]:
            start = datetime.fromisoformat(point["start"]).date()
            last = min(grain.next_after(start) - timedelta(days=1), PERIOD.until)
            assert of_api(point) == told(recount(world.shown, Period.last(30, today=last))), (grain, start)


def nps_of(rows: list[Response]) -> Nps:
    return recount(rows, Period(datetime(2000, 1, 1, tzinfo=UTC).date(), TODAY))


def test_exact_times_cut_a_day_in_two_and_add_up_to_it(world: SimpleNamespace) -> None:
    noon = datetime.combine(TODAY - timedelta(days=2), time(12), tzinfo=UTC)
    for asked in ("", "touchpoint=shop&incentivised=false", "channel=link"):
        everything = api(world, "/metrics/nps", asked)["total"]
        early, late = (
            api(world, "/metrics/nps", f"{end}={noon:%Y-%m-%dT%H:%M:%SZ}", asked) for end in ("until", "since")
        )
        assert early["total"]["n"] + late["total"]["n"] == everything["n"]
        assert min(early["total"]["n"], late["total"]["n"]) > 0
    early = api(world, "/metrics/nps", f"until={noon:%Y-%m-%dT%H:%M:%SZ}")["total"]
    assert of_api(early) == told(nps_of([row for row in world.shown if row.answered_at < noon]))
    # A week up to some hour, and the week before it.
    since = noon - timedelta(days=7)
    found = api(
        world, "/metrics/nps", f"since={since:%Y-%m-%dT%H:%M:%SZ}&until={noon:%Y-%m-%dT%H:%M:%SZ}", "compare=previous"
    )
    week = [row for row in world.shown if since - timedelta(days=7) <= row.answered_at < since]
    assert of_api(found["total"]["before"]) == told(nps_of(week))
    assert found["compared_with"]["until"] == f"{since:%Y-%m-%dT%H:%M:%SZ}"


def test_the_map_and_the_funnel_say_the_same_as_their_pages_and_a_recount(
    world: SimpleNamespace, chief: Client
) -> None:
    for query, keep in {"": lambda row: True, "segment=pro": lambda row: plan(row) == "pro"}.items():
        rows = [row for row in world.shown if keep(row)]
        page = chief.get(f"/journey/?{query}").context["map"]
        found = api(world, "/journey", query)
        now, before = recount(rows, PERIOD), recount(rows, PERIOD.before())
        assert of_api(found["total"]) == told(now) == told(page.total)
        assert found["total"]["change"] == step(before, now)
        buy, use = found["stages"]
        assert (buy["key"], use["key"], [part["key"] for part in use["steps"]]) == ("buy", "use", ["unpack"])
        places = [*buy["touchpoints"], *use["touchpoints"], *use["steps"][0]["touchpoints"]]
        assert [place["key"] for place in places] == ["shop", "help", "box"]
        for place, shown in zip(places, page.places, strict=True):
            here = [row for row in rows if at(row) == place["key"]]
            score, earlier = recount(here, PERIOD), recount(here, PERIOD.before())
            assert of_api(place["nps"]) == told(score) == told(shown.figures.nps)
            assert (of_api(place["before"]), place["change"]) == (told(earlier), step(earlier, score))
            hits = None if score.too_few else score.counts.detractors
            assert (place["detractors"]["n"], place["detractors"]["hits"]) == (score.n, hits)
            assert (place["events"], place["hurts"]) == (shown.figures.traffic.events, shown.figures.hurts)
        assert use["nps"]["n"] == sum(place["nps"]["n"] for place in places[1:])
        assert found["elsewhere"] == recount([row for row in rows if not at(row)], PERIOD).n
    assert [place["events"] for place in places] == [0, 0, 0]  # None of the events has a contact.
    shop = api(world, "/journey")["stages"][0]["touchpoints"][0]
    assert (shop["events"], shop["gap"], shop["months"][-1]["start"]) == (30, None, f"{TODAY:%Y-%m-01}")
    funnel = api(world, "/metrics/funnel", "touchpoint=shop")
    page = chief.get("/funnel/?touchpoint=shop").context["funnel"]
    assert [part["number"] for part in funnel["steps"]] == [part.number for part in page.steps] == [30, *[0] * 6]
    assert funnel["steps"][1]["of_first"] == {"n": 30, "hits": 0, "percent": 0.0, "low": 0.0, "high": 11.35}
    assert funnel["steps"][0]["of_first"] is None
