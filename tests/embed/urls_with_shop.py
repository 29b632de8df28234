"""The public host's addresses as they are where a demo runs."""

from django.urls import include, path

from config.urls_public import urlpatterns as public

urlpatterns = [*public, path("shop/", include("apps.embed.shop_urls"))]
