"""Addresses of a tenant's own pictures, below /brand/."""

from django.urls import path

from apps.surveys import views

app_name = "surveys"
urlpatterns = [path("<str:digest>", views.logo, name="logo")]
