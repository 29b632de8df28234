"""Steps that tell other systems: a webhook, and a task for the CRM."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from apps.campaigns.runs import Run
from apps.campaigns.steps import words
from apps.integrations import webhooks
from apps.integrations.models import EventType
from apps.integrations.webhooks import Occurrence
from apps.surveys.mails import current_theme, language_of


def run_webhook(runs: Sequence[Run]) -> None:
    """Tell whoever listens to ``campaign.step``. Nobody listens: the step is skipped, so that it can be seen."""
    _publish(runs, EventType.CAMPAIGN_STEP, {one.row.pk: {"name": one.setting("name")} for one in runs})


def run_task(runs: Sequence[Run]) -> None:
    """Ask whoever listens to ``campaign.task`` (the CRM) for a task."""
    brand = current_theme().brand_name
    bodies = {}
    for one in runs:
        language = language_of(one.response.contact, one.response.locale)
        values = words.values_of(one, language, brand)
        days = one.setting("due_days")
        bodies[one.row.pk] = {
            "title": words.filled(one.setting("title"), language, values),
            "text": words.filled(one.setting("text"), language, values),
            "due_at": (one.now + timedelta(days=days)).isoformat() if isinstance(days, int) else None,
        }
    _publish(runs, EventType.CAMPAIGN_TASK, bodies)


def _publish(runs: Sequence[Run], event_type: EventType, bodies: dict[Any, dict[str, Any]]) -> None:
    if not webhooks.is_wanted(event_type=event_type):
        for one in runs:
            one.skip("nobody_listens")
        return
    found = [Occurrence(f"step:{one.row.pk}", {**payload(one), **bodies[one.row.pk]}) for one in runs]
    webhooks.publish_many(event_type=event_type, occurrences=found, now=runs[0].now)
    for one in runs:
        one.done()


def payload(run: Run) -> dict[str, Any]:
    """What both say of the enrolment: ids, and what was answered."""
    enrolment, response = run.row.enrolment, run.response
    contact = response.contact
    return {
        "id": str(run.row.pk),
        "campaign": {"id": enrolment.campaign_id, "name": enrolment.campaign.name},
        "step": run.row.step_key,
        "enrolment_id": str(enrolment.pk),
        "response": {"id": str(response.pk), "score": response.score, "comment": response.comment},
        "contact": {"id": str(contact.pk), "external_id": contact.external_id, "email": contact.email}
        if contact
        else None,
    }
