"""Several hands at work on one tenant, each a process with a connection of its own."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from tests.journeys.platform import ROOT
from tests.processes.hand import DECIDE


class Done(NamedTuple):
    """What all hands did together."""

    events: int
    broken: list[str]
    by_hand: list[int]
    shares: list[int]
    """What each hand did until it found nothing for the first time: there a drain ends."""


def at_once(
    environment: dict[str, str], schema: str, stages: Sequence[str], *, limit: int, seconds: float = 60
) -> Done:
    """Start a hand per stage, let them begin at the same moment, and wait until they find nothing any more."""
    with ExitStack() as stack:
        hands = [stack.enter_context(_hand(environment, schema, stage, limit)) for stage in stages]
        try:
            for hand in hands:
                assert hand.stdout is not None
                assert hand.stdout.readline() == "ready\n", hand.communicate(timeout=10)[1][-3000:]
            begin = time.time() + 0.2
            for hand in hands:
                assert hand.stdin is not None
                hand.stdin.write(f"{begin}\n")
                hand.stdin.flush()
            said = [_result(hand, seconds) for hand in hands]
        finally:
            for hand in hands:
                hand.kill()
    decided = sum(one["done"] for one, stage in zip(said, stages, strict=True) if stage == DECIDE)
    broken = [line for one in said for line in one["broken"]]
    return Done(decided, broken, [one["done"] for one in said], [one["share"] for one in said])


def _hand(environment: dict[str, str], schema: str, stage: str, limit: int) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "tests.processes.hand", schema, stage, str(limit)]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )


def _result(hand: "subprocess.Popen[str]", seconds: float) -> dict[str, Any]:
    out, complaints = hand.communicate(timeout=seconds)
    assert hand.returncode == 0, complaints[-3000:]
    return dict(json.loads(out.splitlines()[-1]))
