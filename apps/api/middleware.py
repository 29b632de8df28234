"""A short way in for event intake."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from apps.api.views import events

EVENTS_PATH = "/api/v1/events"


class IntakeMiddleware:
    """Hands an event straight to its view.

    Sessions, languages, CSRF, messages and the Content-Security-Policy mean nothing to a request that
    carries an API key and gets JSON, yet they cost more than taking the event in. What does matter comes
    before this middleware: the tenant, and HTTPS with its headers.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info != EVENTS_PATH:
            return self.get_response(request)
        response = events(request)
        response.headers["Content-Length"] = str(len(response.content))
        return response
