"""What sections are built of: figures with what they were before, tables, charts, links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from spanglass_server.reports.model import (
        Better,
        Cell,
        Chart,
        Column,
        Figure,
        Figures,
        Line,
        Row,
        Scope,
        Table,
        Text,
        Unit,
    )

    Columns = Sequence[tuple[str, Unit]]


def text(words: str) -> Text:
    """A paragraph."""
    return {"block": "text", "text": words}


def figures(*found: Figure) -> Figures:
    """Numbers side by side."""
    return {"block": "figures", "figures": list(found)}


def figure(
    name: str, unit: Unit, value: float | None, before: float | None = None, better: Better = "neither"
) -> Figure:
    """A number of the range and of the one before."""
    return {"name": name, "unit": unit, "value": value, "before": before, "better": better}


def table(name: str, columns: Columns, rows: Iterable[Row], left_out: int = 0) -> Table:
    """A table by the names and units of its columns."""
    named: list[Column] = [{"name": each, "unit": unit} for each, unit in columns]
    return {"block": "table", "name": name, "columns": named, "rows": list(rows), "left_out": max(0, left_out)}


def row(*cells: Cell, link: str | None = None) -> Row:
    """A row of a table."""
    return {"cells": list(cells), "link": link}


def lines(name: str, unit: Unit, points: Sequence[Mapping[str, Any]], step_s: float, *drawn: Line) -> Chart:
    """Lines over the times of points."""
    times = [point["t"] for point in points]
    return {"block": "chart", "name": name, "style": "lines", "unit": unit, "step_s": step_s, "times": times,
            "lines": list(drawn)}  # fmt: skip


def bars(name: str, points: Sequence[Mapping[str, Any]], step_s: float, *layers: Line) -> Chart:
    """Counts over the times of points, stacked."""
    return {**lines(name, "count", points, step_s, *layers), "style": "bars"}


def line(name: str, values: Iterable[float | None]) -> Line:
    """A line of the range."""
    return {"name": name, "role": "now", "values": list(values)}


def failures(name: str, values: Iterable[float | None]) -> Line:
    """A line of what failed."""
    return {"name": name, "role": "bad", "values": list(values)}


def earlier(
    name: str, points: Sequence[Mapping[str, Any]], length: int, value: Callable[[Mapping[str, Any]], float | None]
) -> Line:
    """A line of the range before, as long as that of the range; without values where nothing was seen then."""
    values = [value(point) for point in points[:length]]
    values = values if any(values) else []
    return {"name": name, "role": "before", "values": values + [None] * (length - len(values))}


def change(now: float | None, before: float | None) -> float | None:
    """By which share something changed; None where it was nothing, or is not known."""
    return now / before - 1 if now is not None and before else None


def link(scope: Scope, *path: str, **params: str) -> str:
    """A path of the pages, in the report's range."""
    window = {"start": format_time(scope.start_ns), "end": format_time(scope.end_ns)}
    where = "".join(f"/{quote(part, safe='')}" for part in path)
    return f"{where}?{urlencode({**window, **{name: each for name, each in params.items() if each}})}"


def place(*path: str) -> str:
    """A path of the pages that has no range."""
    return "".join(f"/{quote(part, safe='')}" for part in path)
