"""Addresses of the respondent's pages, below /s/."""

from django.urls import path

from apps.responses import views

app_name = "responses"
urlpatterns = [
    path("<slug:token>", views.survey, name="survey"),
    path("<slug:token>/thanks", views.thanks, name="thanks"),
]
