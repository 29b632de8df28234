"""What was answered, and what it said before."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from apps.common.admin import BaseTabular, FlowAdmin, ReadOnly
from apps.common.admin_site import tenant_admin
from apps.common.segments import segment_of
from apps.responses.models import Answer, Response, Revision


class AnswerInline(ReadOnly, BaseTabular):
    model = Answer
    fields = ("question", "value")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Answer]:
        return super().get_queryset(request).select_related("question")


class RevisionInline(ReadOnly, BaseTabular):
    model = Revision
    fields = ("replaced_at", "score", "comment")


@admin.register(Response, site=tenant_admin)
class ResponseAdmin(FlowAdmin):
    inlines = (AnswerInline, RevisionInline)
    list_display = ("answered_at", "coloured_score", "comment_start", "contact", "survey", "touchpoint", "follow_up")
    list_filter = ("score", "follow_up", "survey", "touchpoint", "locale")
    list_select_related = ("contact", "survey", "touchpoint")
    search_fields = ("comment", "contact__email", "contact__name", "=contact__external_id")
    search_help_text = _("Words of the comment, or name, e-mail or external id of the contact")
    date_hierarchy = "answered_at"
    ordering = ("-answered_at", "-id")
    paginator = InfinitePaginator

    @display(
        description=_("score"),
        ordering="score",
        label={"promoter": "success", "passive": "warning", "detractor": "danger"},
    )
    def coloured_score(self, response: Response) -> tuple[str, str]:
        return segment_of(response.score), str(response.score)

    @admin.display(description=_("comment"))
    def comment_start(self, response: Response) -> str:
        return response.comment if len(response.comment) <= 80 else f"{response.comment[:79]}…"
