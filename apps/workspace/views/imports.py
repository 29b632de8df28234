"""Imports: the list, a new one, what its columns mean, how far it is, what came of it, and taking it back."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from apps.transfers import services
from apps.transfers.exports import csv_download
from apps.transfers.intake import MAX_BYTES
from apps.transfers.models import Import
from apps.transfers.problems import TransferError
from apps.workspace import lists
from apps.workspace.filters import ImportFilter
from apps.workspace.import_forms import ColumnsForm, OptionsForm, UploadForm
from apps.workspace.paging import page

IMPORT = "transfers.add_import"
BLOCK = "messaging.change_suppression"
"""Blocking addresses needs this right wherever it is done."""
BAD_ROWS = 50
"""Wrong rows on one page."""
_FORM_BYTES = 64 * 1024
"""What a form adds to its file."""
_OPEN = frozenset({Import.Status.MAPPING, Import.Status.READY})
_UNDOABLE = frozenset({Import.Status.DONE, Import.Status.FAILED, Import.Status.CANCELLED})
_IN_PARTS = {"first_name": "name", "last_name": "name"}
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def for_importers(view: View[P]) -> View[P]:
    """Signed in, and allowed to import."""

    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.has_perm(IMPORT):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return login_required(checked)


@for_importers
@require_safe
def imports(request: HttpRequest) -> HttpResponse:
    """Newest first, filtered."""
    form = ImportFilter(request.GET)
    found = page(lists.imports(form.values()), field="created_at", cursor=request.GET.get("cursor", ""))
    return render(request, "workspace/imports.html", {"filter": form, "page": found})


# The token is checked below, after the size: looking for it means to read the whole file.
@csrf_exempt
@for_importers
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponseBase:
    """Ask for a file, and store it."""
    try:
        size = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        size = 0
    if request.method == "POST" and size > MAX_BYTES + _FORM_BYTES:
        form = UploadForm({})
        form.is_valid()
        form.errors.clear()
        form.add_error("file", _("The file may have at most 1 GB. Split it and import the parts."))
        return render(request, "workspace/import_new.html", {"form": form, "max_bytes": MAX_BYTES}, status=413)
    return _uploaded(request)


@csrf_protect
def _uploaded(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        kind, file = form.cleaned_data["kind"], form.upload
        _check_kind(request, kind)
        user = request.user if isinstance(request.user, AbstractUser) else None
        try:
            made = services.upload(
                kind=kind, file_name=file.name or "", parts=file.chunks(), now=timezone.now(), user=user
            )
            return redirect("workspace:import", made.pk)
        except TransferError as error:
            form.add_error("file", str(error))
    return render(request, "workspace/import_new.html", {"form": form, "max_bytes": MAX_BYTES})


@for_importers
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def one(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What it waits for: a worker, a human, or nothing any more."""
    source = _found(request, pk)
    if request.method == "POST" and source.status in _OPEN:
        return _chosen(request, source)
    if source.is_working:
        return render(request, "workspace/import_waiting.html", {"source": source})
    if source.status in _OPEN:
        return _asked(request, source, ColumnsForm(source), OptionsForm(source))
    return _told(request, source)


def _chosen(request: HttpRequest, source: Import) -> HttpResponse:
    """Save what the columns mean; then check or import, if that button was pressed."""
    columns, options = ColumnsForm(source, request.POST), OptionsForm(source, request.POST)
    valid = [columns.is_valid(), options.is_valid()]
    if not all(valid):
        return _asked(request, source, columns, options)
    now, wanted = timezone.now(), request.POST.get("do", "")
    try:
        services.choose(import_id=source.pk, mapping=columns.mapping, options=options.options, now=now)
        if wanted in _STEPS:
            _STEPS[wanted](import_id=source.pk, now=now)
    except TransferError as error:
        return _asked(request, _found(request, source.pk), columns, options, str(error))
    return redirect("workspace:import", source.pk)


