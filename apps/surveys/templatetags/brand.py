"""The tenant's brand for pages of apps below that know nothing of themes."""

from typing import Any

from django import template
from django.urls import reverse

from apps.common.colours import text_on
from apps.surveys.mails import current_theme

register = template.Library()


@register.simple_tag
def current_brand() -> dict[str, Any]:
    """Name, colours, logo, imprint and privacy notice, as respondents' pages show them. One query."""
    theme = current_theme()
    return {
        "name": theme.brand_name,
        "accent": theme.accent,
        "on_accent": theme.on_accent or text_on(theme.accent),
        "logo": reverse("surveys:logo", args=[theme.logo_digest]) if theme.logo_digest else "",
        "imprint_url": theme.imprint_url,
        "privacy_url": theme.privacy_url,
        "postal_address": theme.postal_address,
    }
