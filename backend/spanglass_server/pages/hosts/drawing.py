"""Charts of hosts and processes: the server's drawing, and the data that script draws."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from spanglass_server.pages.rendering import charts
from spanglass_server.pages.rendering.units import ceiling_of, rate_unit_parts, value_text
from spanglass_server.pages.trends import marks
from spanglass_server.pages.window import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.pages.visit import Visit


class Kind(NamedTuple):
    """A chart: its key in the API's answer, title, unit, the same as script knows it; the quantity of its trends."""

    key: str
    title: str
    unit: str
    script_unit: str
    per_s: bool = False
    quantity: str = ""


class HostChart(NamedTuple):
    """A chart of a page: title, drawing without script, and data for script."""

    title: str
    chart: charts.Chart
    data: str
    names: Sequence[str]
    marked: Sequence[marks.Mark]


HOST = (
    Kind("cpu", "Processors", "%", "ratio", quantity="processors"),
    Kind("memory", "Memory", "%", "ratio", quantity="memory"),
    Kind("disk", "Disks", "%", "ratio", quantity="disk"),
    Kind("network", "Network", "By", "bytes/s", per_s=True),
    Kind("disk_io", "Disk traffic", "By", "bytes/s", per_s=True),
    Kind("load", "Load", "", ""),
)
PROCESS = (
    Kind("cpu", "Processors", "", ""),
    Kind("memory", "Memory", "By", "bytes"),
    Kind("gc", "Garbage collection, of a second", "s", "s"),
    Kind("threads", "Threads and tasks", "", "count"),
    Kind("fds", "Open files", "", "count"),
    Kind("disk_io", "Disk traffic", "By", "bytes/s", per_s=True),
)
#: Colours of the lines after the first, which has the accent: neighbours differ in lightness as well.
SLOTS = (5, 3, 8, 2)


def draw(
    answer: Mapping[str, Any], kinds: Sequence[Kind], visit: Visit, trends: marks.Marks | None = None
) -> list[HostChart]:
    """Draw the charts of which there are lines, with what is known of where they are going."""
    return [
        _chart(kind, lines, (answer, marks.of(trends or {}, kind.quantity)), visit)
        for kind in kinds
        if (lines := [line for line in answer["lines"] if line["chart"] == kind.key])
    ]


def _chart(
    kind: Kind,
    lines: Sequence[Mapping[str, Any]],
    about: tuple[Mapping[str, Any], Sequence[marks.Mark]],
    visit: Visit,
) -> HostChart:
    answer, marked = about
    count = len(lines[0]["values"])
    times = [answer["start"] + place * answer["step_s"] for place in range(count)]
    buckets = charts.Buckets(times, answer["step_s"])
    layers = [charts.Series(line["name"], css(place), line["values"]) for place, line in enumerate(lines)]
    guides = marks.lines(marked, times)
    label = marks.labelled(f"{kind.title} over time", marked)
    drawn = charts.lines(label, buckets, [*layers, *guides], visit.clock, _text(kind), _ceiling(kind))
    look = {"kind": "line", "unit": kind.script_unit, "label": kind.title, "legend": "list", "sync": "host"}
    frame = {
        "times": times,
        "step": answer["step_s"],
        "start": visit.window.start_ns / SECOND_NS,
        "end": visit.window.end_ns / SECOND_NS,
        "series": [
            {"name": line["name"], "labels": {}, "values": line["values"], **_colour(place)}
            for place, line in enumerate(lines)
        ]
        + marks.framed(guides),
    }
    data = json.dumps({"look": {**look, "values": False}, "frame": frame, "exemplars": []}, ensure_ascii=False)
    return HostChart(kind.title, drawn, data, [line["name"] for line in lines], marked)


def css(place: int) -> str:
    """Return the class of a line by its place."""
    return f"s{SLOTS[(place - 1) % len(SLOTS)]}" if place else ""


def _colour(place: int) -> dict[str, Any]:
    return {"slot": SLOTS[(place - 1) % len(SLOTS)]} if place else {"css": "accent"}


def _text(kind: Kind) -> Callable[[float | None], str]:
    if kind.per_s:
        return lambda value: "\u202f".join(rate_unit_parts(value, kind.unit))
    return lambda value: value_text(value, kind.unit)


def _ceiling(kind: Kind) -> Callable[[float], float]:
    return ceiling_of(kind.unit)
