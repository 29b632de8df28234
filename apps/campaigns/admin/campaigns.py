"""Campaigns: the list, and the page with settings, sequence, and versions."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import NestedObjects
from django.db import models, router
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from apps.campaigns import sentences, standing, versions
from apps.campaigns.admin.forms import CampaignForm, DraftField, EntryWidget, SequenceWidget
from apps.campaigns.admin.library import LibraryPages
from apps.campaigns.admin.live import found_problems
from apps.campaigns.admin.mail import MailPages
from apps.campaigns.admin.versions import VersionPages
from apps.campaigns.models import Campaign
from apps.campaigns.names import Names
from apps.campaigns.picture import draw
from apps.campaigns.sequence import SequenceError
from apps.common.admin_site import tenant_admin
from apps.common.jsontext import JSONText

PUBLISH = "_publish"


@admin.register(Campaign, site=tenant_admin)
class CampaignAdmin(LibraryPages, VersionPages, MailPages):
    form = CampaignForm
    fieldsets = (
        (None, {"fields": ("name", "is_active")}),
        (gettext_lazy("Who enters"), {
            "fields": ("entry", "segment", "survey", "touchpoint", "contact_segment", "condition", "priority"),
        }),
        (gettext_lazy("What ends or holds it"), {"fields": ("stop_on_response", "pause_while_case")}),
        (gettext_lazy("Success"), {"fields": ("goal", "goal_touchpoint", "goal_days", "holdout_percent")}),
        (gettext_lazy("What happens"), {"fields": ("draft", "seen")}),
    )  # fmt: skip
    list_display = ("name", "for_segment", "survey", "touchpoint", "priority", "published", "running", "is_active")
    list_filter = ("is_active", "entry", "segment", "contact_segment", "survey", "touchpoint")
    list_select_related = ("survey", "touchpoint", "current_version")
    search_fields = ("name",)
    change_form_outer_before_template = "campaigns/tools.html"
    change_form_outer_after_template = "campaigns/editor.html"
    shown = {"goal_touchpoint": ("goal", "event")}

    class Media:
        css = {"all": ["triggers/builder.css", "campaigns/flow.css"]}

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "condition":
            kwargs |= {"form_class": JSONText, "widget": EntryWidget()}
        elif db_field.name == "draft":
            kwargs |= {"form_class": DraftField, "widget": SequenceWidget()}
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    # --- the list ---

    @display(
        description=gettext_lazy("segment"),
        ordering="segment",
        label={"promoter": "success", "passive": "warning", "detractor": "danger"},
    )
    def for_segment(self, campaign: Campaign) -> tuple[str, str]:
        return campaign.segment, campaign.get_segment_display()

    @admin.display(description=gettext_lazy("version"))
    def published(self, campaign: Campaign) -> str:
        """The version that runs, and whether the draft says something else."""
        version = campaign.current_version
        if version is None:
            return _("not published yet")
        if version.document == campaign.draft:
            return str(version.number)
        return _("%(number)d, draft changed") % {"number": version.number}

    @admin.display(description=gettext_lazy("running"))
    def running(self, campaign: Any) -> int:
        return int(campaign.running_count)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Each campaign of the page with how many run through it: one query for all."""
        changelist = super().get_changelist_instance(request)
        counts = standing.running([campaign.pk for campaign in changelist.result_list])
        for campaign in changelist.result_list:
            campaign.running_count = counts.get(campaign.pk, 0)
        return changelist

    # --- one campaign ---

    def page_context(self, request: HttpRequest, obj: Campaign | None) -> dict[str, Any]:
        context = super().page_context(request, obj)
        if obj is not None and not self.may_write(request, obj):
            names = Names.load()
            context |= {"cards": draw(obj.draft, names), "start": sentences.entry(obj, names)}
        return context

    def response_add(self, request: HttpRequest, obj: Campaign, post_url_continue: Any = None) -> HttpResponse:
        return self._saved(request, obj)

    def response_change(self, request: HttpRequest, obj: Campaign) -> HttpResponse:
        return self._saved(request, obj)

    def _saved(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        """Stay where the picture is, with what there is to say about it."""
        if PUBLISH in request.POST:
            self._publish(request, campaign)
        else:
            self.message_user(request, _("Saved. Steps that were changed wait to be published."))
        base = f"{self.admin_site.name}:campaigns_campaign_"
        if "_addanother" in request.POST:
            return HttpResponseRedirect(reverse(base + "add"))
        return HttpResponseRedirect(reverse(base + "change", args=[campaign.pk]))

    def _publish(self, request: HttpRequest, campaign: Campaign) -> None:
        """Make the draft what runs; with something wrong it stays a draft, and the page says what it is."""
        campaign.refresh_from_db()
        before, wrong = campaign.current_version_id, found_problems(campaign, Names.load())
        try:
            if wrong:
                raise SequenceError(wrong)
            version = versions.publish(campaign_id=campaign.pk, now=timezone.now(), by=request.user)
        except SequenceError as error:  # Also where somebody else saved another draft just now.
            count = len(error.problems)
            text = ngettext(
                "The draft is saved, but not published: one thing is still wrong. The picture marks it.",
                "The draft is saved, but not published: %(count)d things are still wrong. The picture marks them.",
                count,
            )
            self.message_user(request, text % {"count": count}, messages.ERROR)
            return
        if version.pk == before:
            self.message_user(request, _("Saved. The steps are the same as in version %d.") % version.number)
            return
        self.log_change(request, campaign, [{"changed": {"name": "version", "object": str(version.number)}}])
        text = _("Version %(number)d is published: who enters from now on runs through it.")
        self.message_user(request, text % {"number": version.number}, messages.SUCCESS)

    def delete_model(self, request: HttpRequest, campaign: Campaign) -> None:
        """A campaign nobody has run through; its version must not hold it."""
        Campaign.objects.filter(pk=campaign.pk).update(current_version=None)
        super().delete_model(request, campaign)

    def delete_queryset(self, request: HttpRequest, campaigns: QuerySet[Campaign]) -> None:
        ids = list(campaigns.values_list("pk", flat=True))
        Campaign.objects.filter(pk__in=ids).update(current_version=None)
        super().delete_queryset(request, Campaign.objects.filter(pk__in=ids))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What would go, and what forbids it: a campaign's own current version does not."""
        to_delete, counts, missing, protected = super().get_deleted_objects(objs, request)
        collector = NestedObjects(using=router.db_for_write(Campaign))
        collector.collect(objs)
        others = any(not isinstance(one, Campaign) for one in collector.protected)
        return to_delete, counts, missing, protected if others else []
