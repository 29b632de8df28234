"""What the keys of a slice stand for: read once, so that a key that does not exist is told apart from no answers."""

from dataclasses import dataclass

from django.db.models import Q

from apps.insights.slices import Slice
from apps.surveys.models import Survey
from apps.touchpoints.models import Stage, Touchpoint
from apps.triggers.models import Segment


class UnknownKeyError(Exception):
    """A slice names something that does not exist. ``field`` is the slice's field."""

    def __init__(self, field: str) -> None:
        super().__init__(f"There is no {field} with this key.")
        self.field = field


@dataclass(frozen=True, slots=True)
class Places:
    """The rows behind a slice's keys. ``touchpoint_ids`` is None where every touchpoint counts, and none as well."""

    survey_id: int | None = None
    touchpoint_ids: list[int] | None = None
    segment: Segment | None = None


def find(wanted: Slice) -> Places:
    """Look the keys up: one query for each that is given. Raises UnknownKeyError."""
    survey_id = None
    if wanted.survey:
        survey_id = Survey.objects.filter(key=wanted.survey).values_list("pk", flat=True).first()
        if survey_id is None:
            raise UnknownKeyError("survey")
    segment = None
    if wanted.segment:
        segment = Segment.objects.filter(key=wanted.segment).first()
        if segment is None:
            raise UnknownKeyError("segment")
    return Places(survey_id, _touchpoints(wanted), segment)


def _touchpoints(wanted: Slice) -> list[int] | None:
    """Those of the touchpoint's key that lie on the stage, where both are given."""
    chosen: set[int] | None = None
    if wanted.touchpoint:
        chosen = set(Touchpoint.objects.filter(key=wanted.touchpoint).values_list("pk", flat=True))
        if not chosen:
            raise UnknownKeyError("touchpoint")
    if wanted.stage:
        stage_id = Stage.objects.filter(key=wanted.stage).values_list("pk", flat=True).first()
        if stage_id is None:
            raise UnknownKeyError("stage")
        on_it = set(
            Touchpoint.objects.filter(Q(stage=stage_id) | Q(stage__parent=stage_id)).values_list("pk", flat=True)
        )
        chosen = on_it if chosen is None else chosen & on_it
    return sorted(chosen) if chosen is not None else None
