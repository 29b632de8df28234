"""One address."""

from django.urls import path

from tests.bench.stock.views import EventCreateView

urlpatterns = [path("api/v1/events", EventCreateView.as_view())]
