"""The page a respondent sees. GET shows, POST stores; nothing else does."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.common import limits
from apps.common.colours import text_on
from apps.common.segments import segment_of
from apps.common.texts import localized
from apps.responses import services
from apps.responses.forms import RATING_PREFIX, read_submission, sentence
from apps.surveys.mails import current_theme, language_of
from apps.surveys.models import Invitation, Question

MAX_WRONG_LINKS = 30


def _closed(request: HttpRequest, status: int) -> HttpResponse:
    """The one answer to links that lead nowhere, whatever the reason."""
    return render(request, "survey/closed.html", {"theme": current_theme()}, status=status)


def _language(request: HttpRequest, invitation: Invitation) -> str:
    asked = request.GET.get("lang", "")
    if asked in dict(settings.LANGUAGES):
        return asked
    return language_of(invitation.contact, translation.get_language_from_request(request))


def _find(request: HttpRequest, token: str) -> Invitation | HttpResponse:
    invitation = services.invitation_for(token=token)
    if invitation is None:
        # Right links always work: guessers must not lock out those who share their address (a proxy, an office).
        if limits.count(request, "wrong-link") > MAX_WRONG_LINKS:
            return HttpResponse("Too many requests. Try again in a minute.", status=429, headers={"Retry-After": "60"})
        return _closed(request, 404)
    if invitation.link_expires_at and invitation.link_expires_at < timezone.now():
        return _closed(request, 410)
    return invitation


# The token in the address is the authority, no cookie is involved: a CSRF token would only get in
# the way of respondents who block cookies.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def survey(request: HttpRequest, token: str) -> HttpResponse:
    """Show the survey, or store what was posted and go on to the thanks."""
    found = _find(request, token)
    if isinstance(found, HttpResponse):
        return found
    questions = list(Question.objects.filter(survey_id=found.survey_id))
    language = _language(request, found)
    with translation.override(language):
        if request.method != "POST":
            return _form(request, found, questions, language)
        try:
            submission = read_submission(request.POST, questions, language)
            services.submit(invitation_id=found.pk, submission=submission, now=timezone.now())
        except services.InvalidAnswerError as error:
            return _form(request, found, questions, language, error.errors)
    return HttpResponseRedirect(reverse("responses:thanks", args=[token]) + f"?lang={language}", status=303)


@require_http_methods(["GET", "HEAD"])
def thanks(request: HttpRequest, token: str) -> HttpResponse:
    """Thank for the answer; offer to change it."""
    found = _find(request, token)
    if isinstance(found, HttpResponse):
        return found
    response = getattr(found, "response", None)
    if response is None:
        return HttpResponseRedirect(reverse("responses:survey", args=[token]))
    language = _language(request, found)
    with translation.override(language):
        context = {"response": response, "segment": segment_of(response.score), "token": token}
        return _render(request, "survey/thanks.html", context, language)


def _form(
    request: HttpRequest,
    invitation: Invitation,
    questions: list[Question],
    language: str,
    errors: dict[str, str] | None = None,
) -> HttpResponse:
    """The form as it stands: what was posted, else what was answered before, else the score of the link."""
    given = _given(request, invitation)
    context: dict[str, Any] = {
        "touchpoint": localized(invitation.touchpoint.name, language) if invitation.touchpoint else "",
        "scores": [str(n) for n in range(11)],
        "grades": [str(n) for n in range(1, 6)],
        "given": given,
        "answered": hasattr(invitation, "response"),
        "errors": {field: sentence(code) for field, code in (errors or {}).items()},
        "ratings": [],
    }
    for question in questions:
        text = localized(question.text, language)
        if question.kind == Question.Kind.NPS:
            context["question"] = text
        elif question.kind == Question.Kind.COMMENT:
            worded = {
                "promoter": localized(question.text_promoter, language) or text,
                "passive": localized(question.text_passive, language) or text,
                "detractor": localized(question.text_detractor, language) or text,
            }
            context["comment"] = {"text": text, **worded}
        else:
            name = RATING_PREFIX + question.key
            context["ratings"].append({"name": name, "text": text, "value": given.get(name, "")})
    return _render(request, "survey/page.html", context, language, status=422 if errors else 200)


def _given(request: HttpRequest, invitation: Invitation) -> dict[str, str]:
    if request.method == "POST":
        return {name: str(value) for name, value in request.POST.items()}
    response = getattr(invitation, "response", None)
    given = {}
    if response is not None:
        given = {"score": str(response.score), "comment": response.comment}
        answers = response.answers.select_related("question")
        given |= {RATING_PREFIX + answer.question.key: str(answer.value) for answer in answers}
    asked = request.GET.get("score", "")
    if asked in {str(n) for n in range(11)}:
        given["score"] = asked
    return given


def _render(
    request: HttpRequest, template: str, context: dict[str, Any], language: str, status: int = 200
) -> HttpResponse:
    theme = current_theme()
    page = {**context, "theme": theme, "on_accent": text_on(theme.accent), "language": language}
    answer = render(request, template, page, status=status)
    answer["Cache-Control"] = "private, no-store"
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    answer["Content-Language"] = language
    return answer
