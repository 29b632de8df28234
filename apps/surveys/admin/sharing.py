"""A public survey is passed on: link, QR code, poster, kiosk, and a row of scores for somebody else's e-mail."""

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import segno
from csp.constants import NONCE, NONE, SELF
from csp.decorators import csp_replace
from django import forms
from django.conf import settings
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.common.admin import BaseAdmin
from apps.common.colours import text_on
from apps.common.texts import base_language, localized
from apps.surveys import versions
from apps.surveys.definition import Definition, Question, load
from apps.surveys.mails import current_theme
from apps.surveys.models import Survey
from apps.surveys.sharing import Links, code, html_row, plain_row
from apps.touchpoints.models import Touchpoint

MAX_VALUE = 100
BOTH = "both"
PAPER = {"a4": "A4", "a5": "A5", "letter": "Letter"}
_PREFIX = "p-"
# What the respondents' pages read for themselves.
_RESERVED = frozenset({"touchpoint", "lang", "score", "page", "embed", "k"})
_SCRIPTS: Any = [forms.Script("surveys/share.js", defer=True)]
_MEDIA = forms.Media(css={"all": ["surveys/share.css"]}, js=_SCRIPTS)
# The poster's paper and colour depend on the request: a style element with a nonce.
_styled: Callable[[Any], Callable[..., Any]] = csp_replace(
    {"style-src-elem": [SELF, NONCE], "frame-ancestors": [NONE], "form-action": [SELF]}
)


