"""Pages that tell their form in words while it is filled in, and can try it against the past without saving."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.common.admin import BaseAdmin
from apps.triggers.models import DryRun

TRY = "_try"
DAYS = (7, 30, 90, 365)
USUAL_DAYS = 30


class DraftPage(BaseAdmin):
    """A page that can look at its form as it stands, without saving it."""

    shown: Mapping[str, tuple[str, str]] = {}
    """Fields that only one choice of another field needs: name → (the other field, its value)."""

    def may_write(self, request: HttpRequest, obj: Any) -> bool:
        """Whether the form could be saved."""
        allowed = self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)
        return bool(allowed)

    def draft(self, request: HttpRequest, obj: Any) -> Any:
        """The posted form, not validated yet. Saving it is up to Django's own view."""
        fields = flatten_fieldsets(self.get_fieldsets(request, obj))
        form_class = self.get_form(request, obj, change=obj is not None, fields=fields)
        return form_class(request.POST, request.FILES, instance=obj)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        obj = self.get_object(request, unquote(object_id)) if object_id else None
        more = self.page_context(request, obj)
        return super().changeform_view(request, object_id, form_url, {**more, **(extra_context or {})})

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What the page's templates need beyond the form."""
        return {"shown": json.dumps(self.shown)}


class LivePage(DraftPage):
    """The form as it stands is told in words above it."""

    change_form_outer_before_template = "triggers/live.html"

    def tell(self, form: Any) -> str:
        """A valid form in words; may raise nothing."""
        raise NotImplementedError

    def blocking(self, form: Any) -> bool:
        """Whether what is wrong with the form keeps it from being told."""
        return bool(form.errors)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.preview_view)
        return [path("preview/", view, name=self._preview_name()), *super().get_urls()]

    def _preview_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_preview"

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        context = super().page_context(request, obj)
        if self.may_write(request, obj):
            url = reverse(f"{self.admin_site.name}:{self._preview_name()}")
            context["preview_url"] = f"{url}?id={obj.pk}" if obj else url
        return context

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """The posted form in words, or what is missing and wrong. Whoever may not save it may not ask either."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        pk = request.GET.get("id")
        obj = self.get_object(request, pk) if pk else None
        if pk and obj is None:
            raise Http404
        if not self.may_write(request, obj):
            raise PermissionDenied
        form = self.draft(request, obj)
        form.is_valid()
        missing, problems = faults(form)
        return JsonResponse(
            {
                "told": "" if self.blocking(form) else self.tell(form),
                "missing": _("Still missing: %(fields)s.") % {"fields": ", ".join(missing)} if missing else "",
                "problems": problems,
                "places": dict(_places(form)),
            }
        )


class TryPage(DraftPage):
    """A button tries the form as it stands against the past."""

    def start_trial(self, request: HttpRequest, form: Any, days: int) -> DryRun:
        """Queue the trial of a valid form."""
        raise NotImplementedError

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        if request.method == "POST" and TRY in request.POST:
            obj = self.get_object(request, unquote(object_id)) if object_id else None
            if not self.may_write(request, obj):
                raise PermissionDenied
            form = self.draft(request, obj)
            if form.is_valid():
                return HttpResponseRedirect(trial_url(self.start_trial(request, form, chosen_days(request))))
        # What is wrong is shown where saving would show it; nothing is saved, see save_model.
        return super().changeform_view(request, object_id, form_url, extra_context)

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        more = {"try_days": DAYS} if self.may_write(request, obj) else {}
        return {**super().page_context(request, obj), **more}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Between two looks at the form something else may have made it valid: trying still does not save."""
        if TRY in request.POST:
            raise PermissionDenied
        super().save_model(request, obj, form, change)


def chosen_days(request: HttpRequest) -> int:
    """How far back to try; only what the page offers."""
    chosen = request.POST.get("_days", "")
    return int(chosen) if chosen in {str(days) for days in DAYS} else USUAL_DAYS


def trial_url(run: DryRun) -> str:
    """Where the trial is watched."""
    return reverse("workspace:dry_run", args=[run.pk])


def faults(form: Any) -> tuple[list[str], list[str]]:
    """Labels of fields that are still empty, and sentences about those that are wrong."""
    missing, problems = [], []
    for name, errors in form.errors.as_data().items():
        label = "" if name == NON_FIELD_ERRORS else capfirst(str(form.fields[name].label))
        for error in errors:
            if error.code == "required":
                missing.append(label)
            else:
                problems += [_said(label, text) for text in error.messages]
    return missing, problems


def _said(label: str, text: str) -> str:
    return _("%(field)s: %(problem)s") % {"field": label, "problem": text} if label else text


def _places(form: Any) -> Iterable[tuple[str, dict[str, str]]]:
    for name, field in form.fields.items():
        if hasattr(field.widget, "places"):
            yield form.add_prefix(name), field.widget.places
