"""``/reports`` and ``/reports/{report}``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.pages.rendering import charts
from spanglass_server.reports.rendering import words
from spanglass_server.reports.rendering.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

_LIMIT: Final = 200
#: Ranges that the form offers: what is sent, and its name.
RANGES: Final = (("1d", "24 hours"), ("7d", "7 days"), ("30d", "30 days"), ("90d", "90 days"))
#: Classes of lines by their role; a second line of the range is told apart by its own.
_CSS: Final = {"now": "", "before": "p", "bad": "err"}
_SECOND: Final = "ink"


async def show_reports(visit: Visit) -> Response:
    """Render the list."""
    kind = visit.param("kind")
    found, scheduled = await visit.together(
        visit.api("reports", kind=kind, service=visit.exact("service"), limit=_LIMIT),
        visit.attempt(visit.api("report-schedules"), {"schedules": []}),
    )
    return visit.page(
        "reports/list.html",
        ranged=False,
        reports=found["reports"],
        kinds=found["kinds"],
        kind=kind,
        ranges=RANGES,
        schedules=scheduled["schedules"],
        problem=scheduled["problem"],
    )


async def show_report(visit: Visit) -> Response:
    """Render one: its sections, or how far it is."""
    one = await visit.api("reports", str(visit.request.path_params["report"]))
    report = one["report"]
    told = [{**section, "blocks": _shown(section["blocks"], visit)} for section in report["sections"]] if report else []
    return visit.page(
        "reports/one.html", ranged=False, one=one, report=report, told=told, words=words,
        formats=FORMATS.values(),
    )  # fmt: skip


def _shown(blocks: Sequence[Mapping[str, Any]], visit: Visit) -> list[Mapping[str, Any]]:
    """Blocks as they are, charts with what draws them."""
    return [{**block, "drawn": _drawn(block, visit)} if block["block"] == "chart" else block for block in blocks]


@dataclass(frozen=True)
class _Drawn:
    chart: charts.Chart
    legend: Sequence[tuple[str, str]]  # class and name


def _drawn(block: Mapping[str, Any], visit: Visit) -> _Drawn:
    layers: list[charts.Series] = []
    for line in block["lines"]:
        is_second = line["role"] == "now" and any(layer.css == "" for layer in layers)
        layers.append(charts.Series(line["name"], _SECOND if is_second else _CSS[line["role"]], line["values"]))
    buckets = charts.Buckets(block["times"], block["step_s"])
    unit = block["unit"]

    def text(value: float | None) -> str:
        return words.number(value, unit)

    chart = (
        charts.bars(block["name"], buckets, layers, visit.clock)
        if block["style"] == "bars"
        else charts.lines(block["name"], buckets, layers, visit.clock, text)
    )
    first = "base" if block["style"] == "bars" else ""  # bars of what is no failure are grey
    return _Drawn(chart, [(layer.css or first, layer.name) for layer in layers])
