"""What was answered, and what it said before."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from apps.common.admin import BaseTabular, FlowAdmin, ReadOnly
from apps.common.admin_site import tenant_admin
from apps.common.segments import segment_of
from apps.responses.models import Answer, Response, Revision
from apps.responses.selectors import visible, with_promise
from apps.responses.services import judge


class AnswerInline(ReadOnly, BaseTabular):
    model = Answer
    fields = ("question", "value", "text", "choices")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Answer]:
        return super().get_queryset(request).select_related("question")


class RevisionInline(ReadOnly, BaseTabular):
    model = Revision
    fields = ("replaced_at", "score", "comment", "answers", "suspicions")


class SuspectedFilter(admin.SimpleListFilter):
    """Responses of humans, unless others are asked for."""

    title = _("suspected")
    parameter_name = "suspected"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("yes", pgettext_lazy("suspected responses", "Only")),
            ("all", pgettext_lazy("suspected responses", "Included")),
        ]

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        first, *others = super().choices(changelist)
        yield {**first, "display": pgettext_lazy("suspected responses", "Left out")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Response]) -> QuerySet[Response]:
        return queryset if self.value() == "all" else queryset.filter(is_suspected=self.value() == "yes")


@admin.register(Response, site=tenant_admin)
class ResponseAdmin(FlowAdmin):
    """Answers of anonymous surveys are here only once there are enough of them."""

    inlines = (AnswerInline, RevisionInline)
    list_display = (
        "answered", "coloured_score", "comment_start", "contact", "survey", "touchpoint", "channel", "remarks",
        "follow_up",
    )  # fmt: skip
    list_filter = (
        SuspectedFilter, "is_partial", "is_incentivised", "score", "channel", "follow_up", "survey", "touchpoint",
        "locale",
    )  # fmt: skip
    list_select_related = ("contact", "survey", "touchpoint")
    search_fields = ("comment", "contact__email", "contact__name", "=contact__external_id")
    search_help_text = _("Words of the comment, or name, e-mail or external id of the contact")
    date_hierarchy = "answered_at"
    ordering = ("-answered_at", "-id")
    paginator = InfinitePaginator
    actions = ("confirm_as_human", "mark_as_suspected")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Response]:
        return with_promise(visible(super().get_queryset(request)))

    @admin.display(description=_("answered"), ordering="answered_at")
    def answered(self, response: Any) -> str:
        if response.is_promised:
            return date_format(response.answered_at, "DATE_FORMAT")  # In UTC: it has no time of day.
        return date_format(timezone.localtime(response.answered_at), "DATETIME_FORMAT")

    @display(
        description=_("score"),
        ordering="score",
        label={"promoter": "success", "passive": "warning", "detractor": "danger"},
    )
    def coloured_score(self, response: Response) -> tuple[str, str]:
        return ("–", "–") if response.score is None else (segment_of(response.score), str(response.score))

    @admin.display(description=_("comment"))
    def comment_start(self, response: Response) -> str:
        return response.comment if len(response.comment) <= 80 else f"{response.comment[:79]}…"

    @display(description=_("remarks"), label={"suspected": "danger", "partial": "info"})
    def remarks(self, response: Response) -> tuple[str, Any]:
        if response.is_suspected:
            return "suspected", _("suspected")
        return ("partial", _("partial")) if response.is_partial else ("", "")

    @admin.action(description=_("Confirm as human"), permissions=["view"])
    def confirm_as_human(self, request: HttpRequest, queryset: QuerySet[Response]) -> None:
        self._judge(request, queryset, is_genuine=True)

    @admin.action(description=_("Mark as suspected"), permissions=["view"])
    def mark_as_suspected(self, request: HttpRequest, queryset: QuerySet[Response]) -> None:
        self._judge(request, queryset, is_genuine=False)

    def _judge(self, request: HttpRequest, queryset: QuerySet[Response], *, is_genuine: bool) -> None:
        now, by = timezone.now(), request.user.get_username()
        ids = list(queryset.order_by("pk").values_list("pk", flat=True))
        for pk in ids:
            judge(response_id=pk, is_genuine=is_genuine, by=by, now=now)
        text = ngettext("%(n)d response was judged.", "%(n)d responses were judged.", len(ids))
        self.message_user(request, text % {"n": len(ids)}, messages.SUCCESS)
