"""Writes a history with COPY: some hundred thousand values in seconds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from django.db import connection, models

from apps.campaigns.models import Enrolment, StepRun
from apps.cases.models import Case, CaseChange
from apps.contacts.models import Contact, LegalBasis, Outreach
from apps.insights.models import SCORE_COLUMNS, Rollup
from apps.messaging import frames
from apps.messaging.models import OutgoingEmail, Suppression
from apps.messaging.suppressions import address_hash
from apps.responses.models import Answer, Response, Revision
from apps.surveys.models import Invitation
from apps.touchpoints.models import Event
from apps.triggers.models import Decision
from apps.workspace.demo import records as rows


def write(*, records: rows.Records) -> dict[str, int]:
    """Store everything in the current tenant, parents first; returns rows by table."""
    counts = {}
    blocked = [row._replace(address_hash=address_hash(row.email)) for row in records.suppressions]
    frame_id = frames.store([frames.VERBATIM])[frames.VERBATIM]
    mails = [row._replace(frame_id=frame_id) for row in records.emails]
    plan: tuple[tuple[type[models.Model], type[NamedTuple], Sequence[NamedTuple]], ...] = (
        (Contact, rows.ContactRow, records.contacts),
        (LegalBasis, rows.LegalBasisRow, records.legal_bases),
        (Suppression, rows.SuppressionRow, blocked),
        (Outreach, rows.OutreachRow, records.outreaches),
        (Event, rows.EventRow, records.events),
        (OutgoingEmail, rows.EmailRow, mails),
        (Invitation, rows.InvitationRow, records.invitations),
        (Decision, rows.DecisionRow, records.decisions),
        (Response, rows.ResponseRow, records.responses),
        (Answer, rows.AnswerRow, records.answers),
        (Revision, rows.RevisionRow, records.revisions),
        (Enrolment, rows.EnrolmentRow, records.enrolments),
        (StepRun, rows.StepRunRow, records.step_runs),
        (Case, rows.CaseRow, records.cases),
        (CaseChange, rows.CaseChangeRow, records.case_changes),
    )
    for model, kind, found in plan:
        _copy(model, kind._fields, found)
        counts[model._meta.db_table] = len(found)
    cells = _cells(records.scores)
    _copy(Rollup, ("day", "survey_id", "touchpoint_id", "is_incentivised", *SCORE_COLUMNS), cells)
    counts[Rollup._meta.db_table] = len(cells)
    _analyze(counts)
    return counts


def _cells(scores: Mapping[Any, int]) -> list[tuple[Any, ...]]:
    """All eleven scores of a day side by side, as the rollups have them."""
    found: dict[Any, list[int]] = {}
    for (*place, score), number in scores.items():
        found.setdefault(tuple(place), [0] * len(SCORE_COLUMNS))[score] += number
    return [(*place, *given) for place, given in found.items()]


def _copy(model: type[models.Model], columns: Sequence[str], found: Iterable[Sequence[Any]]) -> None:
    """COPY rows whose values are in the order of ``columns``; all other columns get the model's default."""
    fields = {f.column: f for f in model._meta.concrete_fields if not isinstance(f, models.AutoField)}
    rest = [field for column, field in fields.items() if column not in columns]
    defaults = tuple(_adapt(field)(field.get_default()) for field in rest)
    adapters = [(place, _adapt(fields[c])) for place, c in enumerate(columns) if _adapt(fields[c]) is not _as_is]
    names = ", ".join(f'"{name}"' for name in (*columns, *(field.column for field in rest)))
    with connection.cursor() as cursor, cursor.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN') as copy:
        for row in found:
            values = [*row, *defaults]
            for place, adapt in adapters:
                values[place] = adapt(values[place])
            copy.write_row(values)


def _as_is(value: Any) -> Any:
    return value


def _as_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _adapt(field: "models.Field[Any, Any]") -> Callable[[Any], Any]:
    return _as_json if isinstance(field, models.JSONField) else _as_is


def _analyze(tables: Iterable[str]) -> None:
    """Tell the planner what came, instead of letting it guess until autovacuum looks."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(tables)}")
