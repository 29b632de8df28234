"""A short way in for event intake."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from apps.api import events

VIEWS = {"/api/v1/events": events.event, "/api/v1/events/bulk": events.events}


class IntakeMiddleware:
    """Hands events straight to their view.

    Sessions, languages, CSRF, messages and the Content-Security-Policy mean nothing to a request that
    carries an API key and gets JSON, yet they cost more than taking the event in. What does matter comes
    before this middleware: the tenant, and HTTPS with its headers.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST" or request.path_info not in VIEWS:
            return self.get_response(request)
        response = VIEWS[request.path_info](request)
        response.headers["Content-Length"] = str(len(response.content))
        return response
