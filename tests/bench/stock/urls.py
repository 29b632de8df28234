"""One address."""

from django.urls import path

from tests.bench.stock.views import EventCreateView, EventsCreateView

urlpatterns = [path("api/v1/events", EventCreateView.as_view()), path("api/v1/events/bulk", EventsCreateView.as_view())]
