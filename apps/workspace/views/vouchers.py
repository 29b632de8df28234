"""Vouchers: pools, one of them with its codes, and bringing, withdrawing and exporting them."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.incentives import figures, services, stock
from apps.incentives.models import Voucher, VoucherPool
from apps.transfers.exports import KINDS, download, note
from apps.transfers.problems import TransferError
from apps.workspace import lists_vouchers as lists
from apps.workspace import voucher_files
from apps.workspace.paging import page
from apps.workspace.templatetags.workspace import grouped
from apps.workspace.voucher_forms import CodesForm, PoolFilter, PoolForm, VoucherFilter

VIEW, ADD, CHANGE = (f"incentives.{verb}_voucherpool" for verb in ("view", "add", "change"))
CODES, BRING, WITHDRAW = (f"incentives.{verb}_voucher" for verb in ("view", "add", "change"))
_FORM_BYTES = 2 * 1024 * 1024
View = Callable[..., HttpResponseBase]


def _allowed(*rights: str) -> Callable[[View], View]:
    """For those who have these rights; never kept by a browser, since codes are worth money."""

    def wrapped(view: View) -> View:
        checked: Any = permission_required(rights, raise_exception=True)(never_cache(view))
        return wraps(view)(login_required(checked))

    return wrapped


@_allowed(VIEW)
@require_safe
def pools(request: HttpRequest) -> HttpResponse:
    """Newest first, filtered, each with its figures."""
    form = PoolFilter(request.GET)
    found = page(lists.pools(form.values()), field="created_at", cursor=request.GET.get("cursor", ""))
    numbers = figures.figures_of(found.rows)
    rows = [(row, numbers[row.pk]) for row in found.rows]
    context = {"filter": form, "page": found, "rows": rows, "today": timezone.localdate()}
    return render(request, "workspace/vouchers.html", context)


@_allowed(VIEW, ADD)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A new pool."""
    form = PoolForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _saved(request, form)
    return render(request, "workspace/voucher_pool_form.html", {"form": form}, status=422 if form.errors else 200)


@_allowed(VIEW, CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a pool."""
    row = get_object_or_404(VoucherPool, pk=pk)
    form = PoolForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        return _saved(request, form)
    # The title is what is stored, not what was typed.
    context = {"form": form, "pool": VoucherPool.objects.get(pk=pk) if form.errors else row}
    return render(request, "workspace/voucher_pool_form.html", context, status=422 if form.errors else 200)


def _saved(request: HttpRequest, form: PoolForm) -> HttpResponse:
    stock.save_pool(pool=form.instance, fields=form.cleaned_data, now=timezone.now())
    messages.success(request, _("Pool saved."))
    return redirect("workspace:voucher_pool", form.instance.pk)


@_allowed(VIEW)
@require_safe
def pool(request: HttpRequest, pk: int) -> HttpResponse:
    """What came of it, and its codes for those who may see them."""
    return _page(request, get_object_or_404(VoucherPool, pk=pk))


def _page(
    request: HttpRequest, row: VoucherPool, *, form: CodesForm | None = None, told: Any = None, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    filters = VoucherFilter(request.GET)
    may_see = request.user.has_perm(CODES)
    context = {
        "pool": row,
        "numbers": figures.figures_of([row])[row.pk],
        "budget": figures.budget_left(row, now=now),
        "why_none": services.why_none(pool_id=row.pk, now=now),
        "filter": filters,
        "page": lists.voucher_page(row, filters.values(), request.GET.get("cursor", "")) if may_see else None,
        "form": form or CodesForm(),
        "told": told,
    }
    return render(request, "workspace/voucher_pool.html", context, status=status)


# The token is checked below, after the size: looking for it means to read the whole file.
@csrf_exempt
@_allowed(VIEW, BRING)
@require_POST
def upload(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Take codes in."""
    row = get_object_or_404(VoucherPool, pk=pk)
    if row.kind != VoucherPool.Kind.UPLOADED:
        messages.error(request, _wrong("generated"))
        return redirect("workspace:voucher_pool", pk)
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isascii() or not length.isdigit() or int(length) > voucher_files.MAX_FILE + _FORM_BYTES:
        form = CodesForm({})
        form.is_valid()
        form.errors.clear()
        form.add_error("file", _("The file may have at most 50 MB. Split it and upload the parts."))
        return _page(request, row, form=form, status=413)
    return _uploaded(request, row)


@csrf_protect
def _uploaded(request: HttpRequest, row: VoucherPool) -> HttpResponse:
    form = CodesForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            told = stock.add_codes(pool_id=row.pk, lines=_lines(form), now=timezone.now())
        except TransferError as error:
            form.add_error("file", str(error))
        except stock.StockError as error:
            form.add_error("file", _wrong(error.code))
        else:
            if not told.bad:
                messages.success(request, _counted(told))
                return redirect("workspace:voucher_pool", row.pk)
            # What could not be taken stays in the field, to be corrected.
            left = "\n".join(voucher_files.wrong(form.cleaned_data["text"])) if not form.upload else ""
            row.refresh_from_db()
            return _page(request, row, form=CodesForm(initial={"text": left}), told=(told, _counted(told)))
    return _page(request, row, form=form, status=422)


def _lines(form: CodesForm) -> Iterator[tuple[int, str]]:
    file = form.upload
    return voucher_files.in_file(file.chunks()) if file else voucher_files.pasted(form.cleaned_data["text"])


def _wrong(code: str) -> str:
    if code == "too_many":
        return _("A million codes are the most at once. Split the file and upload the parts.")
    return _("This pool makes its own codes and takes none.")


def _counted(told: stock.Added) -> str:
    """What became of the codes, in a sentence each."""
    parts = [ngettext("%(n)s code added.", "%(n)s codes added.", told.added) % {"n": grouped(told.added)}]
    if told.repeated:
        text = ngettext("%(n)s stood there more than once.", "%(n)s stood there more than once.", told.repeated)
        parts.append(text % {"n": grouped(told.repeated)})
    if told.known:
        text = ngettext("%(n)s was here before.", "%(n)s were here before.", told.known)
        parts.append(text % {"n": grouped(told.known)})
    return " ".join(parts)


@_allowed(VIEW, CODES, WITHDRAW)
@require_POST
def withdraw(request: HttpRequest, pk: int, voucher_pk: UUID) -> HttpResponse:
    """Take one back."""
    row = get_object_or_404(Voucher, pool=pk, pk=voucher_pk)
    if services.withdraw(ids=[row.pk], now=timezone.now()):
        messages.success(request, _("%(code)s is withdrawn.") % {"code": row.code})
    else:
        messages.warning(request, _("%(code)s was redeemed or withdrawn before.") % {"code": row.code})
    return redirect("workspace:voucher_pool", pk)


@_allowed(VIEW, CODES)
@require_safe
def export(request: HttpRequest, pk: int, kind: str) -> HttpResponseBase:
    """The vouchers that fit the filters, as a file."""
    row = get_object_or_404(VoucherPool, pk=pk)
    if not isinstance(request.user, AbstractUser):
        raise PermissionDenied
    if kind not in KINDS:
        raise Http404
    form = VoucherFilter(request.GET)
    values = form.values()
    found = lists.vouchers(row, values).order_by("-pk")
    note(Voucher, user=request.user, kind=kind, filters=[name for name, value in values.items() if value])
    rows = lists.voucher_table(found, zone=timezone.get_current_timezone())
    return download(rows, kind=kind, name="vouchers", today=timezone.localdate())
