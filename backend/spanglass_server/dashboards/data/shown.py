"""From what queries gave to the answer of a panel: names, limits, levels, tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_server.dashboards.data.lines import Lines, calculate
from spanglass_server.dashboards.data.records import narrowed
from spanglass_server.query.language.parsing.text import quote
from spanglass_server.query.window import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from spanglass_server.dashboards.answers import HeatmapJson, PanelData, SeriesJson, TableJson
    from spanglass_server.dashboards.data.lines import Evaluated, Grid
    from spanglass_server.dashboards.data.substitution import Substitution
    from spanglass_server.dashboards.model import Panel, Query, Threshold
    from spanglass_server.forms.problems import Problem

MAX_SERIES = 100
MAX_ROWS = 1000
_TOP = 10
_FEW_LABELS = 2  # of one series, which name it without a legend
_PLACE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_NAME = "__name__"
#: Labels that name a service; a job is a namespace, if there is one, and a service.
_SERVICES = ("service_name", "service.name", "job")
_CONDITIONS = re.compile(r"\{[^{}]*\}")
#: Labels by which records behind a series are found, and their keys in filters.
_KEYS = {
    "service_name": "service.name",
    "http_route": "http.route",
    "http_request_method": "http.request.method",
    "host_name": "host.name",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that the answer is made of."""

    panel: Panel
    texts: Substitution
    grid: Grid
    evaluated: Mapping[str, Evaluated]
    records: list[dict[str, Any]] | None
    notes: tuple[str, ...]
    errors: tuple[Problem, ...]
    service_slot: Callable[[str], int]


def as_json(shown: Shown) -> PanelData:
    """The answer of a panel."""
    panel, texts = shown.panel, shown.texts
    notes = [note for evaluated in shown.evaluated.values() for note in evaluated.notes]
    times, series = _series(shown, notes)
    table = _table(shown, series, notes) if panel.type == "table" else None
    units = {evaluated.unit for evaluated in shown.evaluated.values()}
    return {
        "window": describe(texts.window),
        "step_ms": shown.grid.step_ms,
        "type": panel.type,
        "title": texts.text(panel.title),
        "description": texts.text(panel.description),
        "text": texts.text(panel.options.text),
        "unit": panel.unit or (units.pop() if len(units) == 1 else ""),
        "links": [{"title": texts.text(link.title), "url": texts.url(link.url)} for link in panel.links],
        "times": times.tolist(),
        "series": [] if table is not None else series,
        "table": table,
        "heatmap": _heatmap(shown),
        "records": shown.records,
        "notes": list(dict.fromkeys([*shown.notes, *notes])),
        "errors": [
            {
                "query": problem.path,
                "message": problem.message,
                "line": problem.line or None,
                "column": problem.column or None,
                "hint": problem.hint or None,
            }
            for problem in shown.errors
        ],
    }


def _series(shown: Shown, notes: list[str]) -> tuple[NDArray[np.int64], list[SeriesJson]]:
    """All series of visible queries on one line of times."""
    drawn = [
        (query, evaluated, evaluated.lines)
        for query in shown.panel.queries
        if (evaluated := shown.evaluated.get(query.id)) is not None and evaluated.lines is not None and not query.hidden
    ]
    own = [shown.grid.times_ms if one.times_ms is None else one.times_ms for _, one, _ in drawn]
    times = np.unique(np.concatenate(own)) if own else np.empty(0, np.int64)
    series: list[SeriesJson] = []
    for (query, evaluated, lines), at in zip(drawn, own, strict=True):
        values = np.full((len(lines.labels), len(times)), np.nan)
        values[:, np.searchsorted(times, at)] = lines.values
        series += _of_query(shown, query, evaluated, Lines(lines.labels, values))
    return times, _limited(shown.panel, series, notes)


def _of_query(shown: Shown, query: Query, evaluated: Evaluated, lines: Lines) -> list[SeriesJson]:
    panel = shown.panel
    legend = shown.texts.text(query.legend or panel.legend)
    numbers = calculate(lines.values, panel.options.calculation)
    names = _names(legend, query, lines.labels, alone=len(panel.queries) == 1)
    return [
        {
            "query": query.id,
            "name": name,
            "labels": labels,
            "values": values,
            "value": None if number != number else number,  # noqa: PLR0124 - the test for NaN
            "level": _level(number, panel.thresholds),
            "slot": _slot(labels, shown.service_slot),
            "records": _records(query, evaluated, labels),
        }
        for name, labels, values, number in zip(
            names, lines.labels, lines.values.tolist(), numbers.tolist(), strict=True
        )
    ]


