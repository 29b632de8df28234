"""What pages of the tenant's website fetch: the script, and whether it may show something."""

from collections.abc import Callable
from functools import wraps

import msgspec
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from apps.common import limits
from apps.embed import services
from apps.embed.asking import MAX_BYTES, UnreadableError, parse_ask, parse_closed

MAX_PER_ADDRESS = 60
"""Questions and refusals of one address within a minute; an office shares one."""
MAX_PER_TENANT = 3000
MAX_AGE = 300
View = Callable[[HttpRequest, str], HttpResponse]


@require_safe
def script(request: HttpRequest) -> HttpResponse:
    """The loader with the tenant's placements."""
    found = services.current_script()
    accepted = request.headers.get("Accept-Encoding", "")
    answer = HttpResponse(found.plain, content_type="text/javascript; charset=utf-8")
    if found.etag in request.headers.get("If-None-Match", ""):
        answer = HttpResponseNotModified()
    elif "br" in accepted:
        answer.content, answer["Content-Encoding"] = found.brotli, "br"
    elif "gzip" in accepted:
        answer.content, answer["Content-Encoding"] = found.gzip, "gzip"
    answer["ETag"] = found.etag
    answer["Cache-Control"] = f"public, max-age={MAX_AGE}"
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    patch_vary_headers(answer, ["Accept-Encoding"])
    return answer


def for_pages(view: View) -> View:
    """POST with JSON from a page of one of the tenant's websites, and not too often. Cookies are not looked at."""

    @csrf_exempt
    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        if _too_many(request):
            return HttpResponse("Too many requests. Try again in a minute.", status=429, headers={"Retry-After": "60"})
        origin = request.headers.get("Origin", "")
        if not services.may_embed(origin=origin):
            return HttpResponse("This website may not ask.", status=403, content_type="text/plain")
        answer = _preflight() if request.method == "OPTIONS" else _guarded(view, request, origin)
        answer["Access-Control-Allow-Origin"] = origin
        answer["Cache-Control"] = "no-store"
        patch_vary_headers(answer, ["Origin"])
        return answer

    return wrapped  # type: ignore[return-value]


def _preflight() -> HttpResponse:
    headers = {"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "Content-Type"}
    return HttpResponse(status=204, headers={**headers, "Access-Control-Max-Age": "86400"})


def _guarded(view: View, request: HttpRequest, origin: str) -> HttpResponse:
    if request.method != "POST":
        return HttpResponse("Use POST.", status=405, content_type="text/plain", headers={"Allow": "POST, OPTIONS"})
    if _length(request) > MAX_BYTES:
        return HttpResponse(f"At most {MAX_BYTES // 1024} KB.", status=413, content_type="text/plain")
    try:
        return view(request, origin)
    except UnreadableError as error:
        return HttpResponse(str(error), status=422, content_type="text/plain")


def _length(request: HttpRequest) -> int:
    """The body's length as announced; without a number there, Django reads no body at all."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _too_many(request: HttpRequest) -> bool:
    """Counted per address, and for the tenant as a whole."""
    if limits.count(request, "embed") > MAX_PER_ADDRESS:
        return True
    cache.add("limit:embed", 0, limits.WINDOW_SECONDS)
    try:
        return cache.incr("limit:embed") > MAX_PER_TENANT
    except ValueError:  # Expired between the two calls.
        return False


@for_pages
def ask(request: HttpRequest, origin: str) -> HttpResponse:
    """Whether the placement shows itself, and where the survey is. The reason stays with the tenant."""
    question = parse_ask(request.body, origin)
    answer = services.ask(question=question, now=timezone.now())
    body = {"show": True, "url": answer.url, "token": answer.token} if answer.show else {"show": False}
    return HttpResponse(msgspec.json.encode(body), content_type="application/json")


@for_pages
def closed(request: HttpRequest, origin: str) -> HttpResponse:
    """The visitor closed the question unanswered. The same answer whatever the token."""
    services.close(token=parse_closed(request.body).token, now=timezone.now())
    return HttpResponse(status=204)
