"""A survey is begun with a template from the library."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold.decorators import action

from apps.common.admin import BaseAdmin
from apps.common.texts import FALLBACK, base_language, localized
from apps.surveys import library
from apps.surveys.library import Entry
from apps.surveys.models import Question, Survey, ThankYou

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Card:
    """A template as it is offered, in one language."""

    key: str
    name: str
    touchpoint: str
    about: str
    begins_with: str
    questions: list[dict[str, Any]]
    thanks: list[dict[str, Any]]


class LibraryPages(BaseAdmin):
    """A page of templates, with a way to it from the list."""

    actions_list = ("library_page",)
    list_before_template = "surveys/library_hint.html"

    def get_urls(self) -> list[URLPattern]:
        make = self.admin_site.admin_view(self.from_library_view)
        return [path("library/create/", make, name="surveys_survey_from_library"), *super().get_urls()]

    @action(
        description=gettext_lazy("New from a template"), url_path="library", icon="library_add", permissions=["add"]
    )
    def library_page(self, request: HttpRequest) -> HttpResponse:
        """All templates as cards, in the language that is asked for."""
        languages = dict(settings.LANGUAGES)
        wanted = request.GET.get("lang", "")
        language = wanted if wanted in languages else base_language(get_language() or FALLBACK)
        context = {
            **self.admin_site.each_context(request),
            "title": _("New from a template"),
            "opts": self.opts,
            "cards": [card(entry, language) for entry in library.entries()],
            "languages": languages.items(),
            "chosen": language,
        }
        return TemplateResponse(request, "surveys/library.html", context)

    def from_library_view(self, request: HttpRequest) -> HttpResponse:
        """Make a survey of the posted template and lead to it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_add_permission(request):
            raise PermissionDenied
        entry = library.entry(request.POST.get("entry", ""))
        if entry is None:
            raise Http404
        survey = _create(entry, request.user.get_username())
        self.log_addition(request, survey, [{"added": {}}])
        self.message_user(request, _created())
        name = f"{self.admin_site.name}:surveys_survey"
        may_open = self.has_view_or_change_permission(request, survey)
        target = reverse(f"{name}_change", args=[survey.pk]) if may_open else reverse(f"{self.admin_site.name}:index")
        return HttpResponseRedirect(target)


def _created() -> str:
    return _(
        "The survey is ready to be used. Change it as you like; a button to your page at a review site can be added to "
        "the thank-you page for promoters."
    )


def _create(entry: Entry, by: str) -> Survey:
    """Two may take the same template at the same moment: whoever comes second gets the next key."""
    for left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                return library.create(entry.key, library.free_key(entry.key), timezone.now(), by=by)
        except IntegrityError:
            if not left:
                raise
    raise AssertionError


def card(entry: Entry, language: str) -> Card:
    """The template's texts in one language."""
    kinds, segments = dict(Question.Kind.choices), dict(ThankYou.Segment.choices)

    def in_words(row: dict[str, Any]) -> dict[str, Any]:
        options = [localized(option["text"], language) for option in row.get("options", ())]
        kind = kinds[row["kind"]]
        return {
            "text": localized(row["text"], language),
            "kind": kind,
            "options": options,
            "is_conditional": "show_if" in row,
        }

    def last_page(segment: str, row: dict[str, Any]) -> dict[str, Any]:
        texts = {name: localized(row[name], language) for name in ("heading", "text")}
        return {"for": segments[segment], "calls": row.get("offers_call_back", False), **texts}

    return Card(
        key=entry.key,
        name=localized(entry.name, language),
        touchpoint=localized(entry.touchpoint, language),
        about=localized(entry.about, language),
        begins_with=str(kinds[entry.questions[0]["kind"]]),
        questions=[in_words(row) for row in entry.questions],
        thanks=[last_page(segment, row) for segment, row in entry.thanks.items()],
    )
