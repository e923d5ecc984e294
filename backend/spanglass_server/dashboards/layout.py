"""Where panels stand on the grid: those with a place there, the others one after another, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.dashboards.model import GRID_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.dashboards.model import Panel

#: Width and height of a panel that says neither, in columns and rows.
SIZES = {
    **dict.fromkeys(("line", "area", "bar", "heatmap", "top"), (6, 4)),
    **dict.fromkeys(("stat", "gauge"), (3, 2)),
    **dict.fromkeys(("table", "logs", "traces"), (12, 5)),
    "text": (12, 2),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle of the grid: columns from the left, rows from the top."""

    x: int
    y: int
    w: int
    h: int


def places(panels: Sequence[Panel]) -> list[Place]:
    """The place of each panel. Those that flow begin below the panels before them that have a place."""
    placed: list[Place] = []
    x = y = row_height = 0
    for panel in panels:
        own = panel.position
        w, h = own.w or SIZES[panel.type][0], own.h or SIZES[panel.type][1]
        if own.x is not None and own.y is not None:
            placed.append(Place(own.x, own.y, min(w, GRID_COLUMNS - own.x), h))
            x, y, row_height = 0, max(y + row_height, own.y + h), 0
            continue
        if x + w > GRID_COLUMNS:
            x, y, row_height = 0, y + row_height, 0
        placed.append(Place(x, y, w, h))
        x, row_height = x + w, max(row_height, h)
    return placed
