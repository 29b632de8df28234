"""A product page as a shop would have it: the platform knows nothing of it but its origin."""

from hashlib import sha256
from typing import Any

from csp.constants import NONE, SELF
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe

from apps.embed.rules import signature

TENANT = "nordwind"
CUSTOMER = "shop-customer-1"


def demo_secret() -> str:
    """The identity secret of the demo's shop, known to it and to the tenant."""
    return f"rs_{sha256(f'{settings.SECRET_KEY}|demo-shop'.encode()).hexdigest()}"


def platform() -> str:
    """Where the tenant's script is."""
    return f"{settings.PUBLIC_SCHEME}://{TENANT}.{settings.PUBLIC_HOST}"


@require_safe
def product(request: HttpRequest) -> HttpResponse:
    """The page under a strict policy: nothing but its own files, and the three sources that embedding needs."""
    context = {"home": platform(), "customer": CUSTOMER, "signature": signature(demo_secret(), CUSTOMER)}
    # By the address: a shop that asks for consent sets no cookie for its language.
    asked = request.GET.get("lang", "")
    with translation.override(asked if asked in dict(settings.LANGUAGES) else translation.get_language()):
        page = render(request, "demo/shop.html", context)
    page._csp_config = _policy()  # type: ignore[attr-defined]
    return page


def _policy() -> dict[str, Any]:
    home = platform()
    return {
        "default-src": [NONE],
        "img-src": [SELF],
        "style-src": [SELF],
        "script-src": [SELF, home],
        "frame-src": [home],
        "connect-src": [home],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
