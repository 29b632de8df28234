"""What became of the demo's cases."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from apps.contacts.budget import Policy
from apps.workspace.demo.history import History
from apps.workspace.demo.loading import BRANDS
from apps.workspace.demo.records import CaseIds, Records
from tests.workspace_demo.conftest import WINDOW, wiring

IDS = CaseIds(rule=1, urgent_rule=2, outcomes=tuple(range(11, 19)), root_causes=tuple(range(21, 30)))


@pytest.mark.parametrize("brand", BRANDS, ids=lambda brand: brand.slug)
def test_each_case_was_heard_before_it_was_closed_and_says_why_and_how_it_ended(brand) -> None:  # type: ignore[no-untyped-def]
    told: Records = History(
        brand=brand, wiring=replace(wiring(brand), cases=IDS), window=WINDOW, policy=Policy(timedelta(days=14)),
        rng=Random("seed"),
    ).tell(0.15)  # fmt: skip
    assert len(told.cases) > 20
    for case in told.cases:
        assert (case.first_contact_at is None) == (case.status == "new")
        assert (case.closed_at is None) == (case.status in ("new", "contacted"))
        assert (case.result_id is None) == (case.closed_at is None)
        moments = [case.opened_at, case.first_contact_at, case.closed_at]
        there = [moment for moment in moments if moment is not None]
        assert there == sorted(there)
        assert there[-1] < WINDOW.end
        assert case.opened_at < case.contact_due_at <= case.due_at
    changes = Counter(change.kind for change in told.case_changes)
    assert changes["opened"] == len(told.cases)
    assert changes["outcome"] == sum(case.closed_at is not None for case in told.cases)
    causes = [case.root_cause_id for case in told.cases if case.root_cause_id is not None]
    assert len(set(causes)) > 3
    assert Counter(causes).most_common(1)[0][1] > len(causes) / len(IDS.root_causes)
