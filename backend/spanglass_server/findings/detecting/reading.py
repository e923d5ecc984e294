"""The spans of a stretch of time in columns, as detectors read them: what each called, and which request it is part of.

A *request* is here what a service does from where it is called: a span whose parent is of another service, or unknown,
or that is a server or consumer, with all spans of the same service below it. Siblings that run at once and helpers in
between are part of it, so a pattern that is spread over them is one pattern.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.findings.detecting.senders import read_sent
from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.records import match_records
from spanglass_server.query.statements import one_of, run, statement
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import AttributeColumn, Signal, ValueType, quote_identifier, quote_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from numpy.typing import NDArray

    from spanglass_server.query.records import Records
    from spanglass_server.store.ports import QuerySession, Window

    #: What tells spans from others, for as long as the process runs.
    Marks = NDArray[np.uint64]

#: What is read of attributes, by the names of today; older ones are read too.
_TEXTS: Final = {
    "system": "db.system.name",
    "query": "db.query.text",
    "address": "server.address",
    "port": "server.port",
    "method": "http.request.method",
    "url": "url.full",
    "path": "url.path",
    "release": "service.version",
}
_NUMBERS: Final = {
    "status": "http.response.status_code",
    "resend": "http.request.resend_count",
    "received": "http.response.body.size",
    "sent": "http.request.body.size",
}
_FIXED: Final = ("trace_id", "span_id", "parent_span_id", "name", "kind", "start_time_ns", "duration_ns", "status_code",
          "link_trace_id", "link_span_id")  # fmt: skip
#: Columns with the parameters of statements; of more of them each record has a few.
_PARAMETERS: Final = ("db.query.parameter.", "db.statement.parameters")
_MOST_PARAMETERS: Final = 20
#: Numbers on spans that may say how much there was to do, by the end of their key.
_SIZES: Final = ("count", "size", "length", "rows", "items", "bytes", "quantity", "pages")
_MOST_SIZES: Final = 12
#: Chains of parents are followed so often, each time twice as far: a million spans deep. Circles end there too.
_DOUBLINGS: Final = 20
#: Kinds of spans that begin a request: server and consumer.
_BEGIN: Final = (2, 5)


def read_spans(
    session: QuerySession,
    window: Window,
    *,
    own: Window | None = None,
    seen: Marks | None = None,
    trace_ids: Collection[bytes] = (),
) -> pa.Table:
    """Read the spans of a window, or those of some traces of it, a row each, without copies.

    ``row`` numbers them, ``parent`` and ``request`` are rows (-1 without a parent), ``is_called`` says that a span of
    another request is below it, ``is_leaf`` that none is. What begins with ``request_`` is of the request.
    ``sizes`` are pairs of names and numbers. ``sent_ns`` is when a consumer's message was sent, -1 where none is known.
    Spans are told of (``is_told``) that began in ``own``, all without it, and
    whose ``mark`` is not among those of ``seen``.
    """
    records = match_records(session, Signal.SPANS, window)
    if trace_ids:
        among = Sql(f"trace_id IN {one_of(trace_ids).text}")
        records = replace(records.restricted(among, "trace_id"), trace_ids=frozenset(trace_ids))
    relation, selected = _selection(session, records)
    found = run(session, statement("findings/spans", selected=selected, relation=relation, where=records.predicate))
    parents = _parents(session, found) if found.num_rows else np.empty(0, np.int64)
    found = found.append_column("sent_ns", pa.array(read_sent(session, found)))
    return _joined(found, parents).append_column("is_told", pa.array(_told(found, own, seen)))


def _told(spans: pa.Table, own: Window | None, seen: Marks | None) -> NDArray[np.bool_]:
    """Which spans, with the requests that begin with them, are told of."""
    told = np.ones(spans.num_rows, np.bool_)
    if own is not None:
        starts = spans["start_ns"].to_numpy()
        told &= (starts >= own.start_ns) & (starts < own.end_ns)
    if seen is not None:
        told &= ~np.isin(spans["mark"].to_numpy(), seen)
    return told


def _selection(session: QuerySession, records: Records) -> tuple[Sql, Sql]:
    """The relation to read, and what is selected of it, each under its name."""
    columns: set[str] = {*_FIXED, SERVICE}
    parts = [Sql(f"{SERVICE_NAME.text} AS service")]
    for name, key, type_ in (
        *((name, key, "VARCHAR") for name, key in _TEXTS.items()),
        *((name, key, "BIGINT") for name, key in _NUMBERS.items()),
    ):
        expression, needed = records.expression(key, key)
        columns |= needed
        parts.append(Sql(f"TRY_CAST({expression.text} AS {type_}) AS {name}", expression.parameters))
    own = [column for column in map(AttributeColumn.parse, records.known) if column and column.position == "span"]
    parameters = [column.name for column in own if column.key.startswith(_PARAMETERS)][:_MOST_PARAMETERS]
    sizes = sorted((column for column in own if _is_size(column)), key=lambda column: column.key)[:_MOST_SIZES]
    columns.update(parameters, (column.name for column in sizes))
    parts.append(Sql(f"{_joined_texts(parameters)} AS parameters"))
    parts.append(Sql(f"{_pairs(sizes)} AS sizes"))
    selected = Sql(", ".join(part.text for part in parts), tuple(value for part in parts for value in part.parameters))
    return records.relation(session, columns), selected


def _is_size(column: AttributeColumn) -> bool:
    """Whether numbers of a column may say how much there was to do."""
    last = column.key.lower().replace("-", "_").replace(".", "_").rpartition("_")[2]
    return column.type in {ValueType.INT, ValueType.DOUBLE} and last in _SIZES


def _joined_texts(columns: Collection[str]) -> str:
    """SQL: all of some columns as one text; NULL where a row has none."""
    texts = ", ".join(f"{quote_identifier(name)}::VARCHAR" for name in columns)
    return f"nullif(concat_ws(chr(31), {texts}), '')" if columns else "NULL::VARCHAR"


def _pairs(columns: Iterable[AttributeColumn]) -> str:
    """SQL: the columns that a row has, as a list of names and numbers."""
    pairs = [f"{{'key': {quote_text(one.key)}, 'value': {quote_identifier(one.name)}::DOUBLE}}" for one in columns]
    if not pairs:
        return "NULL::STRUCT(key VARCHAR, value DOUBLE)[]"
    return f"list_filter([{', '.join(pairs)}], lambda pair: pair.value > 0)"


def _parents(session: QuerySession, spans: pa.Table) -> NDArray[np.int64]:
    """The row of each span's parent, -1 for those without one among them."""
    ids = spans.select(["row", "trace_id", "span_id", "parent_span_id", "service"])
    found = run(session, statement("findings/parents", spans=Sql(session.table(ids))))
    parents = np.full(spans.num_rows, -1, np.int64)
    parents[found["row"].to_numpy()] = found["parent"].to_numpy()
    return parents


def _joined(spans: pa.Table, parents: NDArray[np.int64]) -> pa.Table:
    """Add to spans what is known by who is below whom."""
    count = spans.num_rows
    own = np.arange(count)
    services = pc.dictionary_encode(spans["service"].combine_chunks()).indices.to_numpy(zero_copy_only=False)
    begins = np.isin(spans["kind"].to_numpy(), _BEGIN) | (parents < 0)
    has_parent = parents >= 0
    begins[has_parent] |= services[has_parent] != services[parents[has_parent]]
    requests = np.where(begins, own, parents)
    for _ in range(_DOUBLINGS):
        further = requests[requests]
        if np.array_equal(further, requests):
            break
        requests = further
    called, leaf = np.zeros(count, np.bool_), np.ones(count, np.bool_)
    called[parents[has_parent & begins]] = True
    leaf[parents[has_parent]] = False
    joined = spans.append_column("parent", pa.array(parents)).append_column("request", pa.array(requests))
    joined = joined.append_column("is_called", pa.array(called)).append_column("is_leaf", pa.array(leaf))
    for name in ("name", "kind", "start_ns", "ns"):
        joined = joined.append_column(f"request_{name}", spans[name].take(pa.array(requests)))
    return joined
