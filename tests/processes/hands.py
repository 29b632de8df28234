"""Several hands at work on one tenant, each a process with a connection of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import NamedTuple

from tests.journeys.platform import ROOT
from tests.processes.hand import DECIDE, START_SECONDS


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
    command = [sys.executable, "-m", "tests.processes.hand", schema, str(limit), *stages]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as hands:
        try:
            out, complaints = hands.communicate(timeout=START_SECONDS + seconds)
        except subprocess.TimeoutExpired:
            os.killpg(hands.pid, signal.SIGKILL)
            raise
    assert hands.returncode == 0, complaints[-3000:]
    said = json.loads(out.splitlines()[-1])
    assert all(said), complaints[-3000:]
    decided = sum(one["done"] for one, stage in zip(said, stages, strict=True) if stage == DECIDE)
    broken = [line for one in said for line in one["broken"]]
    return Done(decided, broken, [one["done"] for one in said], [one["share"] for one in said])
