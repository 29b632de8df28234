"""What asking at the best hour brings."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.triggers import hour_effect


@require_safe
@login_required
def best_hour(request: HttpRequest) -> HttpResponse:
    """The comparison of all together, and of each rule and cadence."""
    found = hour_effect.effects(now=timezone.now())
    context = {
        "total": found[0] if found else None,
        "effects": found[1:],
        "minimum": hour_effect.MINIMUM,
        "days": hour_effect.PATIENCE.days,
    }
    return render(request, "workspace/best_hour.html", context)
