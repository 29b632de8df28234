"""A sample shop of the demo tenant Nordwind, on the public host, only where a demo runs."""

from django.urls import path

from apps.embed import shop_views

app_name = "shop"
urlpatterns = [path("", shop_views.product, name="product")]
