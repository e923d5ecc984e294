"""A flame graph: where each path of a trace is drawn, and what is said of the chosen one.

``static/js/trace/flame.js`` draws the same from the same paths, and zooms without asking the server.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.trace_views.paths import parents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Paths = Sequence[Mapping[str, Any]]

#: Per cent of the width below which a frame is not drawn by the server; it can be seen by zooming in.
LEAST = 0.4
#: Rows that are drawn; deeper ones are seen by zooming in.
MOST_ROWS = 120
ROW = 22  # px


def chosen(paths: Paths, text: str) -> int:
    """Return the place of the path that a URL's ``frame`` names, -1 for the whole trace."""
    return int(text) if re.fullmatch(r"\d{1,6}", text) and int(text) < len(paths) else -1


def drawn(paths: Paths, text: str) -> dict[str, Any]:
    """Return the chosen ``place``, ``frames``, and the ``height`` in pixels of a flame graph."""
    place = chosen(paths, text)
    shown = frames(paths, place)
    rows = 1 + max((frame["y"] for frame in shown), default=0) // ROW
    return {"place": place, "frames": shown, "height": ROW * rows}


def frames(paths: Paths, zoomed: int) -> list[dict[str, Any]]:
    """Lay out the frames that can be seen: ``place``, ``x`` and ``w`` in per cent, ``y`` in pixels, ``above``.

    The paths above the zoomed one take the whole width, and have ``above`` set. Within a path its children stand
    one after the other from the left; what is free at the right is its own time.
    """
    over = parents(paths)
    trail = _trail(over, zoomed)
    whole_ns = paths[zoomed]["work_ns"] if zoomed >= 0 else sum(path["work_ns"] for path in paths if not path["depth"])
    found = [_frame(place, 0.0, 100.0, row, above=place != zoomed) for row, place in enumerate(trail)]
    base = len(trail)
    lefts = {zoomed: 0.0}
    first = zoomed + 1
    for place in range(first, len(paths)):
        if zoomed >= 0 and paths[place]["depth"] <= paths[zoomed]["depth"]:
            break
        x = lefts.get(over[place])
        if x is None:  # below a frame that is not drawn
            continue
        w = 100 * paths[place]["work_ns"] / whole_ns if whole_ns else 0.0
        lefts[over[place]] = x + w
        row = base + paths[place]["depth"] - (paths[zoomed]["depth"] + 1 if zoomed >= 0 else 0)
        if w >= LEAST and row < MOST_ROWS:
            lefts[place] = x
            found.append(_frame(place, x, w, row, above=False))
    return found


def _trail(over: Sequence[int], place: int) -> list[int]:
    """Return the path zoomed to with those above it, from the root."""
    trail = []
    while place >= 0:
        trail.append(place)
        place = over[place]
    return trail[::-1]


def _frame(place: int, x: float, w: float, row: int, *, above: bool) -> dict[str, Any]:
    return {"place": place, "x": round(x, 3), "w": round(w, 3), "y": row * ROW, "above": above}
