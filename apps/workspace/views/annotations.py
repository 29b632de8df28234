"""Annotations: what happened on a day, marked in the charts, and what came of it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.insights import annotations, measuring
from apps.insights.actions import today_of
from apps.insights.models import Annotation
from apps.touchpoints.models import Touchpoint
from apps.workspace import lists_improve as lists
from apps.workspace.improve_forms import AnnotationFilter, AnnotationForm
from apps.workspace.lists import touchpoints
from apps.workspace.paging import page

ADD, CHANGE, DELETE = (f"insights.{verb}_annotation" for verb in ("add", "change", "delete"))


@login_required
@require_safe
def annotation_list(request: HttpRequest) -> HttpResponse:
    """The latest day first, filtered, each with what came of it."""
    now = timezone.now()
    form = AnnotationFilter(request.GET, touchpoints=touchpoints())
    found = lists.annotation_rows(form.values(), today=today_of(now))
    rows = page(found, field="day", cursor=request.GET.get("cursor", ""), is_day=True)
    came = measuring.of_annotations(rows.rows, now=now)
    context = {"filter": form, "page": rows, "rows": [(row, came[row.pk]) for row in rows.rows]}
    return render(request, "workspace/annotations.html", context)


@login_required
@require_safe
def annotation(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them, with what came of it."""
    found = Annotation.objects.select_related("touchpoint", "control_touchpoint", "created_by")
    row = get_object_or_404(found, pk=pk)
    came = measuring.of_annotations([row], now=timezone.now())
    return render(request, "workspace/annotation.html", {"annotation": row, "measured": came[row.pk]})


@login_required
@permission_required(ADD, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Note one more; ``?touchpoint=`` says where."""
    now = timezone.now()
    place = Touchpoint.objects.filter(key=request.GET.get("touchpoint", "")[:60]).first()
    form = AnnotationForm(request.POST or None, initial={"touchpoint": place, "day": today_of(now)})
    if request.method == "POST" and form.is_valid():
        by: Any = request.user
        row, _is_new = annotations.note(row=form.instance, by=by, now=now)
        messages.success(request, _("Annotation saved."))
        return redirect("workspace:annotation", row.pk)
    return render(request, "workspace/annotation_form.html", {"form": form}, status=422 if form.errors else 200)


@login_required
@permission_required(CHANGE, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change one."""
    form = AnnotationForm(request.POST or None, instance=get_object_or_404(Annotation, pk=pk))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Annotation saved."))
        return redirect("workspace:annotation", pk)
    context = {"form": form, "annotation": Annotation.objects.get(pk=pk)}
    return render(request, "workspace/annotation_form.html", context, status=422 if form.errors else 200)


@login_required
@permission_required(DELETE, raise_exception=True)
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete one for good."""
    get_object_or_404(Annotation, pk=pk).delete()
    messages.success(request, _("Annotation deleted."))
    return redirect("workspace:annotations")
