"""Addresses of the text messages' webhooks, on the public host."""

from django.urls import path

from apps.messaging.sms import views

app_name = "sms"
urlpatterns = [path("events/", views.events, name="events"), path("inbound/", views.inbound, name="inbound")]
