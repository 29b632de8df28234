"""What the sequence editor asks while somebody writes: sentences for the cards, and what is still wrong."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.campaigns import problems, sentences, versions
from apps.campaigns.models import Campaign
from apps.campaigns.names import Names
from apps.campaigns.picture import draw, flat
from apps.campaigns.sequence import Problem
from apps.triggers.admin.live import DraftPage, faults


def found_problems(campaign: Campaign, names: Names) -> list[Problem]:
    """All that keeps the draft of a campaign from being published."""
    document = campaign.draft
    wrong = versions.problems(document=document, stops_on_response=campaign.stop_on_response)
    return wrong + problems.gone(document, names)


def described(campaign: Campaign, names: Names) -> dict[str, Any]:
    """The draft in words, as JSON for the editor."""
    cards = list(flat(draw(campaign.draft, names)))
    wrong = found_problems(campaign, names)
    return {
        "start": sentences.entry(campaign, names),
        "goal": sentences.goal(campaign),
        "cards": {card.key: {"text": card.text, "notes": card.notes} for card in cards},
        "problems": [
            {"key": told.key, "setting": told.setting, "text": told.text, "step": told.step}
            for told in problems.tell(wrong, cards)
        ],
        "places": problems.condition_places(wrong),
    }


class LiveSequence(DraftPage):
    """The form as it stands, in words."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.live_view))
        return [path("live/", view, name="campaigns_campaign_live"), *super().get_urls()]

    def asked(self, request: HttpRequest) -> tuple[Any, Any]:
        """The posted form, with what there is of it so far. Whoever may not save it may not ask either."""
        pk = request.GET.get("id")
        obj = self.get_object(request, pk) if pk else None
        if pk and obj is None:
            raise Http404
        if not self.may_write(request, obj):
            raise PermissionDenied
        form = self.draft(request, obj)
        form.is_valid()
        return form, form.instance

    def live_view(self, request: HttpRequest) -> HttpResponse:
        """Sentences, problems of the steps, and what is missing or wrong in the settings."""
        form, campaign = self.asked(request)
        missing, wrong = faults(form)
        if missing:
            wrong = [_("Still missing: %(fields)s.") % {"fields": ", ".join(missing)}, *wrong]
        found = described(_as_written(form, campaign), Names.load())
        found["problems"] += [{"key": "", "setting": "", "text": text, "step": ""} for text in wrong]
        places = form.fields["condition"].widget.places
        return JsonResponse({**found, "unreadable": "draft" in form.errors, "condition": places})

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        context = super().page_context(request, obj)
        if self.may_write(request, obj):
            base = f"{self.admin_site.name}:campaigns_campaign_"
            query = f"?id={obj.pk}" if obj else ""
            context |= {f"{word}_url": reverse(base + word) + query for word in ("live", "mail", "trial")}
        return context


def _as_written(form: Any, campaign: Campaign) -> Campaign:
    """Django leaves out of the instance all that does not fit together; the sentence is about what does."""
    for name in ("segment", "entry", "goal", "goal_days", "survey", "touchpoint", "contact_segment", "goal_touchpoint",
                 "stop_on_response"):  # fmt: skip
        if name in form.cleaned_data:
            setattr(campaign, name, form.cleaned_data[name])
    if "draft" in form.errors:
        campaign.draft = {"steps": []}
    return campaign
