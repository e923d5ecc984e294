"""What PromQL gives, for people: a table of values, or of lines with a chart."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

from spanglass.cli.output import Column, console, emit
from spanglass.terminal import show
from spanglass.terminal.chart import STYLES, chart
from spanglass.terminal.printing import text

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = "__name__"
_CHART_HEIGHT = 12
_CHART_WIDTH = 100
_LINE_WIDTH, _NARROW_LINE = 60, 20


def print_instant(series: Sequence[dict[str, Any]], kind: str) -> None:
    """Print a row for each series: its labels and its value; of a range of samples the number and the last."""
    columns = [Column("series", show=_labels, style="cyan"), Column("value", right=True, whole=True)]
    if kind == "matrix":
        columns.insert(1, Column("samples", show=show.number, right=True))
        columns[2] = Column("value", "last", right=True, whole=True)
    rows = [{"series": one["metric"], "value": _value(_last(one)), "samples": len(_all(one))} for one in series]
    emit("table", columns, rows)


def print_range(series: Sequence[dict[str, Any]], lines: Sequence[Sequence[float | None]]) -> None:
    """Print a row for each series: a sparkline, and its least, largest and last values."""
    columns = [
        Column("series", show=_labels, style="cyan"),
        Column("line", "over time", narrow=lambda line: line[-_NARROW_LINE:], whole=True),
        Column("min", show=show.number, right=True),
        Column("max", show=show.number, right=True),
        Column("last", show=_short, right=True),
    ]
    rows = [
        {"series": one["metric"], "line": show.sparkline(_thinned(line)), **_ends(line), "last": _last(one)}
        for one, line in zip(series, lines, strict=True)
    ]
    emit("table", columns, rows)


def draw_chart(
    series: Sequence[dict[str, Any]], lines: Sequence[Sequence[float | None]], start_s: float, end_s: float
) -> None:
    """Draw the first series as lines, each in its colour, with a legend."""
    out = console()
    width = min(out.width, _CHART_WIDTH)
    for row in chart(lines[: len(STYLES)], width, _CHART_HEIGHT):
        out.line(row)
    begin, end = _clock(start_s, end_s)
    out.line(text(f"{begin}{end:>{max(1, width - len(begin))}}", "dim"))
    for one, line, style in zip(series, lines, STYLES, strict=False):
        ends = " ".join(f"{name} {show.number(value)}" for name, value in _ends(line).items())
        out.line(text("━━ ", style) + text(_labels(one["metric"])) + text(f"  {ends} last {_short(_last(one))}", "dim"))
    if len(series) > len(STYLES):
        more = f"! the chart has the first {len(STYLES)} of {len(series)} series: aggregate, or use topk"
        out.line(text(more, "yellow"))


def _ends(line: Sequence[float | None]) -> dict[str, float | None]:
    known = [value for value in line if value is not None]
    return {"min": min(known, default=None), "max": max(known, default=None)}


def at_steps(one: dict[str, Any], start_s: float, step_s: float, size: int) -> list[float | None]:
    """The series' floats at their steps; NaN, infinities and steps without one are gaps."""
    slots: list[float | None] = [None] * size
    for at, value in one.get("values", []):
        place = round((at - start_s) / step_s)
        number = float(value)
        if 0 <= place < size and math.isfinite(number):
            slots[place] = number
    return slots


def _thinned(line: Sequence[float | None]) -> list[float | None]:
    """No more values than a sparkline has room for, the newest among them."""
    every = -(-len(line) // _LINE_WIDTH)
    return list(reversed(line[::-1][::every]))


def _all(one: dict[str, Any]) -> list[Any]:
    alone = [one[key] for key in ("value", "histogram") if key in one]
    return [*alone, *one.get("values", []), *one.get("histograms", [])]


def _last(one: dict[str, Any]) -> Any:
    return max(_all(one), key=lambda sample: sample[0])[1]


def _value(value: Any) -> str:
    """A float as it came, a native histogram by its count and sum."""
    if isinstance(value, dict):
        return f"count {value['count']}, sum {value['sum']}"
    return str(value)


def _short(value: Any) -> str:
    """A value with as many digits as the others of a range have."""
    number = float("nan") if isinstance(value, dict) else float(value)
    return show.number(number) if math.isfinite(number) else _value(value)


def _labels(metric: dict[str, str]) -> str:
    """Write a series as PromQL does."""
    pairs = ", ".join(f"{name}={show.value(value)}" for name, value in metric.items() if name != _NAME)
    name = metric.get(_NAME, "")
    return f"{name}{{{pairs}}}" if pairs or not name else name


def _clock(start_s: float, end_s: float) -> tuple[str, str]:
    """Write both ends of a range in the machine's zone."""
    begin, end = datetime.fromtimestamp(start_s).astimezone(), datetime.fromtimestamp(end_s).astimezone()
    form = "%H:%M" if begin.date() == end.date() else "%m-%d %H:%M"
    return f"{begin:{form}}", f"{end:{form}} ({show.zone()})"
