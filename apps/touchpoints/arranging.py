"""Changes of the journey map. Each is one transaction, and leaves positions that count through the whole map."""

from collections.abc import Callable, Mapping
from functools import wraps
from hashlib import sha256
from typing import Any, ParamSpec, TypeVar

from django.db import transaction
from django.db.models import Exists, ForeignObjectRel, OuterRef, Q

from apps.common.db import connection
from apps.common.texts import Texts
from apps.touchpoints.journey_map import Map, put_together, read
from apps.touchpoints.journey_shape import ImpossibleError, Position, Way
from apps.touchpoints.models import Stage, Touchpoint
from apps.touchpoints.services import forget_touchpoints

__all__ = ["ImpossibleError", "Map", "StaleError", "Way", "read"]
MAX_STAGES, MAX_TOUCHPOINTS = 100, 1000
"""A map larger than this shows nothing to anybody."""
P = ParamSpec("P")
R = TypeVar("R")


class StaleError(ImpossibleError):
    """Somebody else changed the map since the page was made."""

    def __init__(self) -> None:
        super().__init__("stale")


def arranges(service: Callable[P, R]) -> Callable[P, R]:
    """One transaction; the intake of events of this process then knows what is there now."""

    @wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with transaction.atomic():
            result = service(*args, **kwargs)
        forget_touchpoints()
        return result

    return run


@arranges
def put_touchpoint(*, touchpoint_id: int, stage_id: int, before_id: int | None = None, revision: str = "") -> None:
    """Put a touchpoint on a stage or sub-step: before another one that lies there, else last.

    ``revision`` is that of the map the caller saw; empty: whatever the map is by now. Raises StaleError if it has
    changed since, ImpossibleError if there is no such place any more; so do all services here.
    """
    found = lock(revision)
    found.shape.put(touchpoint_id, stage_id, before_id)
    save(found)


@arranges
def shift_touchpoint(*, touchpoint_id: int, way: Way, revision: str = "") -> None:
    """Move a touchpoint one step: through its column, or to the stage beside it."""
    found = lock(revision)
    found.shape.shift(touchpoint_id, way)
    save(found)


@arranges
def move_stage(*, stage_id: int, way: Way, revision: str = "") -> None:
    """Move a stage with all that lies on it, or a sub-step within its stage: left and up is earlier."""
    found = lock(revision)
    found.shape.move_stage(stage_id, way)
    save(found)


@arranges
def settle_stage(*, stage_id: int, parent_id: int | None, revision: str = "") -> None:
    """Make a stage the last sub-step of another, or (None) a sub-step a stage beside its former one."""
    found = lock(revision)
    found.shape.settle(stage_id, parent_id)
    save(found)


@arranges
def add_stage(*, key: str, name: Texts, parent_id: int | None = None) -> Stage:
    """Make a stage, last on the map, or a sub-step, last of its stage. Raises ValidationError (a key that exists)."""
    found = lock()
    if len(found.stages) >= MAX_STAGES:
        raise ImpossibleError("too_many_stages")
    if parent_id is not None and found.shape.place(parent_id) is not found.shape.column(parent_id):
        raise ImpossibleError("parent_is_step")
    row = Stage(key=key, name=dict(name), parent_id=parent_id)
    row.full_clean()
    row.save(force_insert=True)
    found.shape.add(row.pk, parent=parent_id)
    save(Map({**found.stages, row.pk: row}, found.touchpoints, found.shape))
    return row


@arranges
def add_touchpoint(*, key: str, name: Texts, stage_id: int, legal_basis: str = "") -> Touchpoint:
    """Make a touchpoint, last on its stage or sub-step. Raises ValidationError (a key that exists)."""
    found = lock()
    if len(found.touchpoints) >= MAX_TOUCHPOINTS:
        raise ImpossibleError("too_many_touchpoints")
    place = found.shape.place(stage_id)
    row = Touchpoint(key=key, name=dict(name), stage_id=stage_id, legal_basis=legal_basis)
    row.full_clean()
    row.save(force_insert=True)
    place.touchpoints.append(row.pk)
    save(Map(found.stages, {**found.touchpoints, row.pk: row}, found.shape))
    return row


@arranges
def change_stage(*, stage_id: int, name: Texts, parent_id: int | None, revision: str = "") -> None:
    """Rename a stage, and say whether it is a sub-step and of what."""
    found = lock(revision)
    row = found.stages.get(stage_id)
    if row is None:
        raise ImpossibleError("gone")
    row.name = dict(name)
    row.clean_fields()
    row.save(update_fields=["name"])
    if row.parent_id != parent_id:
        found.shape.settle(stage_id, parent_id)
    save(found)


