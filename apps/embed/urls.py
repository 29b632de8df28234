"""Addresses for pages of the tenant's website, at the top of the tenant's host."""

from django.urls import path

from apps.embed import views

app_name = "embed"
urlpatterns = [
    path("embed.js", views.script, name="script"),
    path("embed/ask", views.ask, name="ask"),
    path("embed/closed", views.closed, name="closed"),
]
