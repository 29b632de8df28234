"""Addresses that other tools send messages to. Those with a slash at the end are pages about them."""

from django.urls import path

from apps.api import hooks

app_name = "hooks"
urlpatterns = [path("<str:token>", hooks.receive, name="receive")]
