"""A trace in columns (docs/api.md) as the spans that pages draw; ``static/js/columns.js`` reads the same answer.

What a page and its script draw comes from one answer, so both show a trace at one moment, also while it goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from spanglass_server.query.traces.collecting import paused_collector

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Fields of a chosen span that its row says: it is drawn from them.
_OF_ROW = ("key", "depth", "offset_ns", "duration_ns", "self_time_ns", "skew_ns", "start_unknown", "orphan", "children",
           "state", "last_heard_time", "status", "parent_key")  # fmt: skip
#: What is shown of a span that could not be read in full.
_UNREAD: dict[str, Any] = {"parent_span_id": None, "resource": {}, "scope": {"name": "", "version": ""}, "links": []}


def unpack(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the trace with ``spans``: fields of the answer, ``span_id``, ``parent_key``, the query as an attribute."""
    names = list(answer["columns"])
    columns = [_column(column, answer["span_count"]) for column in answer["columns"].values()]
    with paused_collector():
        spans = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
        above: list[str] = []
        for span in spans:
            del above[span["depth"] :]
            span["span_id"] = span["key"].partition("-")[0]
            span["parent_key"] = above[-1] if above else None
            above.append(span["key"])
            span["attributes"] = {"db.query.text": span["query"]} if span["query"] else {}
    head = {name: value for name, value in answer.items() if name not in ("columns", "attributes")}
    return {**head, "spans": spans}


def _column(column: Any, count: int) -> Sequence[Any]:
    if isinstance(column, list):
        return column
    if "at" in column:
        values = column["values"]
        return [values[at] for at in column["at"]]
    found = [column["else"]] * count
    for row, value in zip(column["rows"], column["values"], strict=True):
        found[row] = value
    return found


def in_full(span: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    """Return a span with all that was read of it, and with what its row says; without it, what the row says."""
    return {**_UNREAD, **span, **whole, **{name: span[name] for name in _OF_ROW}}


def as_data(value: Any) -> str:
    """Write a value as JSON for a ``script`` element of data, out of which no text can lead."""
    return orjson.dumps(value).decode().replace("<", "\\u003c")
