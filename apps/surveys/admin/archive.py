"""Surveys are copied, put away and taken out again."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.admin import BaseAdmin
from apps.surveys import versions
from apps.surveys.models import Question, Survey, SurveyReminder, ThankYou

_KEY_LENGTH = Survey._meta.get_field("key").max_length


class ArchivePages(BaseAdmin):
    """Buttons and actions: duplicate, archive, restore."""

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path(f"<path:object_id>/{word}/", self.admin_site.admin_view(view), name=f"{name}_{word}")
            for word, view in (
                ("duplicate", self.duplicate_view),
                ("archive", self.archive_view),
                ("restore", self.restore_view),
            )
        ]
        return [*own, *super().get_urls()]

    def _posted(self, request: HttpRequest, object_id: str) -> Any:
        """The survey a button belongs to, if it may be changed."""
        survey = self.get_object(request, object_id)
        if survey is None:
            raise Http404
        if not self.has_change_permission(request, survey):
            raise PermissionDenied
        return survey

    def _back(self, survey: Survey) -> HttpResponse:
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(name, args=[survey.pk]))

    def duplicate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Copy one survey and lead to the copy."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        survey = self._posted(request, object_id)
        if not self.has_add_permission(request):
            raise PermissionDenied
        copy = duplicate(survey, by=request.user.get_username())
        self.log_addition(request, copy, [{"added": {}}])
        self.message_user(request, _("This is the copy. It is inactive until you switch it on."))
        return self._back(copy)

    def archive_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put one survey away."""
        return self._put(request, object_id, away=True)

    def restore_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take one survey out of the archive."""
        return self._put(request, object_id, away=False)

    def _put(self, request: HttpRequest, object_id: str, *, away: bool) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        survey = self._posted(request, object_id)
        self._move(request, Survey.objects.filter(pk=survey.pk), away=away)
        return self._back(survey)

    @admin.action(description=gettext_lazy("Duplicate (the copies are inactive)"), permissions=["add"])
    def duplicate_surveys(self, request: HttpRequest, surveys: QuerySet[Survey]) -> None:
        with transaction.atomic():
            copies = [duplicate(survey, by=request.user.get_username()) for survey in surveys]
            for copy in copies:
                self.log_addition(request, copy, [{"added": {}}])
        text = ngettext("%(count)d survey duplicated.", "%(count)d surveys duplicated.", len(copies))
        self.message_user(request, text % {"count": len(copies)})

    @admin.action(description=gettext_lazy("Archive (switches them off)"), permissions=["change"])
    def archive_surveys(self, request: HttpRequest, surveys: QuerySet[Survey]) -> None:
        self._move(request, surveys, away=True)

    @admin.action(description=gettext_lazy("Take out of the archive"), permissions=["change"])
    def restore_surveys(self, request: HttpRequest, surveys: QuerySet[Survey]) -> None:
        self._move(request, surveys, away=False)

    @transaction.atomic
    def _move(self, request: HttpRequest, surveys: QuerySet[Survey], *, away: bool) -> None:
        rows = list(Survey.objects.filter(pk__in=surveys.values("pk"), archived_at__isnull=away))
        new: dict[str, Any] = {"archived_at": timezone.now(), "is_active": False} if away else {"archived_at": None}
        Survey.objects.filter(pk__in=[row.pk for row in rows]).update(**new)
        for row in rows:
            self.log_change(request, row, [{"changed": {"fields": [str(_("archived"))]}}])
        if away:
            text = ngettext("%(count)d survey archived.", "%(count)d surveys archived.", len(rows))
        else:
            text = ngettext(
                "%(count)d survey taken out of the archive; it is still switched off.",
                "%(count)d surveys taken out of the archive; they are still switched off.",
                len(rows),
            )
        self.message_user(request, text % {"count": len(rows)})


@transaction.atomic
def duplicate(survey: Survey, *, by: str) -> Survey:
    """The same survey again, with questions, thanks and reminders, under another key and inactive."""
    values = {f.attname: getattr(survey, f.attname) for f in Survey._meta.concrete_fields if not f.primary_key}
    for unfit in ("current_version_id", "created_at"):
        del values[unfit]
    values |= {"key": _free_key(survey.key), "name": _names(survey), "is_active": False, "archived_at": None}
    copy = Survey.objects.create(**values)
    Question.objects.bulk_create(_copies(survey.questions.filter(is_retired=False), copy))
    ThankYou.objects.bulk_create(_copies(survey.thanks.all(), copy))
    SurveyReminder.objects.bulk_create(_copies(survey.reminders.all(), copy))
    versions.publish(survey_id=copy.pk, now=timezone.now(), by=by)
    return copy


def _copies(rows: QuerySet[Any], survey: Survey) -> list[Any]:
    copies = list(rows)
    for row in copies:
        row.pk, row.survey, row._state.adding = None, survey, True
    return copies


def _free_key(key: str) -> str:
    """``order-copy``, ``order-copy-2``, …"""
    number = 0
    while True:
        number += 1
        end = "-copy" if number == 1 else f"-copy-{number}"
        found = f"{key[: (_KEY_LENGTH or 60) - len(end)]}{end}"
        if not Survey.objects.filter(key=found).exists():
            return found


def _names(survey: Survey) -> dict[str, str]:
    names = {}
    for code, name in survey.name.items():
        with translation.override(code):
            names[code] = _("Copy of %(name)s") % {"name": name}
    return names
