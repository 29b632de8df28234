"""The tenant's colour as a stylesheet: inline styles are not allowed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from apps.surveys.models import Theme
from apps.workspace import colours


@require_safe
@cache_control(max_age=300)
def stylesheet(request: HttpRequest) -> HttpResponse:
    """Custom properties for the accent, for light and dark pages."""
    stored = Theme.objects.values_list("accent", flat=True).first()
    accent = colours.accent(stored or colours.DEFAULT_ACCENT)
    return render(request, "workspace/theme.css", {"accent": accent}, content_type="text/css")
