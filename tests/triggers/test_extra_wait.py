"""How much longer an event asks its rules to wait."""

from datetime import timedelta
from typing import Any

from apps.triggers.rules import LONGEST_EXTRA, extra_wait


def test_only_a_sensible_number_of_seconds_counts() -> None:
    told: list[tuple[Any, timedelta]] = [
        ({"ask_after_seconds": 90}, timedelta(seconds=90)),
        ({"ask_after_seconds": 0.5}, timedelta(seconds=0.5)),
        ({"ask_after_seconds": 10**300}, LONGEST_EXTRA),
        *(({"ask_after_seconds": odd}, timedelta(0)) for odd in (-1, True, "90", None, [], float("nan"))),
        ({}, timedelta(0)),
        (None, timedelta(0)),
        ([1], timedelta(0)),
    ]
    assert [extra_wait(properties) for properties, _wait in told] == [wait for _properties, wait in told]
