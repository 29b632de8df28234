"""A tenant with as many responses as wanted: twenty touchpoints, thirteen months, half a hundred shops."""

from django.db import connection

TOUCHPOINTS, DAYS, STORES = 20, 395, 50

_RESPONSES = """
    INSERT INTO responses_response (id, survey_id, touchpoint_id, channel, score, comment, call_back, properties,
                                    suspicions, locale, answered_at, updated_at, is_partial, is_suspected, judged_by,
                                    follow_up)
    SELECT gen_random_uuid(), %(survey)s, (%(touchpoints)s::bigint[])[1 + mod(hash, %(places)s)], 'email',
           CASE WHEN mod(hash, 10) < 6 THEN 9 + mod(hash / 10, 2) ELSE mod(hash / 10, 9) END, '', '',
           jsonb_build_object('store', 'Shop ' || mod(hash / 1000, %(stores)s), 'order_value', mod(hash, 300)),
           '[]', (ARRAY['de', 'de-AT', 'en'])[1 + mod(hash / 7, 3)], at, at, false, mod(hash, 97) = 0, '', 'none'
    FROM (SELECT now() - %(days)s * interval '1 day' * (1 - n::float / %(count)s) AS at,
                 (hashint8(n) & 2147483647)::bigint AS hash
          FROM generate_series(1, %(count)s::bigint) n) made
"""
_ROLLED = """
    INSERT INTO insights_rollup (day, survey_id, touchpoint_id, is_incentivised, {columns})
    SELECT (answered_at AT TIME ZONE 'UTC')::date, survey_id, touchpoint_id, is_incentivised, {counts}
    FROM responses_response WHERE NOT is_suspected GROUP BY 1, 2, 3, 4
"""
_INDEXES = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
    WHERE i.indrelid = 'responses_response'::regclass AND NOT i.indisprimary
    AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""


def fill(count: int) -> None:
    """Journey, survey and responses in the current tenant, folded as the drain would have them."""
    from apps.insights.models import SCORE_COLUMNS
    from apps.surveys.models import Survey
    from apps.touchpoints.models import Stage, Touchpoint

    stages = [Stage.objects.create(key=f"s{n}", name={"en": f"Stage {n}"}, position=n) for n in range(5)]
    points = Touchpoint.objects.bulk_create(
        Touchpoint(key=f"t{n}", name={"en": f"Touchpoint {n}"}, stage=stages[n // 4], position=n)
        for n in range(TOUCHPOINTS)
    )
    survey = Survey.objects.create(key="nps", name={"en": "Survey"})
    values = {
        "survey": survey.pk, "touchpoints": [point.pk for point in points], "places": TOUCHPOINTS, "stores": STORES,
        "days": DAYS, "count": count,
    }  # fmt: skip
    counts = ", ".join(f"COUNT(*) FILTER (WHERE score = {score})" for score in range(11))
    with connection.cursor() as cursor:
        # Many rows go in faster without indexes; they are there again before anything is measured.
        cursor.execute(_INDEXES)
        indexes = cursor.fetchall() if count >= 100_000 else []
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(_RESPONSES, values)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for _name, definition in indexes:
            cursor.execute(definition)
        cursor.execute("RESET maintenance_work_mem")
        cursor.execute(_ROLLED.format(columns=", ".join(SCORE_COLUMNS), counts=counts))
        cursor.execute("VACUUM ANALYZE responses_response")
        cursor.execute("VACUUM ANALYZE insights_rollup")
