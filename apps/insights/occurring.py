"""What occurs in responses and can be chosen from: a look at the latest ones, so that it costs the same forever."""

from dataclasses import dataclass

from apps.common.db import connection

LOOKED_AT = 1000
MAX_NAMES = 60

# Keys of what is no object cannot be asked for: CASE keeps PostgreSQL from trying.
_OCCURRING = """
WITH latest AS (
    SELECT properties, locale, contact_id FROM responses_response
    WHERE NOT is_suspected ORDER BY answered_at DESC, id DESC LIMIT %s
), told AS (
    SELECT '' AS prefix, properties FROM latest
    UNION ALL
    SELECT 'contact.', contact.properties FROM latest JOIN contacts_contact AS contact ON contact.id = contact_id
    UNION ALL
    SELECT 'company.', company.properties FROM latest JOIN contacts_contact AS contact ON contact.id = contact_id
    JOIN contacts_company AS company ON company.id = contact.company_id
), names AS (
    SELECT prefix || name AS name, COUNT(*) AS number FROM told,
    jsonb_object_keys(CASE jsonb_typeof(properties) WHEN 'object' THEN properties ELSE '{}' END) AS name
    GROUP BY 1 HAVING length(prefix || name) <= 100 ORDER BY number DESC, name LIMIT %s
)
SELECT false, name FROM names
UNION
SELECT true, lower(split_part(locale, '-', 1)) FROM latest WHERE locale <> ''
"""


@dataclass(frozen=True, slots=True)
class Occurring:
    """Languages and names of properties, each in order; those of contacts begin with ``contact.``."""

    languages: list[str]
    properties: list[str]


def occurring() -> Occurring:
    """What the latest responses have. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_OCCURRING, [LOOKED_AT, MAX_NAMES])
        rows = cursor.fetchall()
    return Occurring(
        languages=sorted(name for is_language, name in rows if is_language),
        properties=sorted(name for is_language, name in rows if not is_language),
    )
