"""Filters as queries of panels: figures of matching records over time, and the records themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_server.dashboards.data.lines import Evaluated, Lines
from spanglass_server.query.language.parsing.text import quote
from spanglass_server.query.logs.search import search_logs
from spanglass_server.query.matching import SpanQuestion
from spanglass_server.query.record_series import DURATION_KEYS, RecordSeries, keys_of, record_series
from spanglass_server.query.traces.search import Page, search_traces
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    import pyarrow as pa

    from spanglass_server.dashboards.data.lines import Grid
    from spanglass_server.dashboards.model import Query
    from spanglass_server.store.ports import QuerySession, Window

#: Cells of groups and steps that are read; more groups than that are not drawn anyway.
_MAX_CELLS = 500_000


def evaluate_filter(session: QuerySession, query: Query, filter_text: str, grid: Grid) -> Evaluated:
    """Figures of the records that match, by the query's keys."""
    asked = RecordSeries(
        Signal(query.signal),
        filter_text,
        query.aggregate,
        query.by,
        grid.first_ms * NS_PER_MS,
        grid.step_ms * NS_PER_MS,
        grid.size,
    )
    found = record_series(session, asked, _MAX_CELLS)
    notes = (f"only {_MAX_CELLS} groups and steps are read",) if found.num_rows == _MAX_CELLS else ()
    lines = _lines(found, query, grid.size)
    return Evaluated(lines, notes=notes, unit=_unit(query.aggregate), signal=query.signal, records=filter_text)


def _lines(found: pa.Table, query: Query, size: int) -> Lines:
    """A row a group; counts are 0 where nothing is, other figures have no value there."""
    names = keys_of(query.by)
    columns = [found.column(name).combine_chunks().dictionary_encode() for name in names]
    groups = np.zeros(found.num_rows, np.int64)
    for column in columns:
        codes = column.indices.to_numpy(zero_copy_only=False)
        codes = np.where(np.isnan(codes), -1, codes) if codes.dtype.kind == "f" else codes
        groups = groups * (len(column.dictionary) + 1) + codes.astype(np.int64) + 1
        groups = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    _, first, of_row = np.unique(groups, return_index=True, return_inverse=True)
    is_count = query.aggregate.strip() in {"count", "rate"}
    values = np.full((len(first), size), 0.0 if is_count else np.nan)
    buckets = found.column("bucket").to_numpy()
    values[of_row, buckets] = found.column("value").to_numpy(zero_copy_only=False)
    texts = [[value or "" for value in found.column(name).take(first).to_pylist()] for name in names]
    rows = list(zip(*texts, strict=True)) if names else [()] * len(first)
    order = sorted(range(len(rows)), key=rows.__getitem__)
    return Lines(tuple(dict(zip(query.by, rows[row], strict=True)) for row in order), values[order])


def _unit(aggregate: str) -> str:
    if any(f"({key})" in aggregate.replace(" ", "") for key in DURATION_KEYS):
        return "s"
    return {"rate": "/s", "error_rate": "ratio"}.get(aggregate.strip(), "")


def narrowed(filter_text: str, labels: dict[str, str], by: tuple[str, ...]) -> str:
    """The filter of the records behind one series."""
    terms = [f"{key} = {quote(labels[key])}" if labels.get(key) else f"not {key} exists" for key in by]
    return " and ".join([f"({filter_text})"] * bool(filter_text.strip()) + terms)


def find_records(
    session: QuerySession, signal: str, filter_text: str, window: Window, limit: int, now_ns: int
) -> list[dict[str, Any]]:
    """The newest records, or traces, that match, as the API gives them."""
    if signal == Signal.LOGS:
        found: Any = search_logs(session, window, filter_text=filter_text, limit=limit)["logs"]  # type: ignore[typeddict-item]
    else:
        found = search_traces(session, SpanQuestion(window, filter_text), Page(limit=limit), now_ns)["traces"]
    return list(found)
