"""What the dashboard's figures look like: charts for wide and for narrow screens, and the rows that are shown."""

from collections.abc import Sequence
from datetime import date
from math import ceil
from typing import Any

from apps.workspace import charts, score_columns
from apps.workspace.board import TOP_ROWS, Board

SIZES = (("wide", 720, 300, 10), ("narrow", 340, 220, 4))
"""Name, width, height, and about how many labels fit."""


def pictures(
    board: Board, *, marks: Sequence[date] = (), target: int | None = None, top: int | None = TOP_ROWS
) -> dict[str, Any]:
    """Charts, columns, and the first rows of the breakdown (None: all), by name, for the page's templates."""
    points = [(point.start, point.nps) for point in board.now.points]
    against = [point.nps for point in board.other.points] if board.other else []
    return {
        "charts": [
            (
                name,
                charts.trend(
                    points, width=width, height=height, label_every=max(1, ceil(len(points) / labels)),
                    against=against, target=target, marks=marks, partial=board.partial,
                ),
            )
            for name, width, height, labels in SIZES
        ],
        "columns": score_columns.columns(board.distribution),
        "top_rows": board.rows[:top],
    }  # fmt: skip
