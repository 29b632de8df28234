"""The page that says what asking at the best hour brings."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.test import Client

from apps.responses.models import Response
from apps.surveys.models import Invitation
from apps.triggers.models import Decision
from tests import factories


def compare(now: datetime, learned: tuple[int, int], control: tuple[int, int]) -> None:
    """(asked, answered) of each part, sent ten days ago by one rule."""
    rule, at = factories.TriggerRuleFactory(name="After <the> order"), now - timedelta(days=10)
    rows, answers, decisions = [], [], []
    for arm, (asked, answered) in (("learned", learned), ("control", control)):
        for n in range(asked):
            row = Invitation(
                survey=rule.survey, reason=f"{arm}{n}", status="queued", send_at=at, give_up_at=at, created_at=at,
                hour_arm=arm,
            )  # fmt: skip
            rows.append(row)
            decisions.append(Decision(rule=rule, invitation=row, status="scheduled", reason="ok", decided_at=at))
            if n < answered:
                answers.append(
                    Response(
                        invitation=row, survey=rule.survey, score=9, answered_at=at, updated_at=at, follow_up="none"
                    )
                )
    Invitation.objects.bulk_create(rows)
    Decision.objects.bulk_create(decisions)
    Response.objects.bulk_create(answers)


def page(client: Client) -> str:
    return client.get("/best-hour/").content.decode()


def test_before_anything_was_compared_the_page_says_how_to_begin(client: Client) -> None:
    assert "Nothing to compare yet" in page(client)


def test_few_are_no_statement(client: Client, now: datetime) -> None:
    compare(now, (150, 60), (40, 10))
    shown = page(client)
    assert "Too few for a statement: 150 at the best hour and 40 at the usual time" in shown
    assert "could be chance" not in shown
    assert "After &lt;the&gt; order" in shown


def test_a_difference_is_shown_with_its_range_and_called_chance_where_it_may_be(client: Client, now: datetime) -> None:
    compare(now, (400, 100), (100, 20))
    shown = page(client)
    assert "+5.0 percentage points" in shown
    assert "between −4.7 percentage points and +13.0 percentage points" in " ".join(shown.split())
    assert "The difference could be chance." in shown


def test_a_clear_difference_is_told(client: Client, now: datetime) -> None:
    compare(now, (400, 200), (100, 20))
    assert "More answer at the best hour." in page(client)


def test_it_costs_a_fixed_number_of_queries(client: Client, now: datetime, queries_of: Callable[[str], int]) -> None:
    compare(now, (20, 10), (10, 5))
    assert queries_of("/best-hour/") <= 6


def test_nobody_sees_it_who_has_not_signed_in(visitor: Client) -> None:
    assert visitor.get("/best-hour/").status_code == 302
