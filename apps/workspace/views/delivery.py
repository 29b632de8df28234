"""Delivery: what waits and how it goes, and holding it back."""

import time
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.messaging import services
from apps.messaging.by_hand import PERMISSION
from apps.messaging.holds import EVERYTHING
from apps.messaging.selectors import MOST_TODAY, delivery_state
from apps.workspace import delivery as wording
from apps.workspace.templatetags.workspace import PAUSE_KEY

STATE_KEY = "workspace.delivery"
STATE_SECONDS, SHARE = 2, 10


@require_safe
@login_required
@never_cache
def delivery(request: HttpRequest) -> HttpResponse:
    """All streams in which something waits or something happened today."""
    groups = wording.stream_groups()
    context = _context(request, wording.names_of(groups), is_fresh=True)
    return render(request, "workspace/delivery.html", {**context, "groups": groups})


@require_safe
@login_required
@never_cache
def progress(request: HttpRequest) -> HttpResponse:
    """The same without its frame, for a page that is open. However many look, it is counted once in a while."""
    names = wording.names_of(wording.stream_groups())
    return render(request, "workspace/_delivery.html", _context(request, names, is_fresh=False))


@login_required
@require_POST
def pause(request: HttpRequest) -> HttpResponse:
    """Hold everything or one stream back."""
    stream = _stream(request)
    services.pause(stream=stream, by=_person(request), now=timezone.now())
    return _done()


@login_required
@require_POST
def resume(request: HttpRequest) -> HttpResponse:
    """Let it go on."""
    services.resume(stream=_stream(request), now=timezone.now())
    return _done()


def _done() -> HttpResponse:
    cache.delete_many([STATE_KEY, PAUSE_KEY])
    return redirect("workspace:delivery")


def _stream(request: HttpRequest) -> str:
    """What the button was for: everything, or something that can be paused on its own."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    stream = request.POST.get("stream", "?")
    known = wording.names_of(wording.stream_groups())
    # Messages of a survey that is gone may still wait.
    if stream != EVERYTHING and stream not in known and not wording.is_deleted(stream):
        raise Http404
    return stream


def _person(request: HttpRequest) -> str:
    user = request.user
    return user.get_full_name() or user.get_username()  # type: ignore[union-attr]


def _context(request: HttpRequest, names: dict[str, str], *, is_fresh: bool) -> dict[str, Any]:
    now = timezone.now()
    state = None if is_fresh else cache.get(STATE_KEY)
    if state is None:
        midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
        started = time.monotonic()
        state = delivery_state(midnight=midnight, now=now)
        # Where counting takes long it is done less often, however many pages are open.
        cache.set(STATE_KEY, state, max(STATE_SECONDS, SHARE * (time.monotonic() - started)))
    return {
        "state": state,
        "rows": wording.rows_of(state, names),
        "rate": wording.rate_of(state),
        "remaining": wording.remaining_of(state),
        "services": wording.service_rests(state.services),
        "waiting": sum(one.waiting for one in state.streams),
        "held": sum(one.held for one in state.streams),
        "sending": sum(one.sending for one in state.streams),
        "most_today": MOST_TODAY,
        "may_change": request.user.has_perm(PERMISSION),
    }
