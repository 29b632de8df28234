"""The tenant's addresses and the yardsticks."""

from django.urls import path

from config.urls_tenant import urlpatterns as tenant_urls
from tests.bench.pages import views

urlpatterns = [path("hello", views.hello), path("bare/<str:token>", views.bare), *tenant_urls]
