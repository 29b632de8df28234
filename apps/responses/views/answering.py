"""From a posted page to what is stored, and on to the next page."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.responses import forms
from apps.responses.finding import Found
from apps.responses.services import InvalidAnswerError, Submission
from apps.responses.suspicion import Act, suspicions
from apps.responses.views import showing
from apps.surveys.definition import Answers, next_page, passed_over, walk


def is_draft(request: HttpRequest) -> bool:
    """Whether the page's script saves the first answer while the respondent is still reading."""
    return request.POST.get("save") == "1"


def read(
    request: HttpRequest, found: Found, number: int, act: Act, channel: str, made_at: datetime | None
) -> tuple[Submission, int | None]:
    """The submission in a posted page, and the page that follows it; None: nothing is left to ask.

    Raises InvalidAnswerError.
    """
    language = showing.language_of(request, found)
    facts = {**found.facts, "response": {"language": language}}
    following: int | None
    if is_draft(request):
        answers, cleared = _first_answer(request, found), frozenset[str]()
        said = {**found.answers, **answers}
        following = 0 if any(q.key not in said for q in walk(found.definition, said, facts)) else None
    else:
        page = forms.read_page(request.POST, found.definition, page=number, given=found.answers, facts=facts)
        answers, cleared = page.answers, page.cleared
        together = {key: value for key, value in {**found.answers, **answers}.items() if key not in cleared}
        following = passed_over(found.definition, together, facts, number)
        if following is None:
            following = next_page(found.definition, together, facts, number)
    submission = Submission(
        answers=answers,
        cleared=cleared,
        locale=language,
        is_partial=following is not None,
        is_draft=is_draft(request),
        page_made_at=made_at,
        version_id=found.version_id,
        suspicions=suspicions(act),
        channel=channel,
    )
    return submission, following


def _first_answer(request: HttpRequest, found: Found) -> Answers:
    """The lead's answer only: words are saved when they are sent."""
    lead = found.definition.lead
    page, errors = forms.read_fields(request.POST, found.definition)
    if lead is None or lead.key not in page.answers:
        raise InvalidAnswerError(errors or {"score": "missing"})
    return {lead.key: page.answers[lead.key]}


def go_on(request: HttpRequest, token: str, following: int | None, language: str) -> HttpResponse:
    """To the next page of questions, or to the thanks."""
    if following is None:
        return HttpResponseRedirect(showing.where(request, "thanks", token, lang=language), status=303)
    where = showing.where(request, "survey", token, lang=language, page=str(following))
    return HttpResponseRedirect(where, status=303)
