"""How a survey looks, while it is edited and in each of its versions. Nothing is saved, and nothing can be answered."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from csp.constants import NONCE, NONE, SELF
from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from apps.common.admin import BaseAdmin
from apps.common.texts import FALLBACK, base_language
from apps.surveys import definition as survey
from apps.surveys import versions
from apps.surveys.admin.fields import BUILDER
from apps.surveys.admin.questions import kept_instances
from apps.surveys.admin.wording import vocabulary
from apps.surveys.definition import Definition, Value
from apps.surveys.models import Survey, SurveyVersion, Theme
from apps.surveys.pages import render_page, render_thanks
from apps.surveys.sheets import Sheet

MAX_VERSIONS = 50
SCORES = ("", "9", "7", "3")
"""Nothing, a promoter's, a passive's and a detractor's."""
THANKS = "thanks"
_POLICY = {
    "frame-ancestors": [SELF],
    "form-action": [NONE],
    "script-src": [NONE],
    "style-src": [SELF, NONCE],
}


def _framed(view: Callable[..., Any]) -> Callable[..., Any]:
    """Shown within the admin's own pages only; nothing can be sent from it, and no script runs in it."""
    strict: Callable[..., Any] = csp_update({})(csp_replace(_POLICY)(xframe_options_sameorigin(view)))
    return strict


class PreviewPages(BaseAdmin):
    """A preview beside the form, and one of each version."""

    change_form_outer_before_template = "surveys/tools.html"
    change_form_outer_after_template = "surveys/preview.html"

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        look = _framed(self.admin_site.admin_view(self.preview_view))
        old = _framed(self.admin_site.admin_view(self.version_page_view))
        about = self.admin_site.admin_view(self.version_view)
        return [
            path("preview/", look, name=f"{name}_preview"),
            path("<int:survey_id>/versions/<int:number>/page/", old, name=f"{name}_version_page"),
            path("<int:survey_id>/versions/<int:number>/", about, name=f"{name}_version"),
            *super().get_urls(),
        ]

    def may_write(self, request: HttpRequest, obj: Any) -> bool:
        """Whether the form could be saved."""
        allowed = self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)
        return bool(allowed)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """What the page's templates need beyond the form."""
        obj = context.get("original")
        context |= {
            "vocabulary": vocabulary(),
            "versions": list(obj.versions.defer("definition")[:MAX_VERSIONS]) if obj else [],
            "pages": pages_of(_current(obj)),
            **_choices(),
        }
        if self.may_write(request, obj):
            url = reverse(f"{self.admin_site.name}:surveys_survey_preview")
            context["preview_url"] = f"{url}?id={obj.pk}" if obj else url
        return super().render_change_form(request, context, *args, **kwargs)

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """The posted form as a page. Whoever may not save it may not ask either."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        pk = request.GET.get("id")
        obj = self.get_object(request, pk) if pk else None
        if pk and obj is None:
            raise Http404
        if not self.may_write(request, obj):
            raise PermissionDenied
        return shown(request, survey.load(self._document(request, obj)), request.POST)

    def _document(self, request: HttpRequest, obj: Survey | None) -> dict[str, Any]:
        """The survey as the posted form says it; what is not valid yet is left out or as it was."""
        fields = flatten_fieldsets(self.get_fieldsets(request, obj))
        form = self.get_form(request, obj, change=obj is not None, fields=fields)(request.POST, instance=obj)
        form.is_valid()
        formsets, _inlines = self._create_formsets(request, form.instance, change=obj is not None)
        found: dict[str, list[Any]] = {"questions": [], "thanks": []}
        for formset in formsets:
            if formset.prefix in found:
                formset.is_valid()
                found[formset.prefix] = [row for row in kept_instances(formset) if _can_be_shown(row)]
        # In the order of the form: positions are only given to questions that are all valid.
        return versions.document_of(form.instance, found["questions"], found["thanks"])

    # --- versions ---

    def version_view(self, request: HttpRequest, survey_id: int, number: int) -> HttpResponse:
        """A version in its frame."""
        version = self._version(request, survey_id, number)
        definition = versions.definition_of(version)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Version %(number)d of %(survey)s") % {"number": number, "survey": version.survey},
            "opts": self.opts,
            "version": version,
            "media": self.media + BUILDER,
            "page_url": reverse(f"{self.admin_site.name}:surveys_survey_version_page", args=[survey_id, number]),
            "pages": pages_of(definition),
            **_choices(),
        }
        return TemplateResponse(request, "surveys/version.html", context)

    def version_page_view(self, request: HttpRequest, survey_id: int, number: int) -> HttpResponse:
        """One page of a version."""
        return shown(request, versions.definition_of(self._version(request, survey_id, number)), request.GET)

    def _version(self, request: HttpRequest, survey_id: int, number: int) -> SurveyVersion:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = SurveyVersion.objects.select_related("survey").filter(survey=survey_id, number=number)
        version = rows.first()
        if version is None:
            raise Http404
        return version


def _can_be_shown(row: Any) -> bool:
    """A row that somebody has only begun to fill in has no place yet."""
    return not hasattr(row, "kind") or bool(row.kind and row.key and isinstance(row.text, dict))


def _current(obj: Survey | None) -> Definition:
    version = obj.current_version if obj else None
    return versions.definition_of(version) if version else survey.load({})


def _choices() -> dict[str, Any]:
    return {
        "scores": [
            ("", _("nothing answered")),
            ("9", _("promoter (9)")),
            ("7", _("passive (7)")),
            ("3", _("detractor (3)")),
        ],
        "preview_languages": settings.LANGUAGES,
        "preview_language": base_language(get_language() or FALLBACK),
    }


def pages_of(definition: Definition) -> list[tuple[str, str]]:
    """What can be looked at: value and label."""
    pages = [(str(n), _("Page %(number)d") % {"number": n + 1}) for n in range(max(1, len(definition.pages)))]
    return [*pages, (THANKS, _("Thanks"))]


def shown(request: HttpRequest, definition: Definition, asked: Mapping[str, Any]) -> HttpResponse:
    """One page of a survey, answered as far as somebody with this score would have come."""
    if not definition.pages:
        return render(request, "surveys/nothing.html", {"pages": []})
    languages = [code for code, _name in settings.LANGUAGES]
    language = asked.get("_language", "")
    language = language if language in languages else languages[0]
    score = asked.get("_score", "")
    page = asked.get("_page", "")
    number = min(int(page), len(definition.pages) - 1) if page.isdecimal() and len(page) < 4 else 0
    sheet = Sheet(
        definition=definition,
        theme=Theme.objects.first() or Theme(brand_name=_("Your brand")),
        language=language,
        page=number,
        answers=_answered(definition, int(score)) if score in SCORES[1:] else {},
        facts={"response": {"language": language}},
        is_preview=True,
        call_back_url="#",
        nonce=str(request.csp_nonce),  # type: ignore[attr-defined]
    )
    html = render_thanks(sheet) if page == THANKS else render_page(sheet)
    # For the script that offers the pages to choose from.
    note = format_html('<meta name="survey-pages" content="{}"></head>', json.dumps(pages_of(definition)))
    return HttpResponse(html.replace("</head>", note, 1))


def _answered(definition: Definition, score: int) -> dict[str, Value]:
    """The answers of somebody with this score: to the first question, and to the recommendation question."""
    answers: dict[str, Value] = {}
    for question in definition.questions:
        if question.kind == survey.NPS:
            answers[question.key] = score
        elif question is definition.lead:
            low, high = question.bounds
            answers[question.key] = {9: high, 7: 3 if question.kind == survey.CSAT else 4}.get(score, low)
    return answers