@arranges
def change_touchpoint(
    *,
    touchpoint_id: int,
    name: Texts,
    legal_basis: str,
    is_active: bool,
    where: tuple[int, int | None] | None = None,
    revision: str = "",
) -> None:
    """Rename a touchpoint, say what an event there proves, switch it on or off.

    ``where`` is the stage or sub-step to put it on, and before which touchpoint (None: last); None: it stays.
    """
    found = lock(revision)
    row = found.touchpoints.get(touchpoint_id)
    if row is None:
        raise ImpossibleError("gone")
    row.name, row.legal_basis, row.is_active = dict(name), legal_basis, is_active
    row.clean_fields()
    row.save(update_fields=["name", "legal_basis", "is_active"])
    if where is not None:
        found.shape.put(touchpoint_id, *where)
    save(found)


@arranges
def remove_stage(*, stage_id: int) -> None:
    """Delete a stage or sub-step that nothing lies on. Refuses (“not_empty”) otherwise."""
    found = lock()
    place = found.shape.place(stage_id)
    if place.steps or place.touchpoints:
        raise ImpossibleError("not_empty")
    Stage.objects.filter(pk=stage_id).delete()
    column = found.shape.column(stage_id)
    row = found.shape.stages if column is place else column.steps
    row.remove(place)
    save(Map({pk: row for pk, row in found.stages.items() if pk != stage_id}, found.touchpoints, found.shape))


@arranges
def remove_touchpoint(*, touchpoint_id: int) -> bool:
    """Delete a touchpoint where nothing happened and that nothing refers to, and return True.

    Any other is switched off: what happened there stays told; False.
    """
    found = lock()
    place = found.shape.holder(touchpoint_id)
    if is_used(touchpoint_id=touchpoint_id):
        Touchpoint.objects.filter(pk=touchpoint_id).update(is_active=False)
        return False
    Touchpoint.objects.filter(pk=touchpoint_id).delete()
    place.touchpoints.remove(touchpoint_id)
    left = {pk: row for pk, row in found.touchpoints.items() if pk != touchpoint_id}
    save(Map(found.stages, left, found.shape))
    return True


@arranges
def renumber() -> None:
    """Put the positions right after rows were written elsewhere: sub-steps after their stage, none twice."""
    save(lock())


def is_used(*, touchpoint_id: int) -> bool:
    """Whether anything happened at a touchpoint or refers to it, in whatever app. One query.

    Rows that are worked out of others (``is_derived``) do not count: they go with the touchpoint.
    """
    used = Q(pk__in=())
    # Hidden ones as well: what an effect is compared with refers to a touchpoint that does not know of it.
    for relation in Touchpoint._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ForeignObjectRel) or getattr(relation.related_model, "is_derived", False):
            continue
        field: Any = relation.field
        rows = field.remote_field.through if field.many_to_many else relation.related_model
        name = field.m2m_reverse_field_name() if field.many_to_many else field.name
        used |= Q(Exists(rows._base_manager.filter(**{name: OuterRef("pk")})))
    return Touchpoint.objects.filter(used, pk=touchpoint_id).exists()


def lock(revision: str = "") -> Map:
    """The map, which nobody else arranges until the transaction ends. Three queries.

    One after the other: rows that somebody adds meanwhile could not be locked. The rows are, in the order of their
    ids, against whoever changes one of them elsewhere.
    """
    number = int.from_bytes(sha256(f"journey|{connection.schema_name}".encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
    stages = list(Stage.objects.select_for_update().order_by("pk"))
    touchpoints = list(Touchpoint.objects.select_for_update().order_by("pk"))
    found = put_together(stages, touchpoints)
    if revision and revision != found.revision:
        raise StaleError
    return found


def save(found: Map) -> None:
    """Write the positions of what stands elsewhere than before. Two queries at most."""
    stages, touchpoints = found.shape.numbers()
    moved = [row for pk, row in found.stages.items() if _stands(row, stages, "parent_id")]
    lying = [row for pk, row in found.touchpoints.items() if _stands(row, touchpoints, "stage_id")]
    if moved:
        Stage.objects.bulk_update(moved, ["position", "parent"])
    if lying:
        Touchpoint.objects.bulk_update(lying, ["position", "stage"])


def _stands(row: Stage | Touchpoint, numbers: Mapping[int, Position], on: str) -> bool:
    """Tell the row where it stands; True if that is news."""
    number, parent = numbers[row.pk]
    is_new = row.position != number or getattr(row, on) != parent
    row.position = number
    setattr(row, on, parent)
    return is_new
