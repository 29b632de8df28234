"""Steps with a delay each after the answer become a sequence: step, wait, step.

What is on its way stays on its way. Of an enrolment that waits for several steps the next one is kept; the others
follow from the sequence.
"""

from itertools import pairwise

from django.db import migrations
from django.utils import timezone

_RUNS = """
    UPDATE campaigns_steprun r SET step_key = 's' || s.id, kind = s.kind, planned_at = r.due_at,
           position = 1 + (SELECT count(*) FROM campaigns_step o
                           WHERE o.campaign_id = s.campaign_id
                             AND (o.delay, o.position, o.id) < (s.delay, s.position, s.id))
    FROM campaigns_step s WHERE s.id = r.step_id
"""
_ONE_PENDING = """
    DELETE FROM campaigns_steprun r USING campaigns_steprun e
    WHERE r.status = 'pending' AND e.status = 'pending' AND e.enrolment_id = r.enrolment_id AND e.position < r.position
"""
_ENROLMENTS = """
    UPDATE campaigns_enrolment e SET version_id = c.current_version_id, contact_id = r.contact_id,
           state = CASE WHEN p.enrolment_id IS NULL THEN 'done' ELSE 'running' END,
           ended_at = CASE WHEN p.enrolment_id IS NULL THEN COALESCE(l.last, e.enrolled_at) END
    FROM campaigns_campaign c, responses_response r,
         campaigns_enrolment x
         LEFT JOIN campaigns_steprun p ON p.enrolment_id = x.id AND p.status = 'pending'
         LEFT JOIN LATERAL (SELECT max(done_at) AS last FROM campaigns_steprun d WHERE d.enrolment_id = x.id) l ON TRUE
    WHERE c.id = e.campaign_id AND r.id = e.response_id AND x.id = e.id
"""
_TEXTS = ("subject", "body", "subject_no_comment", "body_no_comment")
# So long a subject may be; what was longer was cut when it was sent.
_SUBJECT = 300


def forwards(apps, schema_editor):
    campaign_model = apps.get_model("campaigns", "Campaign")
    version_model = apps.get_model("campaigns", "CampaignVersion")
    now = timezone.now()
    for campaign in campaign_model.objects.prefetch_related("steps"):
        steps = sorted(campaign.steps.all(), key=lambda step: (step.delay, step.position, step.pk))
        campaign.draft = {"steps": _sequence(steps)}
        campaign.current_version = version_model.objects.create(
            campaign=campaign, number=1, document=campaign.draft, published_at=now
        )
        # It ran beside open cases, and whatever else the contact answered.
        campaign.pause_while_case = campaign.stop_on_response = False
        campaign.save(update_fields=["draft", "current_version", "pause_while_case", "stop_on_response"])
    with schema_editor.connection.cursor() as cursor:
        for statement in (_RUNS, _ONE_PENDING, _ENROLMENTS):
            cursor.execute(statement)


def _sequence(steps):
    found = []
    if steps and steps[0].delay.total_seconds() >= 1:
        found.append(_wait(steps[0], steps[0].delay))
    for before, step in pairwise([None, *steps]):
        if before is not None and (step.delay - before.delay).total_seconds() >= 1:
            found.append(_wait(step, step.delay - before.delay))
        found.append(_step(step))
    return found


def _wait(step, delay):
    return {"key": f"w{step.pk}", "kind": "wait", "seconds": int(delay.total_seconds())}


def _step(step):
    texts = {name: getattr(step, name) for name in _TEXTS if getattr(step, name)}
    for name in texts.keys() & {"subject", "subject_no_comment"}:
        texts[name] = {language: text[:_SUBJECT] for language, text in texts[name].items()}
    if step.kind == "case":
        texts = {}
    if step.kind == "opt_in":
        texts = {"body": step.body}
    template = {"template": step.template_id} if step.template_id and step.kind == "email" else {}
    return {"key": f"s{step.pk}", "kind": step.kind, **template, **texts}


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0005_sequences")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
