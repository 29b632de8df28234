"""Addresses of the mail services' webhooks, on the public host."""

from django.urls import path

from apps.relays import views

app_name = "relays"
urlpatterns = [path("<slug:key>/", views.events, name="events")]
