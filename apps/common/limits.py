"""Counting per address in the cache: enough to stop guessing, cheap enough for a page."""

from django.core.cache import cache
from django.http import HttpRequest

WINDOW_SECONDS = 60


def client_address(request: HttpRequest) -> str:
    """The address the connection comes from (the web server sets it from a trusted proxy)."""
    return str(request.META.get("REMOTE_ADDR", ""))


def count(request: HttpRequest, what: str) -> int:
    """Count one more of ``what`` for this address and return how many there were within the last minute."""
    return count_for(what, client_address(request))


def count_for(what: str, whom: str, seconds: int = WINDOW_SECONDS, amount: int = 1) -> int:
    """Count ``amount`` more of ``what`` for somebody, or something, and return how many there were within that time."""
    key = f"limit:{what}:{whom}"
    if cache.add(key, amount, seconds):
        return amount
    try:
        return int(cache.incr(key, amount))
    except ValueError:  # Expired between the two calls.
        cache.set(key, amount, seconds)
        return amount
