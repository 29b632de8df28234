"""Indexes that the newest words are found by, on as many rows as make PostgreSQL's planner choose."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.responses.models import Response
from apps.surveys.models import Survey
from apps.workspace import board
from apps.workspace.dashboard_filter import DashboardFilter

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.usefixtures("tenant")
def test_the_few_that_say_something_are_found_among_many_that_do_not() -> None:
    survey = Survey.objects.create(key="nps", name={"en": "NPS"})
    Response.objects.bulk_create(
        Response(
            survey=survey,
            score=9,
            comment="Fast" if number % 1500 == 0 else "",
            answered_at=NOW - timedelta(minutes=number),
            updated_at=NOW,
        )
        for number in range(6000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE responses_response")
    asked = DashboardFilter({}, now=NOW)
    with CaptureQueriesContext(connection) as captured:
        found = board.comments(asked, now=NOW, limit=6)
    assert [row.answered_at for row in found] == [NOW - timedelta(minutes=1500 * n) for n in range(4)]
    [sql] = [query["sql"] for query in captured if "LIMIT 6" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "response_with_comment" in plan, plan
