"""Addresses that mails carry, below /mail/."""

from django.urls import path

from apps.messaging import views

app_name = "messaging"
urlpatterns = [
    path("u/<str:token>", views.unsubscribe, name="unsubscribe"),
    path("u/<str:token>/preferences", views.preferences, name="preferences"),
    path("u/<str:token>/again", views.again, name="again"),
    path("confirm/<str:token>", views.confirm, name="confirm"),
]
