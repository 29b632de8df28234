"""A campaign is begun with a ready-made one: its form asks for what the template needs, and makes a draft of it."""

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold.decorators import action

from apps.campaigns import library, problems
from apps.campaigns.admin.library_form import LibraryForm
from apps.campaigns.library import Entry
from apps.campaigns.library.start import start
from apps.campaigns.models import Campaign
from apps.campaigns.sequence import SequenceError
from apps.common.admin import BaseAdmin
from apps.common.texts import FALLBACK, base_language, localized


class LibraryPages(BaseAdmin):
    """A page of templates, and a form for each, with a way to them from the list."""

    actions_list = ("library_page",)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.from_library_view)
        return [path("library/<slug:key>/", view, name="campaigns_campaign_from_library"), *super().get_urls()]

    @action(
        description=gettext_lazy("Start from a template"), url_path="library", icon="library_add", permissions=["add"]
    )
    def library_page(self, request: HttpRequest) -> HttpResponse:
        """All templates as cards, in the language that is asked for."""
        languages, language = dict(settings.LANGUAGES), _language(request)
        more = {
            "cards": [_card(entry, language) for entry in library.entries()],
            "languages": languages.items(),
            "chosen": language,
        }
        return self._library(request, "library", _("Start from a template"), more)

    def from_library_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Ask for what the template needs; make a campaign of it that does nothing yet, and lead to its editor."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        entry = library.entry(key)
        if entry is None:
            raise Http404
        name = localized(entry.name, base_language(get_language() or FALLBACK))
        form = LibraryForm(entry, request.POST if request.method == "POST" else None, initial={"name": name})
        if form.is_valid() and (campaign := _start(entry, form)) is not None:
            self.log_addition(request, campaign, [{"added": {}}])
            self.message_user(request, _("The campaign is a draft: look at its steps, publish it, and switch it on."))
            return HttpResponseRedirect(self._target(request, campaign))
        more = {"form": form, "card": _card(entry, base_language(get_language() or FALLBACK))}
        return self._library(request, "library_form", name, more, status=422 if form.is_bound else 200)

    def _target(self, request: HttpRequest, campaign: Campaign) -> str:
        if self.has_view_or_change_permission(request, campaign):
            return reverse(f"{self.admin_site.name}:campaigns_campaign_change", args=[campaign.pk])
        return reverse(f"{self.admin_site.name}:index")

    def _library(
        self, request: HttpRequest, template: str, title: str, more: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **more}
        return TemplateResponse(request, f"campaigns/{template}.html", context, status=status)


def _start(entry: Entry, form: LibraryForm) -> Campaign | None:
    """The campaign; None if what was filled in makes none, which the form tells then."""
    try:
        return start(entry_key=entry.key, name=form.cleaned_data["name"], choices=form.choices())
    except SequenceError as error:
        for text in dict.fromkeys(problems.sentence(problem) for problem in error.problems):
            form.add_error(None, text)
    except ValidationError as error:
        for text in error.messages:
            form.add_error(None, text)
    return None


def _language(request: HttpRequest) -> str:
    wanted = request.GET.get("lang", "")
    return wanted if wanted in dict(settings.LANGUAGES) else base_language(get_language() or FALLBACK)


def _card(entry: Entry, language: str) -> dict[str, Any]:
    """A template as it is offered, in one language."""
    texts = {name: localized(getattr(entry, name), language) for name in ("name", "when", "about")}
    return {"key": entry.key, "language": language, **texts}
