"""Addresses on the public host: the platform's front page, operators' admin, the API for any tenant."""

from django.conf import settings
from django.urls import include, path

from apps.common.admin_site import operator_admin
from apps.relays import views as relay_views

urlpatterns = [
    path("admin/", operator_admin.urls),
    path("api/v1/", include("apps.api.urls")),
    path("v1/", include("apps.api.delighted.urls")),
    path("mail/events/", include("apps.relays.urls")),
    path("mail/inbound/<slug:key>/", relay_views.inbound),
    path("sms/", include("apps.messaging.sms.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("apps.tenants.urls")),
]

if settings.MAILDIR is not None:
    urlpatterns.append(path("mailbox/", include("apps.messaging.mailbox_urls")))
    urlpatterns.append(path("shop/", include("apps.embed.shop_urls")))
