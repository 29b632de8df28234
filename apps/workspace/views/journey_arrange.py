"""The journey map is arranged: touchpoints and stages are moved, at once."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe

from apps.touchpoints import arranging
from apps.touchpoints.arranging import ImpossibleError, Map, Way, read
from apps.workspace.journey_arrange_forms import MoveForm
from apps.workspace.journey_arrange_words import NOT_UNDERSTOOD, refusal, stage_stands, touchpoint_stands

TOUCHPOINTS = "touchpoints.change_touchpoint"
STAGES = "touchpoints.change_stage"


@require_safe
@login_required
@permission_required(TOUCHPOINTS, raise_exception=True)
def arrange(request: HttpRequest) -> HttpResponse:
    """The map as columns."""
    return render(request, "workspace/journey_arrange.html", _context(read()))


def _context(found: Map) -> dict[str, Any]:
    columns = found.columns
    return {"map": found, "columns": list(zip(columns, [None, *columns], strict=False))}


@require_POST
@login_required
@permission_required(TOUCHPOINTS, raise_exception=True)
def move(request: HttpRequest) -> HttpResponse:
    """Moves something. A script gets the map as it is then, and what to say; a form goes back to the page."""
    form = MoveForm(request.POST)
    if request.POST.get("what") == "stage" and not request.user.has_perm(STAGES):
        raise PermissionDenied
    if not form.is_valid():
        return _answer(request, str(NOT_UNDERSTOOD), status=422)
    values = form.cleaned_data
    try:
        _act(values)
    except ImpossibleError as error:
        return _answer(request, refusal(error.code), status=409)
    found = read()
    try:
        say = touchpoint_stands if values["what"] == "touchpoint" else stage_stands
        said = say(found, values["pk"])
    except ImpossibleError:  # Somebody took it off the map in this very moment.
        return _answer(request, refusal("gone"), status=409)
    return _answer(request, said, found=found)


def _act(values: dict[str, Any]) -> None:
    pk, way, revision = values["pk"], values["way"], values["revision"]
    if values["what"] == "touchpoint":
        if way:
            arranging.shift_touchpoint(touchpoint_id=pk, way=Way(way), revision=revision)
        else:
            arranging.put_touchpoint(
                touchpoint_id=pk, stage_id=values["stage"], before_id=values["before"], revision=revision
            )
    elif way == "in":
        arranging.settle_stage(stage_id=pk, parent_id=values["stage"] or 0, revision=revision)
    elif way == "out":
        arranging.settle_stage(stage_id=pk, parent_id=None, revision=revision)
    else:
        arranging.move_stage(stage_id=pk, way=Way(way), revision=revision)


def _answer(request: HttpRequest, said: str, *, found: Map | None = None, status: int = 200) -> HttpResponse:
    if not request.accepts("text/html"):
        found = found or read()
        html = render_to_string("workspace/_journey_arrange_map.html", _context(found), request)
        return JsonResponse({"said": said, "revision": found.revision, "map": html}, status=status)
    (messages.success if status == 200 else messages.error)(request, said)
    return redirect("workspace:journey_arrange")
