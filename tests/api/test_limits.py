"""Requests per minute and key."""

from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from apps.api import limits
from apps.integrations.services import create_api_key
from tests import factories
from tests.api.sending import HOST, post, problem

AT = 1_790_000_040.0  # twenty seconds before a full minute


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    limits.forget()


def slow_key(count: int, name: str = "slow") -> str:
    return create_api_key(name=name, requests_per_minute=count)[1]


@pytest.fixture
def touchpoint(tenant: Any) -> Any:
    return factories.TouchpointFactory()


def get(key: str) -> Any:
    return Client(headers={"host": HOST, "authorization": f"Bearer {key}"}).get("/api/v1/events")


def test_after_the_last_request_of_a_minute_a_key_has_to_wait(touchpoint: Any) -> None:
    key = slow_key(3)
    with time_machine.travel(AT, tick=False) as clock:
        answers = [post(key), get(key), post(key)]
        assert [answer["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0"]
        assert {answer["RateLimit-Limit"] for answer in answers} == {"3"}
        for refused in (post(key), get(key)):
            problem(refused, 429)
            assert (refused["Retry-After"], refused["RateLimit-Remaining"]) == (refused["RateLimit-Reset"], "0")
            assert refused["Retry-After"].isdigit()
            assert 0 < int(refused["Retry-After"]) <= 61
        clock.shift(int(refused["Retry-After"]))
        assert post(key).status_code == 202


def test_keys_do_not_count_for_each_other(touchpoint: Any) -> None:
    one, other = slow_key(1), slow_key(1, "other")
    with time_machine.travel(AT, tick=False):
        assert [post(one).status_code, post(one).status_code, post(other).status_code] == [202, 429, 202]


def test_processes_share_one_limit_and_none_gets_more(touchpoint: Any) -> None:
    key = slow_key(400)  # shares of four
    with time_machine.travel(AT, tick=False):
        taken = 0
        for _ in range(120):  # as many processes, each forgetting what it held
            limits.forget()
            taken += post(key).status_code == 202
        assert taken == 100
        limits.forget()
        assert post(key).status_code == 429


def test_without_the_common_counter_each_process_keeps_to_the_limit(
    touchpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "add", lambda *_args: True)  # what a cache that is away says
    key = slow_key(5)
    with time_machine.travel(AT, tick=False):
        assert [post(key).status_code for _ in range(7)] == [202] * 5 + [429] * 2
