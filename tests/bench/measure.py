"""Alternating turns, medians, and the table."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median

from tests.bench.load import Orders
from tests.bench.stack import ROOT, Stack, WebServer


@dataclass(frozen=True)
class Pace:
    """How often and how long."""

    pairs: int
    seconds: float


@dataclass(frozen=True)
class Row:
    """One line of the table. ``ours`` and ``theirs`` are medians, ``ratio`` is the median of the pairs' ratios."""

    name: str
    unit: str
    ours: float
    theirs: float
    ratio: float
    bar: float
    at_most: bool
    pairs: int
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether the ratio keeps to its bar."""
        return self.ratio <= self.bar if self.at_most else self.ratio >= self.bar


@dataclass(frozen=True)
class Turn:
    """What one turn of load came to."""

    rate: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float


_seed = int(time.time()) % 10_000_000


def turn(stack: Stack, server: WebServer, orders: Orders) -> Turn:
    """One turn of load against one server. Any wrong answer ends the run."""
    global _seed
    _seed += 1
    before = server.cpu() + stack.postgres_cpu()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"],
        input=replace(orders, seed=_seed).to_json(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=orders.seconds + 60,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"The load generator failed:\n{done.stderr}")
    figures = json.loads(done.stdout)
    if figures["wrong"] or not figures["requests"]:
        raise SystemExit(f"{orders.path}: {figures['wrong']} wrong of {figures['requests']}: {figures['example']}")
    cpu = server.cpu() + stack.postgres_cpu() - before
    # The answers of the last moment are not counted but cost CPU: one per connection.
    answered = figures["requests"] + orders.connections
    return Turn(
        figures["requests"] / figures["seconds"], cpu / answered * 1000, figures["p50_ms"], figures["p99_ms"]
    )


def alternate(one: Callable[[], float], other: Callable[[], float], pairs: int) -> tuple[list[float], list[float]]:
    """Both sides in turn; which goes first changes from pair to pair."""
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(pairs):
        turns = [(one, ours), (other, theirs)]
        for measure, results in turns if number % 2 == 0 else turns[::-1]:
            results.append(measure())
    return ours, theirs


def row(
    name: str, unit: str, ours: Sequence[float], theirs: Sequence[float], *, bar: float, at_most: bool = False, note: str = ""
) -> Row:
    """The medians of both sides and of the pairs' ratios."""
    ratio = median(a / b for a, b in zip(ours, theirs, strict=True))
    return Row(name, unit, median(ours), median(theirs), ratio, bar, at_most, len(ours), note)


def table(rows: Sequence[Row]) -> str:
    """The rows as text."""
    head = ("row", "ours", "yardstick", "unit", "ratio", "bar", "")
    lines = [head] + [
        (
            r.name,
            figure(r.ours),
            figure(r.theirs),
            r.unit,
            f"{r.ratio:.2f}×",
            f"{'≤' if r.at_most else '≥'} {r.bar:g}×",
            "ok" if r.passed else "BELOW THE BAR" if not r.at_most else "ABOVE THE BAR",
        )
        for r in rows
    ]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)


def figure(value: float) -> str:
    """Three digits that matter."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def as_json(rows: Sequence[Row], pace: Pace) -> str:
    """The rows for other programs."""
    return json.dumps(
        {
            "pairs": pace.pairs,
            "seconds_per_side": pace.seconds,
            "passed": all(r.passed for r in rows),
            "rows": [{**asdict(r), "passed": r.passed} for r in rows],
        },
        indent=2,
        ensure_ascii=False,
    )
