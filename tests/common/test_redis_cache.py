"""A cache whose server is away fails nobody."""

from typing import Any

import pytest
from django.test import RequestFactory

from apps.common import limits
from apps.common.redis_cache import ForgivingRedisCache


@pytest.fixture
def away() -> ForgivingRedisCache:
    """A cache without a server."""
    return ForgivingRedisCache("redis://127.0.0.1:9/0", {})


def test_nothing_is_found_and_nothing_is_kept(away: ForgivingRedisCache) -> None:
    assert away.get("a") is None
    away.set("a", 1)
    away.delete_many(["a"])
    assert away.get_many(["a"]) == {}
    assert away.get_or_set("a", lambda: 7) == 7
    with pytest.raises(ValueError, match="not found"):
        away.incr("a")


def test_whoever_is_counted_in_it_passes(away: ForgivingRedisCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "cache", away)
    request: Any = RequestFactory().get("/")
    assert [limits.count(request, "links") for _ in range(3)] == [1, 1, 1]


def test_it_is_tried_again_after_a_while_only(away: ForgivingRedisCache, caplog: Any) -> None:
    for _ in range(5):
        away.get("a")
    assert caplog.text.count("not reachable") == 1
