"""A campaign's versions: who published what when, how they differ, who runs through them, and moving on purpose."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.campaigns import sentences, standing, versions
from apps.campaigns.models import Campaign, CampaignVersion, Enrolment
from apps.campaigns.names import Names
from apps.campaigns.picture import Card, Mark, draw, flat
from apps.common.admin import BaseAdmin

MAX_VERSIONS = 50
BATCH = 1_000
MOST_BATCHES = 20
END = "__end"


class VersionPages(BaseAdmin):
    """Pages beside the editor's."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/versions/", view(self.versions_view), name="campaigns_campaign_versions"),
            path("<int:pk>/versions/<int:number>/", view(self.version_view), name="campaigns_campaign_version"),
            path("<int:pk>/versions/<int:number>/move/", view(self.move_view), name="campaigns_campaign_move"),
        ]
        return [*own, *super().get_urls()]

    def _campaign(self, request: HttpRequest, pk: int) -> Campaign:
        rows = Campaign.objects.select_related("current_version", "survey", "touchpoint", "contact_segment")
        campaign = rows.filter(pk=pk).first() if pk < 2**63 else None
        if campaign is None:
            raise Http404
        if not self.has_view_or_change_permission(request, campaign):
            raise PermissionDenied
        return campaign

    def _url(self, name: str, *args: Any) -> str:
        return reverse(f"{self.admin_site.name}:campaigns_campaign_{name}", args=args)

    def _page(self, request: HttpRequest, template: str, title: str, campaign: Campaign, **more: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "campaign": campaign,
            "original": campaign,
            "may_move": self.has_change_permission(request, campaign),
            **more,
        }
        return TemplateResponse(request, f"campaigns/{template}.html", context)

    def versions_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """All versions, the newest first. Nine queries, however many there are."""
        campaign = self._campaign(request, pk)
        names, waiting = Names.load(), standing.waiting(campaign)
        rows = list(campaign.versions.select_related("published_by").order_by("-number")[: MAX_VERSIONS + 1])
        before = [*rows[1:], None][: len(rows)]
        shown = [
            {
                "version": row,
                "is_current": row.pk == campaign.current_version_id,
                "steps": len(list(flat(draw(row.document, names)))),
                "differences": standing.differences(older.document, row.document, names) if older else None,
                "running": sum(waiting.get(row.pk, {}).values()),
            }
            for row, older in list(zip(rows, before, strict=True))[:MAX_VERSIONS]
        ]
        current = campaign.current_version
        pending = standing.differences(current.document, campaign.draft, names) if current else None
        title = _("Versions of “%(name)s”") % {"name": campaign.name}
        return self._page(request, "versions", title, campaign, shown=shown, pending=pending)

    def version_view(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """One version as a picture, with how many wait where."""
        campaign = self._campaign(request, pk)
        version, names = _version(campaign, number), Names.load()
        waiting = standing.waiting(campaign).get(version.pk, {})
        cards = draw(version.document, names, _marks(waiting))
        title = _("“%(name)s”, version %(number)d") % {"name": campaign.name, "number": version.number}
        start, running = sentences.entry(campaign, names), sum(waiting.values())
        return self._page(
            request, "version", title, campaign, version=version, cards=cards, start=start, running=running
        )

    def move_view(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """Move who runs through an old version to the current one: for each step that is gone, where to go on."""
        campaign = self._campaign(request, pk)
        if not self.has_change_permission(request, campaign):
            raise PermissionDenied
        source, target = _version(campaign, number), campaign.current_version
        if target is None or source.pk == target.pk:
            return HttpResponseRedirect(self._url("versions", campaign.pk))
        names = Names.load()
        waiting = standing.waiting(campaign).get(source.pk, {})
        there = list(flat(draw(target.document, names)))
        places = _Places(waiting, list(flat(draw(source.document, names))), there, request.POST)
        if request.method == "POST" and not places.missing:
            self._move(request, source, target, places.chosen)
            return HttpResponseRedirect(self._url("versions", campaign.pk))
        title = _("Move from version %(old)d to version %(new)d") % {"old": source.number, "new": target.number}
        return self._page(
            request, "move", title, campaign, source=source, target=target, places=places, there=there, end=END,
            running=sum(waiting.values()),
        )  # fmt: skip

    def _move(
        self, request: HttpRequest, source: CampaignVersion, target: CampaignVersion, places: dict[str, str | None]
    ) -> None:
        """In batches, each in a transaction of its own: what stops in between has moved some, and can go on."""
        now = timezone.now()
        moved = 0
        try:
            for _batch in range(MOST_BATCHES):
                count = versions.move(source=source, target=target, places=places, now=now, limit=BATCH)
                moved += count
                if count < BATCH:
                    break
        except versions.UnknownStepError:
            text = _("Meanwhile somebody got to another step that version %d does not have. Choose again.")
            self.message_user(request, text % target.number, messages.WARNING)
        ended = Enrolment.objects.filter(version=target, end_reason="moved", ended_at=now).count()
        text = ngettext("%(count)d contact moved, %(ended)d of them ended.",
                        "%(count)d contacts moved, %(ended)d of them ended.", moved)  # fmt: skip
        self.message_user(request, text % {"count": moved, "ended": ended})
        self.log_change(request, target.campaign, text % {"count": moved, "ended": ended})
        if moved >= BATCH * MOST_BATCHES:
            self.message_user(request, _("There may be more: move again to go on."), messages.WARNING)


class _Places:
    """Where those who wait at a step go on, as the form says it."""

    def __init__(self, waiting: dict[str, int], old: list[Card], there: list[Card], posted: Any) -> None:
        known, wanted = {card.key: card for card in there}, {card.key: card for card in old}
        self.kept = [(known[key], count) for key, count in waiting.items() if key in known]
        self.chosen: dict[str, str | None] = {}
        self.rows: list[dict[str, Any]] = []
        self.missing = False
        for key, count in waiting.items():
            if key in known:
                continue
            value = posted.get(f"place-{key}", "")
            is_right = value == END or value in known
            if is_right:
                self.chosen[key] = None if value == END else value
            self.missing = self.missing or not is_right
            error = "" if is_right or not posted else _("Choose where to go on.")
            self.rows.append({"key": key, "card": wanted.get(key), "count": count, "value": value, "error": error})


def _version(campaign: Campaign, number: int) -> CampaignVersion:
    found = campaign.versions.select_related("published_by").filter(number=number).first() if number < 2**31 else None
    if found is None:
        raise Http404
    return found


def _marks(waiting: dict[str, int]) -> dict[str, Mark]:
    return {
        key: Mark("waiting", ngettext("%(count)d waits here", "%(count)d wait here", count) % {"count": count})
        for key, count in waiting.items()
    }