class ShareForm(forms.Form):
    """What the address is to carry. Sent by GET, so that a page can be kept as a bookmark."""

    def __init__(self, survey: Survey, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = [(row.key, str(row)) for row in Touchpoint.objects.filter(is_active=True)]
        self.fields["touchpoint"] = _select(_("Touchpoint"), [("", _("none")), *places])
        self.names = [str(name) for name in survey.public_properties if name not in _RESERVED]
        for name in self.names:
            self.fields[_PREFIX + name] = forms.CharField(
                label=name, required=False, max_length=MAX_VALUE, widget=UnfoldAdminTextInputWidget()
            )
        languages = [(code, str(label)) for code, label in settings.LANGUAGES]
        self.fields["lang"] = _select(_("Language"), [("", _("the reader's own")), *languages])

    def query(self) -> dict[str, str]:
        """What stands behind the address; wrong values are left out and told at their fields."""
        self.full_clean()
        given = self.cleaned_data if self.is_bound else {}
        names = {"touchpoint": "touchpoint", **{_PREFIX + name: name for name in self.names}, "lang": "lang"}
        return {name: given[field] for field, name in names.items() if given.get(field)}


def _select(label: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=choices, widget=UnfoldAdminSelectWidget())


class SharePages(BaseAdmin):
    """The page that passes a survey on, with its QR code and its poster."""

    actions_detail = ("share_page",)

    def get_urls(self) -> list[URLPattern]:
        views = {
            "qr.svg": self.qr_svg_view,
            "qr.png": self.qr_png_view,
            "poster/": _styled(self.poster_view),
        }
        own = [
            path(
                f"<path:object_id>/share/{end}",
                self.admin_site.admin_view(view),
                name=f"surveys_survey_share_{end.strip('/').replace('.', '_')}",
            )
            for end, view in views.items()
        ]
        return [*own, *super().get_urls()]

    @action(description=gettext_lazy("Share"), url_path="share", icon="share", permissions=["view"])
    def share_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        survey = self._shared(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Share: %(survey)s") % {"survey": survey},
            "opts": self.opts,
            "original": survey,
            "survey": survey,
            "media": _MEDIA,
            "may_change": self.has_change_permission(request, survey),
            "is_closed": _is_closed(survey),
        }
        if survey.is_public:
            context |= self._offers(request, survey)
        return TemplateResponse(request, "surveys/share.html", context)

    def _offers(self, request: HttpRequest, survey: Survey) -> dict[str, Any]:
        form = ShareForm(survey, request.GET or None)
        links = _links(request, survey, form)
        lead = _definition(survey).lead
        language = form.query().get("lang") or base_language(translation.get_language() or settings.LANGUAGE_CODE)
        snippet = html_row(lead, links, current_theme(), language) if lead else ""
        return {
            "form": form,
            "links": links,
            "query": _own_query(form),
            "has_code": code(links.page) is not None,
            "snippet": snippet,
            "snippet_size": len(snippet.encode()),
            "plain": plain_row(lead, links, language) if lead else "",
            "papers": PAPER.items(),
        }

    def qr_svg_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The code as a drawing, for the page and for print."""
        buffer = io.BytesIO()
        survey = self._public(request, object_id)
        self._qr(request, survey).save(buffer, kind="svg", scale=8, border=4, light="#ffffff", xmldecl=True)
        return _file(buffer, "image/svg+xml", f"{survey.key}.svg", request)

    def qr_png_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The code as a picture with large dots."""
        buffer = io.BytesIO()
        survey = self._public(request, object_id)
        self._qr(request, survey).save(buffer, kind="png", scale=20, border=4)
        return _file(buffer, "image/png", f"{survey.key}.png", request)

    def poster_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One sheet of paper to hang up."""
        survey = self._public(request, object_id)
        form = ShareForm(survey, request.GET)
        wanted = request.GET.get("poster", BOTH)
        codes = [code for code, _label in settings.LANGUAGES if wanted in (code, BOTH)]
        theme, paper = current_theme(), request.GET.get("paper", "")
        lead = _definition(survey).lead
        if lead is None or not codes:
            raise Http404
        # Who wrote the question in one language gets a poster in that one.
        codes = [code for code in codes if lead.text.get(code)] or codes[:1]
        sheets = [_words(lead, code) for code in codes]
        context = {
            "survey": survey,
            "theme": theme,
            "length": _length(sum(len(sheet["question"]) for sheet in sheets)),
            "on_accent": theme.on_accent or text_on(theme.accent),
            "paper": paper if paper in PAPER else "a4",
            "papers": PAPER.items(),
            "wanted": wanted,
            "languages": [*settings.LANGUAGES, (BOTH, gettext_lazy("both"))],
            "sheets": sheets,
            "links": _links(request, survey, form),
            "query": _own_query(form),
            "share_url": reverse(f"{self.admin_site.name}:surveys_survey_share_page", args=[survey.pk]),
        }
        return TemplateResponse(request, "surveys/poster.html", context)

    def _shared(self, request: HttpRequest, object_id: str) -> Survey:
        survey: Survey | None = self.get_object(request, unquote(object_id))
        if survey is None:
            raise Http404
        if not self.has_view_permission(request, survey):
            raise PermissionDenied
        return survey

    def _public(self, request: HttpRequest, object_id: str) -> Survey:
        survey = self._shared(request, object_id)
        if not survey.is_public:
            raise Http404
        return survey

    def _qr(self, request: HttpRequest, survey: Survey) -> segno.QRCode:
        found = code(_links(request, survey, ShareForm(survey, request.GET)).page)
        if found is None:
            raise Http404
        return found


def _links(request: HttpRequest, survey: Survey, form: ShareForm) -> Links:
    """Addresses on the tenant's host: the one that the admin was opened on."""
    return Links(request.build_absolute_uri(f"/s/{survey.key}"), form.query())


def _own_query(form: ShareForm) -> str:
    """The form's values again, for the addresses of code and poster."""
    query = form.query()
    return urlencode({(name if name in _RESERVED else _PREFIX + name): value for name, value in query.items()})


def _file(buffer: io.BytesIO, content_type: str, name: str, request: HttpRequest) -> HttpResponse:
    answer = HttpResponse(buffer.getvalue(), content_type=content_type)
    answer["Cache-Control"] = "private, max-age=300"
    if "download" in request.GET:
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _definition(survey: Survey) -> Definition:
    """What respondents see; of a survey that was never published, what is saved."""
    version = survey.current_version
    return versions.definition_of(version) if version else load(versions.current_document(survey))


def _is_closed(survey: Survey) -> bool:
    over = survey.closes_at is not None and survey.closes_at <= timezone.now()
    return over or not survey.is_active or survey.archived_at is not None


def _length(characters: int) -> str:
    """How small the poster has to write the question."""
    return next((word for most, word in ((100, ""), (260, "long"), (450, "longer")) if characters <= most), "longest")


def _words(lead: Question, language: str) -> dict[str, str]:
    """The poster's sentences in one language."""
    with translation.override(language):
        return {
            "language": language,
            "question": localized(lead.text, language),
            "scan": _("Scan the code and answer in a minute."),
            "type": _("Or type this address:"),
        }