_STEPS = {"check": services.check, "run": services.run}


def _asked(
    request: HttpRequest, source: Import, columns: ColumnsForm, options: OptionsForm, problem: str = ""
) -> HttpResponse:
    rows = services.preview(source=source, now=timezone.now())
    context = {
        "source": source,
        "columns": list(columns.columns(rows)),
        "options": options,
        "problem": problem,
        "rows": rows,
        "preview": _previewed(source, rows),
        **_wrong(request, source),
    }
    return render(request, "workspace/import_mapping.html", context)


def _previewed(source: Import, rows: list[services.PreviewRow]) -> dict[str, Any]:
    """The first rows as a table: the columns that are taken, the values as they were understood."""
    labels = {field.target: capfirst(field.label) for field in services.fields(kind=source.kind)}
    # First and last name are one name by then.
    targets = list(dict.fromkeys(_IN_PARTS.get(target, target) for target in source.mapping if target))
    return {
        "headers": [labels.get(target) or target.partition(":")[2] or target for target in targets],
        "lines": [(row, [row.values.get(target, "") for target in targets]) for row in rows],
        "bad": sum(1 for row in rows if row.problems),
    }


def _told(request: HttpRequest, source: Import) -> HttpResponse:
    is_kept = source.forget_at is not None and source.forget_at > timezone.now()
    is_undoable = is_kept and source.status in _UNDOABLE and source.created + source.updated > 0
    undone = services.undo_sentences(source=source) if source.undo_result else []
    context = {"source": source, "is_undoable": is_undoable, "kept": undone, **_wrong(request, source)}
    return render(request, "workspace/import_done.html", context)


def _wrong(request: HttpRequest, source: Import) -> dict[str, Any]:
    """The rows with problems, a page of them."""
    if not source.bad:
        return {"bad_rows": [], "next_after": 0}
    given = request.GET.get("after", "")
    after = int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0
    found = services.bad_rows(source=source, limit=BAD_ROWS + 1, after=after)
    more = len(found) > BAD_ROWS
    return {"bad_rows": found[:BAD_ROWS], "next_after": found[BAD_ROWS - 1].number if more else 0, "after": after}


@for_importers
@require_safe
@never_cache
def progress(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How far it is, for a page that waits; 204 once there is nothing to wait for."""
    source = _found(request, pk)
    if not source.is_working:
        return HttpResponse(status=204)
    return render(request, "workspace/_import_progress.html", {"source": source})


@for_importers
@require_POST
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Stop it; what was taken already stays until it is undone."""
    source = _found(request, pk)
    try:
        services.cancel(import_id=source.pk, now=timezone.now())
    except TransferError as error:
        messages.error(request, str(error))
    return redirect("workspace:import", pk)


@for_importers
@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask once more, then take back what the import did."""
    source = _found(request, pk)
    if request.method != "POST":
        if source.status not in _UNDOABLE:
            return redirect("workspace:import", pk)
        return render(request, "workspace/import_undo.html", {"source": source})
    try:
        services.undo(import_id=source.pk, now=timezone.now())
    except TransferError as error:
        messages.error(request, str(error))
    return redirect("workspace:import", pk)


@for_importers
@require_GET
def bad_rows(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The rows with problems as a file: to be mended and uploaded again."""
    source = _found(request, pk)
    return csv_download(services.bad_rows_csv(source=source), filename=f"bad-rows-{source.pk}.csv")


def _found(request: HttpRequest, pk: UUID) -> Import:
    source = get_object_or_404(Import.objects.select_related("created_by"), pk=pk)
    _check_kind(request, source.kind)
    return source


def _check_kind(request: HttpRequest, kind: str) -> None:
    """Some kinds of import need more than the right to import."""
    if kind == Import.Kind.SUPPRESSIONS and not request.user.has_perm(BLOCK):
        raise PermissionDenied