def _names(legend: str, query: Query, labels: Sequence[Mapping[str, str]], *, alone: bool) -> list[str]:
    """By the legend; where it says nothing by the labels in which series differ, else by the query."""
    said = [_PLACE.sub(lambda place, own=each: own.get(place[1], ""), legend).strip() for each in labels]  # type: ignore[misc]
    if said and all(said):
        return said
    keys = sorted({key for each in labels for key in each})
    telling = [key for key in keys if len({each.get(key, "") for each in labels}) > 1]
    if len(labels) == 1 and len(keys) <= _FEW_LABELS:
        telling = [key for key in keys if key != _NAME]
    names = []
    for each in labels:
        own = ", ".join(each.get(key) or f"no {key}" for key in telling if key != _NAME or each.get(key))
        fallback = each.get(_NAME) or _otherwise(query)
        names.append(own if own and alone else f"{query.id}: {own}" if own else fallback)
    return [text or name for text, name in zip(said, names, strict=True)]


def _otherwise(query: Query) -> str:
    """What a query is called that says nothing else; conditions only make its text longer."""
    return query.aggregate if query.kind == "filter" else _CONDITIONS.sub("", query.text)


def _slot(labels: Mapping[str, str], service_slot: Callable[[str], int]) -> int | None:
    """The colour of the service that a series is about."""
    name = next((labels[key] for key in _SERVICES if labels.get(key)), "")
    return service_slot(name.rpartition("/")[2]) if name else None


def _level(value: float, thresholds: Sequence[Threshold]) -> str | None:
    """The level of the highest threshold that the value reached."""
    reached = [threshold for threshold in thresholds if value >= threshold.value]
    return max(reached, key=lambda threshold: threshold.value).level if reached else None


def _records(query: Query, evaluated: Evaluated, labels: Mapping[str, str]) -> dict[str, str] | None:
    """Where the records behind a series are found: a signal and a filter."""
    if query.kind == "filter":
        return {"signal": evaluated.signal, "filter": narrowed(evaluated.records, dict(labels), query.by)}
    terms = {_KEYS[name]: value for name, value in labels.items() if name in _KEYS and value}
    namespace, _, service = labels.get("job", "").rpartition("/")
    if service:
        own = {"service.name": service} | ({"service.namespace": namespace} if namespace else {})
        terms = own | terms  # a label of the service's own name is as good
    if not terms:
        return None
    return {"signal": "spans", "filter": " and ".join(f"{key} = {quote(value)}" for key, value in terms.items())}


def _limited(panel: Panel, series: list[SeriesJson], notes: list[str]) -> list[SeriesJson]:
    """At most so many series, the largest; those of a top list in order."""
    limit = panel.options.limit or (_TOP if panel.type == "top" else MAX_ROWS if panel.type == "table" else MAX_SERIES)
    ascending = panel.options.ascending

    def size(each: SeriesJson) -> float:
        value = each["value"]
        return float("inf") if value is None else value if ascending else -value

    ordered = sorted(series, key=size) if panel.type == "top" or len(series) > limit else series
    if len(series) > limit:
        word = "smallest" if ascending else "largest"
        notes.append(f"the {limit} {word} of {len(series)} series are shown; options: limit changes that")
    return ordered[:limit]


def _table(shown: Shown, series: Sequence[SeriesJson], notes: list[str]) -> TableJson:
    """Tables of SQL as they are; series as a row for each set of labels, with a column for each query."""
    tables = [evaluated.table for evaluated in shown.evaluated.values() if evaluated.table is not None]
    if tables:
        if len(tables) > 1:
            notes.append("only the table of the first query is shown")
        rows = tables[0].rows[: shown.panel.options.limit or MAX_ROWS]
        return _chosen_columns(shown.panel, {"columns": tables[0].columns, "rows": rows})
    keys = sorted({key for each in series for key in each["labels"] if key != _NAME})
    queries = list(dict.fromkeys(each["query"] for each in series))
    rows_by_labels: dict[tuple[str, ...], dict[str, float | None]] = {}
    for each in series:
        row = rows_by_labels.setdefault(tuple(each["labels"].get(key, "") for key in keys), {})
        row[each["query"]] = each["value"]
    titles = {query.id: query.legend or _otherwise(query) for query in shown.panel.queries}
    columns = [{"name": key, "type": "text"} for key in keys]
    units = {query: shown.panel.unit or shown.evaluated[query].unit for query in queries}
    columns += [{"name": titles[query], "type": "number", "unit": units[query]} for query in queries]
    rows = [[*labels, *(row.get(query) for query in queries)] for labels, row in rows_by_labels.items()]
    return _chosen_columns(shown.panel, {"columns": columns, "rows": rows})


def _chosen_columns(panel: Panel, table: TableJson) -> TableJson:
    names = [column["name"] for column in table["columns"]]
    places = [names.index(name) for name in panel.options.columns if name in names]
    if not places:
        return table
    return {
        "columns": [table["columns"][place] for place in places],
        "rows": [[row[place] for place in places] for row in table["rows"]],
    }


def _heatmap(shown: Shown) -> HeatmapJson | None:
    for evaluated in shown.evaluated.values():
        if evaluated.heatmap is not None:
            heatmap = evaluated.heatmap
            bounds = [bound if np.isfinite(bound) else None for bound in heatmap.bounds]
            return {"bounds": bounds, "counts": heatmap.counts.tolist(), "times": shown.grid.times_ms.tolist()}
    return None
