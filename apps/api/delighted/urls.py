"""Addresses of the compatible API, each with and without “.json”; nothing here redirects."""

from collections.abc import Callable

from django.http import HttpResponse
from django.urls import re_path
from django.urls.resolvers import URLPattern

from apps.api.delighted import autopilot, base, metrics, people, survey_responses, unsubscribes


def at(pattern: str, view: Callable[..., HttpResponse]) -> URLPattern:
    """One address; ``pattern`` is a regular expression without anchors. Only a literal “.json” is cut off."""
    return re_path(rf"^{pattern}(?:\.json)?\Z", view)


app_name = "delighted"
urlpatterns = [
    at(r"people", people.PEOPLE),
    at(r"people/(?P<who>.+?)/survey_requests/pending", people.PENDING),
    at(r"people/(?P<who>.+?)", people.PERSON),
    at(r"unsubscribes", unsubscribes.UNSUBSCRIBES),
    at(r"bounces", unsubscribes.BOUNCES),
    at(r"autopilot/(?P<platform>email|sms)", autopilot.CONFIGURATION),
    at(r"autopilot/(?P<platform>email|sms)/memberships", autopilot.MEMBERSHIPS),
    at(r"survey_responses", survey_responses.RESPONSES),
    at(r"survey_responses/(?P<number>[^/]+?)", survey_responses.RESPONSE),
    at(r"metrics", metrics.METRICS),
    re_path(r"^.*\.(?P<format>xml|csv|html|txt)\Z", base.unknown),
    re_path(r"^[\s\S]*\Z", base.unknown),
]
