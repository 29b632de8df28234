"""REST API v1."""

from django.urls import path

from apps.api import views

app_name = "api"
urlpatterns = [
    path("events", views.events, name="events"),
    path("events/<uuid:event_id>", views.EventView.as_view(), name="event"),
]
