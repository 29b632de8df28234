"""Addresses that mails carry, below /mail/."""

from django.urls import path

from apps.messaging import views

app_name = "messaging"
urlpatterns = [path("u/<str:token>", views.unsubscribe, name="unsubscribe")]
