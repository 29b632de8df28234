"""A cadence is edited when it is due, or while it runs: nobody is asked twice, and nobody is forgotten."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django.test import RequestFactory
from django.utils import timezone

from apps.common.admin_site import tenant_admin
from apps.contacts.models import Contact
from apps.triggers import cadences
from apps.triggers.admin.cadences import CadenceAdmin
from apps.triggers.models import Cadence, Decision
from tests.processes import census, rows

pytestmark = pytest.mark.usefixtures("tenant")
PEOPLE, LIMIT = 30, 10


class Run:
    """A cadence that is due for everybody, and what must come of it."""

    def __init__(self, make: Any) -> None:
        survey = rows.furnish()
        self.contacts: list[Contact] = rows.people(PEOPLE)
        self.fired_at = rows.last_minute(timezone.now() - rows.ONE_HOUR)
        self.row: Cadence = make(survey, fired_at=self.fired_at, runs_at=timezone.now())

    def one_batch(self) -> None:
        """The first of several."""
        cadences.run_batch(cadence_id=self.row.pk, now=timezone.now(), limit=LIMIT)
        assert Decision.objects.count() == LIMIT

    def to_the_end(self) -> None:
        """As the queue does, until nothing is due any more."""
        for _ in range(20):
            if not cadences.run_due(now=timezone.now()):
                break

    def as_read_now(self) -> Cadence:
        """The row as a form has it that is opened at this moment."""
        return Cadence.objects.get(pk=self.row.pk)

    def check(self) -> None:
        """Everybody once."""
        self.row.refresh_from_db()
        census.assert_all(
            census.turns(rows.turns(self.row, self.contacts, self.fired_at)),
            *census.invitations(),
            census.equal("errors", "", self.row.last_error),
        )


def rename(opened: Cadence) -> None:
    """Give it another name, as the admin does with the row as it was read."""
    request = RequestFactory().post("/", {"name": "edited"})
    with transaction.atomic():
        opened.name = "edited"
        form: Any = SimpleNamespace(instance=opened, changed_data=["name"], cleaned_data={"name": "edited"})
        CadenceAdmin(Cadence, tenant_admin).save_model(request, opened, form, change=True)


@pytest.fixture(params=[rows.each_day, rows.daily], ids=["each day", "daily"])
def run(request: pytest.FixtureRequest, tenant: Any) -> Run:
    """Both kinds of cadences."""
    return Run(request.param)


def test_an_edit_before_the_run_has_begun_drops_nobodys_turn(run: Run) -> None:
    rename(run.as_read_now())
    run.to_the_end()
    run.check()


def test_an_edit_between_two_batches_asks_nobody_twice_and_forgets_nobody(run: Run) -> None:
    run.one_batch()
    rename(run.as_read_now())
    run.to_the_end()
    run.check()


def test_a_form_opened_before_the_run_and_saved_in_the_middle_forgets_nobody(run: Run) -> None:
    opened = run.as_read_now()
    run.one_batch()
    rename(opened)
    run.to_the_end()
    run.check()


def test_a_form_opened_before_the_run_and_saved_after_it_does_not_set_the_cadence_back(run: Run) -> None:
    opened = run.as_read_now()
    run.to_the_end()
    rename(opened)
    run.to_the_end()
    run.check()
    assert run.row.next_run_at is not None
    assert run.row.next_run_at > timezone.now() + timedelta(hours=1)


def test_an_edit_that_mends_a_cadence_that_failed_makes_up_for_its_turn(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(cadences, "_ask", lambda *_: 1 / 0)
        run.to_the_end()
    run.row.refresh_from_db()
    assert run.row.last_error == "ZeroDivisionError: division by zero"
    rename(run.as_read_now())
    run.to_the_end()
    run.check()
