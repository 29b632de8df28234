"""What the dashboard loads once it is shown: how far events got, and what was answered beside the score."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.common.conditions import ConditionError
from apps.insights import funnels
from apps.insights import questions as further
from apps.insights.places import UnknownKeyError
from apps.workspace import funnel_words, question_rows
from apps.workspace.dashboard_filter import DashboardFilter

KEPT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was counted, and when."""

    found: Any
    as_of: datetime


@require_safe
@login_required
@never_cache
def funnel(request: HttpRequest) -> HttpResponse:
    """From event to comment, for the dashboard's filters."""
    return _answer(request, "funnel", funnels.funnel, _shown_funnel)


@require_safe
@login_required
@never_cache
def questions(request: HttpRequest) -> HttpResponse:
    """The further questions, for the dashboard's filters."""
    return _answer(request, "questions", further.questions, _shown_questions)


def _shown_funnel(found: funnels.Funnel, form: DashboardFilter) -> dict[str, Any]:
    return {"funnel": found, "rows": funnel_words.rows(found, touchpoint=form.wanted.touchpoint)}


def _shown_questions(found: list[further.Asked], form: DashboardFilter) -> dict[str, Any]:
    return {"surveys": question_rows.by_survey(found), "is_cut": len(found) >= further.MAX_QUESTIONS}


def _answer(
    request: HttpRequest,
    name: str,
    count: Callable[..., Any],
    shown: Callable[[Any, DashboardFilter], dict[str, Any]],
) -> HttpResponse:
    """A fragment for the script that asks for it; who follows the link instead gets a page of its own."""
    now = timezone.now()
    form = DashboardFilter(request.GET, now=now)
    context: dict[str, Any] = {"filter": form, "period": form.period}
    try:
        kept = _kept(name, count, form, now)
        context |= {"as_of": kept.as_of, **shown(kept.found, form)}
    except (ConditionError, UnknownKeyError):
        context["is_broken"] = True
    is_page = request.headers.get("Sec-Fetch-Dest") == "document"
    template = f"workspace/{name}.html" if is_page else f"workspace/_{name}.html"
    answer = render(request, template, context)
    answer["Vary"] = "Cookie, Accept-Language, Sec-Fetch-Dest"
    return answer


def _kept(name: str, count: Callable[..., Any], form: DashboardFilter, now: datetime) -> _Kept:
    """Counted within the last minute for the same filters, by whomever; or now."""
    wanted, period = form.wanted, form.period
    key = f"workspace.{name}:{sha256(repr((wanted, period)).encode()).hexdigest()}"
    kept: _Kept | None = cache.get(key)
    if kept is None:
        kept = _Kept(count(wanted=wanted, period=period, now=now), now)
        cache.set(key, kept, KEPT_SECONDS)
    return kept
