"""Reviews of the journey map: which is due, what was found, and that the business changed."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.insights import journey_reviews
from apps.insights.journey_reviews import ReviewError
from apps.insights.models import JourneyReview
from apps.workspace.journey_versions_forms import AskForm, FindingForm, ReviewFilter
from apps.workspace.paging import page
from apps.workspace.templatetags.workspace import day
from apps.workspace.views.case_acts import user_of

CHANGE = "touchpoints.change_touchpoint"


@require_safe
@login_required
@permission_required(CHANGE, raise_exception=True)
def reviews(request: HttpRequest) -> HttpResponse:
    """What is open, and what was found before."""
    return _page(request)


def _page(request: HttpRequest, *, status: int = 200, **forms: Any) -> HttpResponse:
    """``ask`` and ``finding`` are forms that were refused; ``refused`` is the review the latter is about."""
    now = timezone.now()
    refused = forms.get("refused")
    rows = JourneyReview.objects.filter(done_at=None).select_related("asked_by").order_by("due_on", "pk")
    opened = [(row, forms["finding"] if row.pk == refused else FindingForm(auto_id=f"id_{row.pk}_%s")) for row in rows]
    wanted = ReviewFilter(request.GET)
    done = _done(wanted.values())
    context = {
        "opened": opened,
        "filter": wanted,
        "today": now.date(),
        "is_asked": any(row.reason == JourneyReview.Reason.CHANGED for row, _form in opened),
        "ask": forms.get("ask") or AskForm(auto_id="id_ask_%s"),
        "page": page(done, field="done_at", cursor=request.GET.get("cursor", "")),
    }
    return render(request, "workspace/journey_review.html", context, status=status)


def _done(wanted: dict[str, Any]) -> QuerySet[JourneyReview]:
    found = JourneyReview.objects.exclude(done_at=None).select_related("done_by")
    if wanted["reason"]:
        found = found.filter(reason=wanted["reason"])
    if wanted["q"]:
        found = found.filter(Q(finding__icontains=wanted["q"]) | Q(note__icontains=wanted["q"]))
    return found


@require_POST
@login_required
@permission_required(CHANGE, raise_exception=True)
def ask(request: HttpRequest) -> HttpResponse:
    """Our business changed: the map is to be looked at soon."""
    form = AskForm(request.POST, auto_id="id_ask_%s")
    if not form.is_valid():
        return _page(request, ask=form, status=422)
    try:
        row = journey_reviews.ask(note=form.cleaned_data["note"], by=user_of(request), now=timezone.now())
    except ReviewError as error:
        if error.code == "no_map":
            form.add_error(None, _("There is no map yet to look at."))
        else:
            form.add_error(None, _("Somebody asked for a review already. Finish that one first."))
        return _page(request, ask=form, status=409)
    messages.success(request, _("The map is to be looked at until %(day)s.") % {"day": day(row.due_on)})
    return redirect("workspace:journey_review")


@require_POST
@login_required
@permission_required(CHANGE, raise_exception=True)
def finish(request: HttpRequest, pk: int) -> HttpResponse:
    """Note what was found."""
    get_object_or_404(JourneyReview, pk=pk)
    form = FindingForm(request.POST, auto_id=f"id_{pk}_%s")
    if not form.is_valid():
        return _page(request, finding=form, refused=pk, status=422)
    try:
        journey_reviews.finish(
            review_id=pk, finding=form.cleaned_data["finding"], by=user_of(request), now=timezone.now()
        )
    except ReviewError:
        messages.error(request, _("Somebody else finished this review meanwhile. What they found stands below."))
        return redirect("workspace:journey_review")
    messages.success(request, _("Thank you. The next review is due in a year."))
    return redirect("workspace:journey_review")
