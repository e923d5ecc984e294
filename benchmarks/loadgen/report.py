"""Results as a table for people and as JSON for comparison."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OUT = Path(__file__).parent.parent / "out"


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Lay rows out in aligned columns, named by the keys in the order they first appear."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *([_text(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def check(name: str, value: float, limit: float, *, at_least: bool = False) -> dict[str, Any]:
    """Return one row of the list of targets."""
    met = value >= limit if at_least else value <= limit
    return {"target": name, "measured": value, "limit": f"{'>=' if at_least else '<='} {limit:g}", "met": met}


def write(name: str, results: Mapping[str, Any]) -> Path:
    """Write results beside what they were measured on."""
    OUT.mkdir(exist_ok=True)
    path = OUT / f"{name}.json"
    machine = {"cpus": os.cpu_count(), "platform": platform.platform(), "python": platform.python_version()}
    path.write_text(json.dumps({"machine": machine, **results}, indent=1, default=str) + "\n")
    return path
