"""Figures from before anything was promised stay what they were, and the new cells are unique."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from apps.tenants.migrating import SparingExecutor
from tests.schemas import bare

__all__ = ["bare"]
BEFORE = [("insights", "0001_initial"), ("responses", "0005_brought_in_indexes"), ("surveys", "0007_mail_templates")]
AFTER = [("insights", "0003_cell_by_promise"), ("responses", "0006_incentivised"), ("surveys", "0008_incentive")]
CONSTRAINTS = """
    SELECT conname FROM pg_constraint WHERE conrelid = 'insights_rollup'::regclass AND contype = 'u'
"""


def migrate(targets: list[tuple[str, str]]) -> Any:
    """Forward or back; returns the models as they were then."""
    return SparingExecutor(connection).migrate(targets).apps


def constraints() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(CONSTRAINTS)
        return {name for (name,) in cursor.fetchall()}


def test_migrating_keeps_figures_goes_on_where_it_was_interrupted_and_lets_promises_be_told_apart(bare: None) -> None:
    apps = migrate(BEFORE)
    survey = apps.get_model("surveys", "Survey").objects.create(key="q", name={"en": "Q"})
    cell = {"day": date(2026, 1, 1), "survey_id": survey.pk, "score": 9}
    apps.get_model("insights", "Rollup").objects.create(**cell, responses=3)
    apps.get_model("responses", "ScoreChange").objects.create(**cell, weight=1)
    response = {
        "survey_id": survey.pk,
        "score": 9,
        "answered_at": "2026-01-01T00:00Z",
        "updated_at": "2026-01-01T00:00Z",
    }
    apps.get_model("responses", "Response").objects.create(**response)

    migrate([("insights", "0002_incentivised")])
    with connection.cursor() as cursor:  # As a run leaves it that was stopped when the index was built.
        cursor.execute(
            "CREATE UNIQUE INDEX rollup_cell_by_promise ON insights_rollup "
            "(day, survey_id, touchpoint_id, is_incentivised, score) NULLS NOT DISTINCT"
        )
    apps = migrate(AFTER)
    rollups = apps.get_model("insights", "Rollup").objects
    assert constraints() == {"rollup_cell_by_promise"}
    assert list(rollups.values_list("is_incentivised", "responses")) == [(False, 3)]
    assert [row.is_incentivised for row in apps.get_model("responses", "ScoreChange").objects.all()] == [False]
    assert [row.is_incentivised for row in apps.get_model("responses", "Response").objects.all()] == [False]
    assert apps.get_model("surveys", "Survey").objects.get().incentive == {}
    rollups.create(**cell, is_incentivised=True, responses=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        rollups.create(**cell, responses=1)  # Without a touchpoint there is one cell as well.

    rollups.filter(is_incentivised=True).delete()
    migrate([("insights", "0001_initial")])
    assert constraints() == {"rollup_cell"}
    migrate(AFTER)  # Nothing was left over: now it is built beside the running work.
    assert constraints() == {"rollup_cell_by_promise"}
    with pytest.raises(IntegrityError), transaction.atomic():
        migrate(AFTER).get_model("insights", "Rollup").objects.create(**cell, responses=1)


def test_figures_by_score_become_figures_by_day_and_stay_what_they_were(bare: None) -> None:
    apps = migrate(AFTER)
    surveys = [apps.get_model("surveys", "Survey").objects.create(key=key, name={"en": key}) for key in "ab"]
    narrow = apps.get_model("insights", "Rollup").objects
    for survey in surveys:
        for score, number in ((0, 2), (9, 3), (10, 1)):
            narrow.create(day=date(2026, 1, 1), survey_id=survey.pk, score=score, responses=number)
    narrow.create(day=date(2026, 1, 1), survey_id=surveys[0].pk, score=9, is_incentivised=True, responses=4)
    narrow.create(day=date(2026, 1, 2), survey_id=surveys[0].pk, score=9, responses=0)
    rollups = migrate([("insights", "0004_day_cells")]).get_model("insights", "Rollup").objects
    columns = ("survey_id", "is_incentivised", "given_0", "given_1", "given_9", "given_10")
    assert set(rollups.values_list(*columns)) == {
        (surveys[0].pk, False, 2, 0, 3, 1),
        (surveys[0].pk, True, 0, 0, 4, 0),
        (surveys[1].pk, False, 2, 0, 3, 1),
    }
    assert constraints() == {"rollup_day_cell"}
    with pytest.raises(IntegrityError), transaction.atomic():
        rollups.create(day=date(2026, 1, 1), survey_id=surveys[1].pk)
