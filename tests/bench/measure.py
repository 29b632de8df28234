"""Alternating turns, medians, and the table."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import NamedTuple

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

    @property
    def passed(self) -> bool:
        """Whether the ratio keeps to its bar."""
        return self.ratio <= self.bar if self.at_most else self.ratio >= self.bar


@dataclass(frozen=True)
class Turn:
    """What one turn of load came to."""

    rate: float
    cpu_ms: float


class Side(NamedTuple):
    """One of the two that are compared."""

    name: str
    server: WebServer
    orders: Orders


_seed = int(time.time()) % 10_000_000


def last_seed() -> int:
    """The seed of the last turn; the next turns' follow it."""
    return _seed


def turn(stack: Stack, side: Side) -> Turn:
    """One turn of load against one server. Any wrong answer ends the run."""
    global _seed
    _seed += 1
    orders = replace(side.orders, seed=_seed)
    before = side.server.cpu() + stack.postgres_cpu()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"],
        input=orders.to_json(),
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
        raise SystemExit(f"{side.name}: {figures['wrong']} wrong of {figures['requests']}: {figures['example']}")
    cpu = side.server.cpu() + stack.postgres_cpu() - before
    # The answers of the last moment are not counted but cost CPU: one per connection.
    cpu_ms = cpu / (figures["requests"] + orders.connections) * 1000
    rate = figures["requests"] / figures["seconds"]
    latency = f"{figures['p50_ms']:.1f} ms median, {figures['p99_ms']:.1f} ms p99"
    print(f"  {side.name:<8} {rate:7.0f} req/s, {cpu_ms:.2f} ms CPU, {latency}", file=sys.stderr, flush=True)
    return Turn(rate, cpu_ms)


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
    name: str, unit: str, sides: tuple[Sequence[float], Sequence[float]], *, bar: float, at_most: bool = False
) -> Row:
    """The medians of both sides and of the pairs' ratios."""
    ours, theirs = sides
    ratio = median(a / b for a, b in zip(ours, theirs, strict=True))
    return Row(name, unit, median(ours), median(theirs), ratio, bar, at_most, len(ours))


def table(rows: Sequence[Row]) -> str:
    """The rows as text."""
    lines = [("row", "ours", "yardstick", "unit", "ratio", "bar", ""), *map(_cells, rows)]
    widths = [max(len(cells[column]) for cells in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() for cells in lines
    )


def _cells(r: Row) -> tuple[str, ...]:
    verdict = "ok" if r.passed else "ABOVE THE BAR" if r.at_most else "BELOW THE BAR"
    bar = f"{'≤' if r.at_most else '≥'} {r.bar:g}×"
    return r.name, figure(r.ours), figure(r.theirs), r.unit, f"{r.ratio:.2f}×", bar, verdict


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
