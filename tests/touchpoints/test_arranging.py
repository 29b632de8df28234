"""The map is arranged: positions, refusals, what is in use, and two at once."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tenants.utils import tenant_context

from apps.insights import influences
from apps.insights.models import Annotation
from apps.surveys.models import Survey
from apps.tenants.models import Tenant
from apps.tenants.provisioning import create_tenant
from apps.touchpoints import arranging, industry_maps, services
from apps.touchpoints.arranging import ImpossibleError, StaleError, Way
from apps.touchpoints.industries import INDUSTRIES
from apps.touchpoints.intake import InvalidEventError
from apps.touchpoints.models import Event, Stage, Touchpoint
from apps.triggers.models import TriggerRule


def name(text: str) -> dict[str, str]:
    return {"en": text}


def build() -> dict[str, int]:
    """Three stages, two sub-steps, five touchpoints; returns the ids by key."""
    found = {key: arranging.add_stage(key=key, name=name(key)).pk for key in ("find", "buy", "use")}
    for key in ("invoice", "payment"):
        found[key] = arranging.add_stage(key=key, name=name(key), parent_id=found["buy"]).pk
    for key, on in (("ad", "find"), ("order", "buy"), ("bill", "invoice"), ("paid", "payment"), ("help", "use")):
        found[key] = arranging.add_touchpoint(key=key, name=name(key), stage_id=found[on]).pk
    return found


def laid_out() -> str:
    """The map as the database has it, by positions alone."""
    stages = [
        f"{row.parent.key}/{row.key}" if row.parent else row.key for row in Stage.objects.select_related("parent")
    ]
    lying = [f"{row.key}@{row.stage.key}" for row in Touchpoint.objects.select_related("stage")]
    assert list(Stage.objects.values_list("position", flat=True)) == list(range(1, len(stages) + 1))
    by_number = Touchpoint.objects.order_by("position")
    assert list(by_number.values_list("position", flat=True)) == list(range(1, len(lying) + 1))
    assert [row.pk for row in by_number] == [row.pk for row in Touchpoint.objects.all()]
    return " ".join(stages) + " | " + " ".join(lying)


def test_positions_count_through_the_whole_map(tenant: Any) -> None:
    ids = build()
    start = "find buy buy/invoice buy/payment use | ad@find order@buy bill@invoice paid@payment help@use"
    assert laid_out() == start
    arranging.put_touchpoint(touchpoint_id=ids["help"], stage_id=ids["invoice"], before_id=ids["bill"])
    assert laid_out() == (
        "find buy buy/invoice buy/payment use | ad@find order@buy help@invoice bill@invoice paid@payment"
    )
    arranging.shift_touchpoint(touchpoint_id=ids["bill"], way=Way.DOWN)
    arranging.move_stage(stage_id=ids["buy"], way=Way.LEFT)
    arranging.settle_stage(stage_id=ids["use"], parent_id=ids["buy"])
    arranging.settle_stage(stage_id=ids["payment"], parent_id=None)
    assert laid_out() == (
        "buy buy/invoice buy/use payment find | order@buy help@invoice bill@payment paid@payment ad@find"
    )
    with CaptureQueriesContext(connection) as captured:
        arranging.put_touchpoint(touchpoint_id=ids["ad"], stage_id=ids["buy"], before_id=ids["order"])
    # A lock and two reads, and however much is renumbered, one write a table (within a savepoint).
    assert sum("UPDATE" in one["sql"] and "FOR UPDATE" not in one["sql"] for one in captured) == 1
    assert len(captured) <= 6


def test_after_random_moves_nothing_is_lost(tenant: Any) -> None:
    ids = build()
    dice = random.Random(4)
    stages = [ids[key] for key in ("find", "buy", "use", "invoice", "payment")]
    touchpoints = [ids[key] for key in ("ad", "order", "bill", "paid", "help")]
    for _turn in range(40):
        try:
            match dice.randrange(4):
                case 0:
                    arranging.put_touchpoint(touchpoint_id=dice.choice(touchpoints), stage_id=dice.choice(stages))
                case 1:
                    arranging.shift_touchpoint(touchpoint_id=dice.choice(touchpoints), way=dice.choice(list(Way)))
                case 2:
                    arranging.move_stage(stage_id=dice.choice(stages), way=dice.choice(list(Way)))
                case _:
                    arranging.settle_stage(stage_id=dice.choice(stages), parent_id=dice.choice([None, *stages]))
        except ImpossibleError:
            pass
        laid_out()
    assert set(Touchpoint.objects.values_list("pk", flat=True)) == set(touchpoints)
    assert set(Stage.objects.values_list("pk", flat=True)) == set(stages)


def test_a_page_that_is_out_of_date_changes_nothing(tenant: Any) -> None:
    ids = build()
    seen = arranging.read().revision
    arranging.put_touchpoint(touchpoint_id=ids["ad"], stage_id=ids["use"], revision=seen)
    before = laid_out()
    for attempt in (
        lambda: arranging.put_touchpoint(touchpoint_id=ids["ad"], stage_id=ids["find"], revision=seen),
        lambda: arranging.shift_touchpoint(touchpoint_id=ids["ad"], way=Way.LEFT, revision=seen),
        lambda: arranging.move_stage(stage_id=ids["use"], way=Way.LEFT, revision=seen),
        lambda: arranging.settle_stage(stage_id=ids["use"], parent_id=ids["buy"], revision=seen),
    ):
        with pytest.raises(StaleError):
            attempt()
    Touchpoint.objects.filter(pk=ids["ad"]).update(name=name("Advert"))
    with pytest.raises(StaleError):
        arranging.shift_touchpoint(touchpoint_id=ids["ad"], way=Way.LEFT, revision=before)
    assert laid_out() == before


def test_what_something_lies_on_is_not_removed_and_what_happened_stays_told(tenant: Any) -> None:
    ids = build()
    for key in ("find", "buy", "invoice"):
        with pytest.raises(ImpossibleError, match="not_empty"):
            arranging.remove_stage(stage_id=ids[key])
    now = timezone.now()
    Event.objects.create(touchpoint_id=ids["bill"], occurred_at=now, received_at=now)
    rule = TriggerRule.objects.create(name="Rule", survey=Survey.objects.create(key="s", name=name("S")))
    rule.touchpoints.add(ids["paid"])
    influences.learn(now=now)  # Of every touchpoint, also where nothing happened: that keeps none.
    Annotation.objects.create(day=now, text="Strike", control_touchpoint_id=ids["help"], created_at=now)
    services.touchpoint_id("bill")
    assert [arranging.remove_touchpoint(touchpoint_id=ids[key]) for key in ("bill", "paid", "help", "ad")] == [
        False, False, False, True,
    ]  # fmt: skip
    assert list(Touchpoint.objects.filter(is_active=False).values_list("key", flat=True)) == ["bill", "paid", "help"]
    with pytest.raises(InvalidEventError):
        services.touchpoint_id("bill")
    arranging.remove_stage(stage_id=ids["find"])
    assert laid_out() == "buy buy/invoice buy/payment use | order@buy bill@invoice paid@payment help@use"
    for act, code in (
        (lambda: arranging.remove_stage(stage_id=ids["find"]), "gone"),
        (lambda: arranging.remove_touchpoint(touchpoint_id=ids["ad"]), "gone"),
        (lambda: arranging.add_stage(key="deep", name=name("deep"), parent_id=ids["invoice"]), "parent_is_step"),
        (lambda: arranging.add_touchpoint(key="t", name=name("t"), stage_id=ids["find"]), "gone"),
        (lambda: arranging.put_touchpoint(touchpoint_id=ids["help"], stage_id=ids["buy"], before_id=ids["bill"]),
         "before_gone"),
    ):  # fmt: skip
        with pytest.raises(ImpossibleError, match=code):
            act()
    with pytest.raises(ValidationError):
        arranging.add_touchpoint(key="help", name=name("twice"), stage_id=ids["use"])


@pytest.mark.parametrize("key", INDUSTRIES)
def test_an_industrys_map_comes_once_and_keeps_what_is_there(tenant: Any, key: str) -> None:
    industry = INDUSTRIES[key]
    phases = [phase.key for phase in industry.phases]
    mine = industry.phases[1]
    # Beforehand: a stage of mine with one of its keys, and one of its touchpoints elsewhere and renamed.
    stage = arranging.add_stage(key=mine.key, name=name("Mine"))
    other = arranging.add_stage(key="own", name=name("Own"))
    taken = next(industry.phases[-1].all_points()).key
    arranging.add_touchpoint(key=taken, name=name("Kept"), stage_id=other.pk)
    assert industry_maps.put_on(industry=industry, phases=phases) == industry.point_count - 1
    after = laid_out()
    assert Stage.objects.get(key=mine.key).pk == stage.pk
    assert (str(Touchpoint.objects.get(key=taken)), Touchpoint.objects.get(key=taken).stage.key) == ("Kept", "own")
    # The new ones stand around those that were there, as on the industry's map.
    order = [row.key for row in Stage.objects.filter(parent=None)]
    assert [one for one in order if one != "own"] == phases
    steps = {(step.key, phase.key) for phase in industry.phases for step in phase.steps}
    assert set(Stage.objects.exclude(parent=None).values_list("key", "parent__key")) == steps
    with CaptureQueriesContext(connection) as captured:
        assert industry_maps.put_on(industry=industry, phases=phases) == 0
    assert laid_out() == after
    assert len(captured) <= 8
    assert all(offer.is_there and not offer.missing for offer in industry_maps.offers(industry=industry))
    for row in (*Stage.objects.all(), *Touchpoint.objects.all()):
        row.full_clean()


def test_only_the_chosen_phases_come(tenant: Any) -> None:
    telecom = INDUSTRIES["telecom"]
    industry_maps.put_on(industry=telecom, phases=["billing"])
    assert laid_out().split(" | ")[0] == (
        "billing billing/billing_invoice billing/billing_explanation billing/billing_payment"
    )
    industry_maps.put_on(industry=telecom, phases=["renewal", "awareness", "unknown"])
    assert list(Stage.objects.filter(parent=None).values_list("key", flat=True)) == ["awareness", "billing", "renewal"]


def test_every_map_is_whole_and_in_both_languages() -> None:
    for industry in INDUSTRIES.values():
        places = [one for phase in industry.phases for one in (phase, *phase.steps)]
        points = [one for phase in industry.phases for one in phase.all_points()]
        for one in (industry, *places, *points):
            assert all(one.name[language].strip() for language in ("en", "de")), one.key
        assert set(industry.about) == {"en", "de"}
        assert len({one.key for one in places}) == len(places)
        assert len({one.key for one in points}) == len(points)
        assert 5 <= len(industry.phases) <= 7
        assert 12 <= len(points) <= 24
        # Nobody has bought anything before the first stages are over.
        assert not any(point.proves for point in industry.phases[0].all_points())
        assert any(point.proves for point in points)


@pytest.fixture
def race(autocommit: None) -> Iterator[Tenant]:
    """A tenant of its own with a committed map, dropped afterwards."""
    row = create_tenant(schema_name="maprace", name="Race")
    try:
        with tenant_context(row):
            build()
        yield row
    finally:
        connection.set_schema_to_public()
        row.delete(force_drop=True)


def test_several_at_once_lose_nothing(race: Tenant) -> None:
    start = threading.Barrier(4)

    def work(number: int) -> None:
        try:
            with tenant_context(race):
                ids = dict(Touchpoint.objects.values_list("key", "pk"))
                stages = dict(Stage.objects.values_list("key", "pk"))
                start.wait(60)
                for turn in range(3):
                    arranging.add_touchpoint(key=f"t{number}-{turn}", name=name("x"), stage_id=stages["use"])
                    arranging.put_touchpoint(touchpoint_id=ids["ad"], stage_id=stages[["buy", "find"][turn % 2]])
                    arranging.add_stage(key=f"s{number}-{turn}", name=name("x"), parent_id=stages["buy"])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    with tenant_context(race):
        laid_out()
        assert Touchpoint.objects.count() == 5 + 12
        assert Stage.objects.filter(parent__key="buy").count() == 2 + 12
        add_while_another_adds(race)
        laid_out()


def add_while_another_adds(tenant: Tenant) -> None:
    """Two stages: the second begins while the first is there for nobody else yet, and must see it all the same."""

    def second() -> None:
        try:
            with tenant_context(tenant):
                arranging.add_stage(key="second", name=name("second"))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            arranging.add_stage(key="first", name=name("first"))
            done = threads.submit(second)
            wait_until_one_waits()
        done.result(60)


def wait_until_one_waits() -> None:
    with connection.cursor() as cursor:
        for _try in range(1000):
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees what was, again and again
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    pytest.fail("The second one never waited.")
