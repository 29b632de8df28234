"""What ran before campaigns were sequences goes on where it was."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from apps.campaigns.models import Campaign, Enrolment, StepRun
from apps.campaigns.sequence import parse
from apps.campaigns.versions import problems
from apps.common.ids import uuid7
from apps.tenants.migrating import SparingExecutor
from tests.schemas import bare

__all__ = ["bare"]
BEFORE = [("campaigns", "0004_mail_templates")]
AT = datetime.fromisoformat("2026-01-01T10:00+00:00")
DONE = {"status": "done", "done_at": AT}


_states: dict[str, Any] = {}


def old(name: str, app: str = "campaigns") -> Any:
    """A model as it was."""
    if not _states:
        _states["before"] = SparingExecutor(connection).loader.project_state(BEFORE).apps
    return _states["before"].get_model(app, name)


def response() -> Any:
    survey = old("Survey", "surveys").objects.get_or_create(key="s", defaults={"name": {"en": "S"}})[0]
    contact = old("Contact", "contacts").objects.create(id=uuid7(), external_id=str(uuid7()))
    return old("Response", "responses").objects.create(
        id=uuid7(), survey=survey, contact=contact, score=9, answered_at=AT, updated_at=AT
    )


def enrol(campaign: Any, *runs: tuple[Any, dict[str, Any]]) -> UUID:
    enrolment = old("Enrolment").objects.create(id=uuid7(), campaign=campaign, response=response(), enrolled_at=AT)
    for step, values in runs:
        old("StepRun").objects.create(
            id=uuid7(), enrolment=enrolment, step=step, due_at=AT + step.delay, **{"status": "pending", **values}
        )
    return UUID(str(enrolment.pk))


@pytest.mark.usefixtures("bare")
def test_steps_become_a_sequence_and_what_is_on_its_way_stays_on_its_way() -> None:
    SparingExecutor(connection).migrate(BEFORE)
    campaign = old("Campaign").objects.create(name="C", segment="promoter")
    late = old("Step").objects.create(
        campaign=campaign, kind="email", delay=timedelta(days=3), subject={"en": "2" * 400}, body={"en": "2"}
    )
    case = old("Step").objects.create(campaign=campaign, kind="case", delay=timedelta(0))
    mail = old("Step").objects.create(
        campaign=campaign, kind="email", delay=timedelta(minutes=10), subject={"en": "1"}, body={"en": "1"}
    )
    old("Campaign").objects.create(name="Empty", segment="passive")
    fresh = enrol(campaign, (case, {}), (mail, {}), (late, {}))
    halfway = enrol(campaign, (case, DONE), (mail, DONE), (late, {}))
    over = enrol(campaign, (case, DONE), (mail, {"status": "skipped", "done_at": AT}), (late, DONE))

    executor = SparingExecutor(connection)
    executor.migrate(list(executor.loader.graph.leaf_nodes("campaigns")))
    row = Campaign.objects.select_related("current_version").get(name="C")
    assert row.current_version is not None
    keys = [(step.key, step.kind.value) for step in parse(row.current_version.document)]
    assert keys == [
        (f"s{case.pk}", "case"), (f"w{mail.pk}", "wait"), (f"s{mail.pk}", "email"), (f"w{late.pk}", "wait"),
        (f"s{late.pk}", "email"),
    ]  # fmt: skip
    waits = [step.settings["seconds"] for step in parse(row.draft) if step.kind == "wait"]
    assert (waits, problems(document=row.draft, stops_on_response=True)) == ([600, 3 * 86_400 - 600], [])
    assert (row.stop_on_response, row.pause_while_case, row.entry) == (False, False, "response")
    found = {enrolment.pk: enrolment for enrolment in Enrolment.objects.all()}
    assert {pk: found[pk].state for pk in (fresh, halfway, over)} == {
        fresh: "running",
        halfway: "running",
        over: "done",
    }
    assert found[over].ended_at == AT
    assert all(enrolment.contact_id and enrolment.version_id == row.current_version_id for enrolment in found.values())
    waiting = dict(StepRun.objects.filter(status="pending").values_list("enrolment_id", "step_key"))
    assert waiting == {fresh: f"s{case.pk}", halfway: f"s{late.pk}"}
    assert StepRun.objects.get(enrolment=halfway, status="pending").due_at == AT + late.delay
