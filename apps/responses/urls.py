"""Addresses of the respondent's pages, below /s/."""

from django.urls import path

from apps.responses.views import after, personal, public

app_name = "responses"
urlpatterns = [
    path("open", public.open_page, name="open"),
    path("<slug:token>", personal.survey, name="survey"),
    path("<slug:token>/thanks", personal.thanks, name="thanks"),
    path("<slug:token>/call-back", personal.call_back, name="call_back"),
    path("<slug:token>/opened", personal.opened, name="opened"),
    path("<slug:token>/more", personal.trap, name="trap"),
    path("<slug:key>/kiosk", public.kiosk, name="kiosk"),
    path("call/<slug:token>", after.call, name="call"),
]
