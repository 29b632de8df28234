"""Addresses on a tenant's host."""

from django.urls import include, path

from apps.common.admin_site import tenant_admin

urlpatterns = [
    path("admin/", tenant_admin.urls),
    path("api/v1/", include("apps.api.urls")),
    path("v1/", include("apps.api.delighted.urls")),
    path("hooks/", include("apps.api.urls_hooks")),
    path("s/", include("apps.responses.urls")),
    path("brand/", include("apps.surveys.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("mail/", include("apps.messaging.urls")),
    path("", include("apps.embed.urls")),
    path("", include("apps.workspace.urls")),
]
