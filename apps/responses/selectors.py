"""Which responses may be looked at: those of anonymous surveys only once there are enough to hide among."""

from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from apps.responses.models import Response

MIN_CELL = 5
"""As many answers an anonymous survey needs before any of them is shown: of fewer one could guess whose they are."""

# What was asked decides whether an answer is anonymous; where nobody noted that (0), the survey as it is today.
# Machines hide nobody, so their answers do not count. Counting stops as soon as there are enough.
_TOO_FEW = """
WITH promised AS (
    SELECT survey_id, id AS version_id FROM surveys_surveyversion WHERE definition @> '{"is_anonymous": true}'
    UNION ALL
    SELECT id, 0 FROM surveys_survey WHERE is_anonymous
), anonymous AS (SELECT survey_id, array_agg(version_id) AS versions FROM promised GROUP BY survey_id)
SELECT a.survey_id, a.versions FROM anonymous AS a WHERE (
    SELECT count(*) FROM (
        SELECT FROM responses_response AS r WHERE r.survey_id = a.survey_id AND NOT r.is_suspected
        AND COALESCE(r.version_id, 0) = ANY(a.versions) LIMIT %s
    ) AS few
) < %s
"""


def phone_of(response_id: UUID) -> str:
    """The telephone number of a response's contact; "" if we have none."""
    found = Response.objects.filter(pk=response_id, contact__isnull=False).values_list("contact__phone", flat=True)
    return found.first() or ""


def is_anonymous(response: Response) -> bool:
    """Whether it was promised that nobody can tell whose answer it is."""
    if response.version is not None:
        return bool(response.version.definition.get("is_anonymous"))
    return response.survey.is_anonymous


def with_promise(found: QuerySet[Response]) -> QuerySet[Response]:
    """Each with ``is_promised``: what :func:`is_anonymous` says, without reading what was asked."""
    said = Cast(KeyTextTransform("is_anonymous", "version__definition"), BooleanField())
    return found.annotate(is_promised=Coalesce(said, "survey__is_anonymous"))


def visible(found: QuerySet[Response]) -> QuerySet[Response]:
    """Without the answers of anonymous surveys that have fewer than MIN_CELL. One query, at once."""
    hidden = _hidden()
    return found.exclude(hidden) if hidden else found


def hidden() -> QuerySet[Response] | None:
    """The answers that :func:`visible` leaves out: a few, or None if there are none for sure. One query, at once."""
    condition = _hidden()
    return Response.objects.filter(condition) if condition else None


def is_hiding() -> bool:
    """Whether there are answers that are not shown yet. At most two queries."""
    found = hidden()
    return found is not None and found.exists()


def _hidden() -> Q:
    versions: list[int] = []
    surveys: list[int] = []
    with connection.cursor() as cursor:
        cursor.execute(_TOO_FEW, [MIN_CELL, MIN_CELL])
        for survey_id, found in cursor.fetchall():
            versions += [pk for pk in found if pk]
            surveys += [survey_id] if 0 in found else []
    hidden = Q()
    if versions:
        hidden |= Q(version__in=versions)
    if surveys:
        hidden |= Q(version__isnull=True, survey__in=surveys)
    return hidden
