"""The first page: how we are doing, and why."""

from datetime import timedelta
from itertools import pairwise

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from apps.insights import selectors
from apps.touchpoints.models import Event
from apps.workspace import charts, lists
from apps.workspace.filters import INCENTIVES, PERIODS, period_days
from apps.workspace.first_steps import first_steps

PERIOD_LABELS = {30: _("30 days"), 90: _("90 days"), 365: _("12 months")}
INCENTIVE_LABELS = {"": _("All"), "no": _("Without incentive"), "yes": _("Only with incentive")}
COMMENTS = 6


@require_safe
@login_required
def dashboard(request: HttpRequest) -> HttpResponse:
    """NPS now and over twelve months, by touchpoint, with the latest comments."""
    now = timezone.now()
    days = period_days(request.GET.get("days"))
    incentive = request.GET.get("incentive", "")
    incentive = incentive if incentive in INCENTIVES else ""
    overview = selectors.overview(today=now.date(), days=days, is_incentivised=INCENTIVES.get(incentive))
    funnel = selectors.funnel(since=now - timedelta(days=days), until=now)
    comments = lists.latest_comments(limit=COMMENTS, is_incentivised=INCENTIVES.get(incentive))
    if not (overview.now.n or funnel.events or comments or incentive or Event.objects.exists()):
        return render(request, "workspace/first_steps.html", {"steps": first_steps()})
    months = [(month.start, month.nps) for month in overview.months]
    context = {
        "days": days,
        "periods": [(value, PERIOD_LABELS[value]) for value in PERIODS],
        "incentive": incentive,
        # Who never promised anything has nothing to choose from.
        "incentives": INCENTIVE_LABELS.items() if incentive or overview.has_incentives else (),
        "overview": overview,
        "funnel": _steps(funnel),
        "comments": comments,
        "charts": [
            ("wide", charts.trend(months, width=720, height=264)),
            ("narrow", charts.trend(months, width=340, height=220, label_every=3)),
        ],
    }
    return render(request, "workspace/dashboard.html", context)


def _steps(funnel: selectors.Funnel) -> list[tuple[Promise, int, int | None]]:
    """Label, number, and percent of the step before."""
    labels = (_("Events"), _("Invited"), _("Sent"), _("Answered"))
    numbers = (funnel.events, funnel.invited, funnel.sent, funnel.answered)
    shares = [round(100 * after / before) if before else None for before, after in pairwise(numbers)]
    return list(zip(labels, numbers, [None, *shares], strict=True))
