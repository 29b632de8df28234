"""The platform's own pages, on the public host."""

from django.urls import path

from apps.tenants import views

app_name = "tenants"
urlpatterns = [
    path("", views.front, name="front"),
    path("healthz", views.healthz, name="healthz"),
]
