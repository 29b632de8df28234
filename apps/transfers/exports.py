"""Exports as downloads: CSV goes out while it is read; XLSX is written to a file of its own first. Noted by name."""

import tempfile
from collections.abc import Iterator
from datetime import date

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import AbstractUser
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_noop

from apps.common.spreadsheets import csv_parts, write_xlsx
from apps.transfers.export_rows import Table, here

CSV, XLSX = "csv", "xlsx"
KINDS = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""What an export can be, and how it is called on the wire."""
EXPORTED = gettext_noop("Exported as a file.")


def download(table: Table, *, kind: str, name: str, today: date) -> HttpResponseBase:
    """The table as an attachment called after ``name`` (of small letters) and the day."""
    filename = f"{name}-{today.isoformat()}.{kind}"
    if kind == CSV:
        return csv_download(csv_parts(table.header, table.rows), filename=filename)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    write_xlsx(file, table.header, table.rows)
    file.seek(0)
    return _private(FileResponse(file, as_attachment=True, filename=filename, content_type=KINDS[XLSX]))


def csv_download(parts: Iterator[bytes], *, filename: str) -> HttpResponseBase:
    """Parts of a CSV file as an attachment, sent as they are made."""
    answer = StreamingHttpResponse(here(parts), content_type=KINDS[CSV])
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=filename)
    return _private(answer)


def _private(answer: HttpResponseBase) -> HttpResponseBase:
    """Personal data: for whoever asked, and for no cache on the way."""
    answer["Cache-Control"] = "private, no-store"
    return answer


def note(model: type[Model], *, user: AbstractUser, kind: str, filters: list[str]) -> None:
    """Keep where the admin keeps its history who took what out: by which filters, never what was typed there."""
    LogEntry.objects.create(
        user_id=user.pk,
        content_type=ContentType.objects.get_for_model(model),
        object_repr=f"{kind.upper()} {', '.join(sorted(filters))}".strip()[:200],
        action_flag=CHANGE,
        change_message=EXPORTED,
    )
