"""Panels: which type becomes which, and what of each is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.dashboards.grafana.appearance import options_of, thresholds_of, unit_of
from spanglass_server.dashboards.grafana.queries import queries_of, source_of
from spanglass_server.dashboards.grafana.source import at, items, number, text

if TYPE_CHECKING:
    from spanglass_server.dashboards.grafana.source import Told

#: Types that are the same here, or nearly: what differs is told.
TYPES = {
    "stat": "stat",
    "singlestat": "stat",
    "gauge": "gauge",
    "bargauge": "top",
    "barchart": "top",
    "piechart": "top",
    "grafana-piechart-panel": "top",
    "table": "table",
    "table-old": "table",
    "heatmap": "heatmap",
    "text": "text",
}
_DIFFERS = {"piechart": "the pie: a list of the largest is shown", "barchart": "the bars stand for the last values"}
_SERIES = frozenset({"timeseries", "graph"})
_RECORDS = frozenset({"logs", "traces"})
_FILLED = 30


def panel_of(panel: Any, told: Told) -> dict[str, Any] | None:
    """A panel as ours, without its place; None for one that can't be taken over, which is told."""
    kind = text(panel, "type")
    if kind in _RECORDS:
        sources = sorted({source_of(panel, target) or "unknown" for target in items(panel, "targets")})
        told.say(f"the panel: it asks {', '.join(sources) or 'nothing'}, whose queries are not understood here")
        return None
    ours = _series_type(panel) if kind in _SERIES else TYPES.get(kind)
    if ours is None:
        name = "a library panel, which the file does not hold" if at(panel, "libraryPanel") else f"of the type {kind!r}"
        told.say(f"the panel: it is {name}")
        return None
    if kind in _DIFFERS:
        told.say(_DIFFERS[kind])
    _tell_rest(panel, told)
    common: dict[str, Any] = {
        "title": text(panel, "title"),
        "type": ours,
        "description": text(panel, "description"),
        "links": links_of(panel, told),
    }
    if ours == "text":
        return common | {"options": {"text": _markdown(panel, told)}}
    queries = queries_of(panel, told)
    if not queries:
        told.say("the panel: it has no query that can be asked here")
        return None
    return common | {
        "queries": queries,
        "unit": unit_of(panel, told),
        "thresholds": thresholds_of(panel, told),
        "options": options_of(panel, told) | _limits(panel),
    }


def heading(title: str) -> dict[str, Any]:
    """A row of Grafana: a title over what follows."""
    return {"title": "", "type": "text", "options": {"text": f"## {title}"}}


def links_of(holder: Any, told: Told) -> list[dict[str, str]]:
    """Links to other servers; those within Grafana lead nowhere here."""
    found = []
    for link in items(holder, "links"):
        url, title = text(link, "url"), text(link, "title")
        if url.startswith(("http://", "https://")):
            found.append({"url": url, "title": title})
        else:
            told.say(f"the link {title!r} within Grafana")
    return found


def _series_type(panel: Any) -> str:
    """Lines, areas or bars; nearly empty areas are lines."""
    custom = at(panel, "fieldConfig", "defaults", "custom")
    if text(custom, "drawStyle") == "bars" or at(panel, "bars") is True:
        return "bar"
    stacked = text(custom, "stacking", "mode") in {"normal", "percent"} or at(panel, "stack") is True
    filled = (number(custom, "fillOpacity") or 0) >= _FILLED or (number(panel, "fill") or 0) * 10 >= _FILLED
    return "area" if stacked or filled else "line"


def _markdown(panel: Any, told: Told) -> str:
    mode = text(panel, "options", "mode") or text(panel, "mode")
    if mode == "html":
        told.say("HTML: it is shown as text")
    return text(panel, "options", "content") or text(panel, "content")


def _limits(panel: Any) -> dict[str, Any]:
    limit = number(panel, "options", "reduceOptions", "limit")
    return {"limit": int(limit)} if limit is not None and 1 <= limit <= 10_000 else {}  # noqa: PLR2004 - ours


def _tell_rest(panel: Any, told: Told) -> None:
    """What panels can have besides, and ours can't."""
    names = sorted({text(entry, "id") for entry in items(panel, "transformations")})
    for is_there, what in (
        (names, f"transformations: {', '.join(names)}"),
        (items(panel, "fieldConfig", "overrides") or items(panel, "seriesOverrides"), "overrides of single series"),
        (items(panel, "fieldConfig", "defaults", "mappings"), "texts for values"),
        (items(panel, "fieldConfig", "defaults", "links"), "links of values"),
        (text(panel, "repeat"), f"repeating for each value of {text(panel, 'repeat')}"),
        (at(panel, "alert"), "its alert rule"),
        (text(panel, "timeFrom") or text(panel, "timeShift"), "a time range of its own"),
    ):
        if is_there:
            told.say(what)
