"""A survey and its links: ``python -m tests.bench.pages.prepare SEED TURNS PER_TURN PLACES``.

Prints what to post, and a link.
The load generator counts on from its seed, so the links of the next turns are known before they are asked for.
"""

import json
import sys
from datetime import timedelta

import django
from django.db import connection

from tests.bench.stack import TENANT

PREFIX = "bench-link--"
_LINKS = """
INSERT INTO surveys_invitation (id, survey_id, contact_id, touchpoint_id, reason, status, status_reason, send_at,
                                give_up_at, token_hash, link_expires_at, properties, created_at)
SELECT gen_random_uuid(), %(survey)s, %(contact)s, (%(touchpoints)s::bigint[])[1 + mod(n, %(places)s)],
       'bench:' || n, 'queued', '', now(), now(),
       sha256(convert_to(%(prefix)s || lpad(n::text, 20, '0'), 'UTF8')), now() + interval '1 day', '{}', now()
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""
_LEDGER = """
INSERT INTO contacts_outreach (contact_id, kind, reason, at, state, topic, priority, plan, outcome)
SELECT contact_id, 'invitation', 'invitation:' || id, now(), 'spent', '', 0, '{}', ''
FROM surveys_invitation WHERE reason LIKE 'bench:%%' ON CONFLICT (reason) DO NOTHING
"""


def main(seed: int, turns: int, per_turn: int, places: int) -> None:
    """Write the survey and the links into the tenant's schema."""
    django.setup()
    from django_tenants.utils import schema_context

    with schema_context(TENANT):
        print(json.dumps(_fill(seed, turns, per_turn, places)))


def _fill(seed: int, turns: int, per_turn: int, places: int) -> dict[str, str]:
    from django.utils import timezone

    from apps.contacts.models import Contact
    from apps.responses import tickets
    from apps.surveys import versions
    from apps.surveys.models import Question, Survey, Theme

    now = timezone.now()
    Theme.objects.update_or_create(pk=1, defaults={"brand_name": "Nordwind", "accent": "#0f6e84"})
    survey, _made = Survey.objects.get_or_create(key="bench", defaults={"name": {"en": "Bench"}})
    texts = {"nps": "How likely are you to recommend us?", "comment": "Why?", "rating": "Delivery time"}
    for position, (kind, text) in enumerate(texts.items()):
        key = "delivery" if kind == "rating" else kind
        values = {"kind": kind, "text": {"en": text, "de": text}, "position": position}
        question, _made = Question.objects.get_or_create(survey=survey, key=key, defaults=values)
    versions.publish(survey_id=survey.pk, now=now)
    contact = Contact.objects.create(email=f"bench-{seed}@example.com", locale="en")
    values = {"survey": survey.pk, "contact": contact.pk, "touchpoints": _touchpoints(places), "places": places}
    with connection.cursor() as cursor:
        for turn in range(turns):
            first = (seed + 1 + turn) * 10**12
            cursor.execute(_LINKS, {**values, "prefix": PREFIX, "first": first, "last": first + per_turn})
        cursor.execute(_LEDGER)
        cursor.execute("ANALYZE surveys_invitation, contacts_outreach")
    first_link = f"{PREFIX}{(seed + 1) * 10**12:020d}"
    stamp = tickets.new_stamp(now - timedelta(minutes=1))
    body = f"score=9&comment=Fast+and+friendly&q-delivery=4&p=1&t={stamp}&question={question.pk}"
    return {"link": first_link, "body": body}


def _touchpoints(places: int) -> list[int]:
    """So many, made where they are missing."""
    from apps.touchpoints.models import Touchpoint

    first = Touchpoint.objects.select_related("stage").earliest("pk")
    names = [f"place_{number}" for number in range(1, places)]
    Touchpoint.objects.bulk_create(
        [Touchpoint(key=name, name={"en": name}, stage=first.stage) for name in names], ignore_conflicts=True
    )
    return [first.pk, *Touchpoint.objects.filter(key__in=names).order_by("pk").values_list("pk", flat=True)]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
