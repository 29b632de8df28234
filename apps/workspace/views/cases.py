"""Cases: the list, one in detail, and moving it on."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.cases import services
from apps.cases.models import Case
from apps.responses.models import Response
from apps.responses.selectors import visible
from apps.workspace import lists
from apps.workspace.filters import OPEN, CaseFilter, CaseForm
from apps.workspace.paging import page


@require_safe
@login_required
def cases(request: HttpRequest) -> HttpResponse:
    """Open cases by due time, others newest first."""
    form = CaseFilter(request.GET)
    values = form.values()
    found = lists.cases(values)
    cursor = request.GET.get("cursor", "")
    context = {
        "filter": form,
        "page": page(found, field="due_at", cursor=cursor, ascending=values["status"] == OPEN),
        "now": timezone.now(),
        "closed": services.CLOSED,
    }
    return render(request, "workspace/cases.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def case(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Shows a case; POST changes status, owner and outcome."""
    try:
        found = lists.case(pk)
    except Case.DoesNotExist as error:
        raise Http404 from error
    initial = {"status": found.status, "owner": found.owner_id or request.user.pk, "outcome": found.outcome}
    form = CaseForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_status(case_id=pk, now=timezone.now(), **form.cleaned_data)
        except services.OutcomeMissingError:
            form.add_error("outcome", _("Say how it ended before you close the case."))
        else:
            messages.success(request, _("Case saved."))
            return redirect("workspace:case", pk)
    context = {"case": found, "form": form, "now": timezone.now(), "closed": services.CLOSED}
    return render(request, "workspace/case.html", context)


@require_POST
@login_required
def open_case(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Opens a case for a response, or shows the one it has."""
    found = get_object_or_404(visible(Response.objects.all()), pk=pk)
    services.open_cases(responses=[found], now=timezone.now())
    return redirect("workspace:case", Case.objects.get(response=found).pk)
