"""The two admin sites. Apps register with the one their tables belong to."""

from collections.abc import Callable
from typing import Any

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.sites import UnfoldAdminSite

# The admin's pages are built with Alpine.js, which compiles the expressions in its attributes (eval), and set
# widths in style attributes. Inline scripts and style elements stay forbidden, as on every other page.
ADMIN_CSP = {"script-src": [UNSAFE_EVAL], "style-src-elem": [SELF], "style-src-attr": [UNSAFE_INLINE]}
_relaxed: Callable[[Any], Callable[..., Any]] = csp_update(ADMIN_CSP)


class _Site(UnfoldAdminSite):
    """Unfold's admin under our Content-Security-Policy."""

    enable_nav_sidebar = True

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        return _relaxed(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if REDIRECT_FIELD_NAME not in request.GET:  # Otherwise LOGIN_REDIRECT_URL, which is the workspace's, applies.
            query = request.GET.copy()
            query[REDIRECT_FIELD_NAME] = reverse(f"{self.name}:index")
            request.GET = query
        login: Callable[..., HttpResponse] = _relaxed(super().login)
        return login(request, extra_context)

    def extra_context(self, context: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        """Colours come from a style sheet: the theme's inline <style> would need a weaker policy."""
        return {**context, "colors": None}


class TenantAdminSite(_Site):
    """Configuration of one tenant, on the tenant's host, for its staff users."""

    settings_name = "UNFOLD"


class OperatorAdminSite(_Site):
    """Tenants, domains and periodic tasks, on the public host, for operators only."""

    settings_name = "UNFOLD_OPERATOR"


tenant_admin = TenantAdminSite(name="admin")
operator_admin = OperatorAdminSite(name="operator")
