"""The views ``spans``, ``logs`` and ``metrics`` that SQL is written against (docs/data-layout.md).

A view has the signal's fixed columns under friendly names and one column for each attribute key. A key that is stored
under several types or in several positions is one column here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.query.logs.severity import COLUMNS as SEVERITY_COLUMNS
from spanglass_server.query.logs.severity import severity_sql
from spanglass_server.query.matching import SERVICE
from spanglass_server.signals import (
    FIXED_COLUMNS,
    LIST_POSITIONS,
    POSITIONS,
    AttributeColumn,
    Signal,
    ValueType,
    quote_identifier,
)
from spanglass_server.store.ports import ALL_TIME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from spanglass_server.store.ports import QuerySession

_TIME = "make_timestamp_ns({0})"
_TIMES = "list_transform({0}, lambda t: make_timestamp_ns(t))"
_HEX = "lower(hex({0}))"
_HEXES = "list_transform({0}, lambda id: lower(hex(id)))"

#: View columns that are computed: their name, the stored columns they read, and the expression over them.
COMPUTED: dict[Signal, dict[str, tuple[tuple[str, ...], str]]] = {
    Signal.SPANS: {
        "start_time": (("start_time_ns",), _TIME),
        "end_time": (("start_time_ns", "duration_ns"), "make_timestamp_ns({0} + {1})"),
        "duration_ms": (("duration_ns",), "{0} / 1e6"),
        "service_name": ((SERVICE,), "{0}"),
        "trace_id": (("trace_id",), _HEX),
        "span_id": (("span_id",), _HEX),
        "parent_span_id": (("parent_span_id",), _HEX),
        "kind": (
            ("kind",),
            "['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'][coalesce({0}, 0) + 1]",
        ),
        "status": (("status_code",), "['unset', 'ok', 'error'][coalesce({0}, 0) + 1]"),
        "event_time": (("event_time_ns",), _TIMES),
        "link_trace_id": (("link_trace_id",), _HEXES),
        "link_span_id": (("link_span_id",), _HEXES),
    },
    Signal.LOGS: {
        "time": (("time_ns",), _TIME),
        "observed_time": (("observed_time_ns",), _TIME),
        "service_name": ((SERVICE,), "{0}"),
        "severity": (SEVERITY_COLUMNS, severity_sql()),
        "trace_id": (("trace_id",), _HEX),
        "span_id": (("span_id",), _HEX),
    },
    Signal.METRICS: {
        "time": (("time_ns",), _TIME),
        "start_time": (("start_time_ns",), _TIME),
        "service_name": ((SERVICE,), "{0}"),
        "value": (("value_double", "value_int"), "coalesce({0}, {1}::DOUBLE)"),
        "temporality": (("temporality",), "['delta', 'cumulative'][{0}]"),
        "exemplar_time": (("exemplar_time_ns",), _TIMES),
        "exemplar_trace_id": (("exemplar_trace_id",), _HEXES),
        "exemplar_span_id": (("exemplar_span_id",), _HEXES),
    },
}

#: DuckDB's clocks have a time zone, which it does not compare with a view's times: ``time > now() - INTERVAL 1 HOUR``.
_CLOCKS = ("now", "get_current_timestamp", "transaction_timestamp", "current_timestamp")
_NOW = "make_timestamp_ns(epoch_ns(system.main.get_current_timestamp()))"

_NUMBERS = {ValueType.INT, ValueType.DOUBLE}


def open_views(
    session: QuerySession, views: Collection[str] = tuple(Signal), columns: Collection[str] | None = None
) -> None:
    """Define the named views for this session, over all stored time.

    ``columns`` (lower-case view columns) limits a view to those: naming few spares DuckDB the planning of many, and
    an unknown name is ignored. A view is temporary: it ends with the session's cursor.
    """
    for function in _CLOCKS:
        session.execute(f"CREATE OR REPLACE TEMP MACRO {function}() AS {_NOW}")
    for signal in Signal:
        if signal.value in views:
            session.execute(_view_sql(session, signal, columns))


def _view_sql(session: QuerySession, signal: Signal, columns: Collection[str] | None) -> str:
    stored = list(session.columns(signal, ALL_TIME))
    definitions = {
        name: definition
        for name, definition in view_columns(signal, stored).items()
        if columns is None or name.lower() in columns
    }
    if not definitions:
        # count(*) names no column; one is needed to count rows
        definitions = dict([next(iter(view_columns(signal, stored).items()))])
    sources = dict.fromkeys(source for sources, _ in definitions.values() for source in sources)
    selected = ", ".join(f"{sql} AS {quote_identifier(name)}" for name, (_, sql) in definitions.items())
    relation = session.relation(signal, ALL_TIME, list(sources))
    # a view's name cannot be bound; it comes from the enumeration of signals
    return f"CREATE OR REPLACE TEMP VIEW {signal.value} AS SELECT {selected} FROM {relation}"  # noqa: S608


def view_columns(signal: Signal, stored: Iterable[str]) -> dict[str, tuple[tuple[str, ...], str]]:
    """Give the columns of a signal's view: name -> (stored columns it reads, SQL over them).

    Names that differ only in case are one column, as DuckDB's names are.
    """
    attributes = [column for name in stored if (column := AttributeColumn.parse(name)) is not None]
    present = {column.name for column in attributes} | set(FIXED_COLUMNS[signal])
    columns: dict[str, tuple[tuple[str, ...], str]] = {}
    for name, (sources, template) in COMPUTED[signal].items():
        quoted = [quote_identifier(source) if source in present else "NULL::VARCHAR" for source in sources]
        columns[name] = (tuple(source for source in sources if source in present), template.format(*quoted))
    for name in FIXED_COLUMNS[signal]:
        columns.setdefault(name, ((name,), quote_identifier(name)))
    return columns | _attribute_columns(signal, attributes, taken=columns)


def _attribute_columns(
    signal: Signal, attributes: list[AttributeColumn], taken: Collection[str]
) -> dict[str, tuple[tuple[str, ...], str]]:
    by_key: dict[str, list[AttributeColumn]] = {}
    by_place: dict[str, list[AttributeColumn]] = {}
    for column in sorted(attributes, key=lambda column: (POSITIONS[signal].index(column.position), column.name)):
        by_place.setdefault(f"{column.position}.{column.key}".lower(), []).append(column)
        if column.position not in LIST_POSITIONS:
            by_key.setdefault(column.key.lower(), []).append(column)
    names: dict[str, list[AttributeColumn]] = {}
    lower_taken = {name.lower() for name in taken}
    for place, columns in by_place.items():
        key = columns[0].key.lower()
        alone = len({column.position for column in by_key.get(key, ())}) == 1
        if columns[0].is_list or not alone or key in lower_taken:
            names[place] = columns
    names |= {key: columns for key, columns in by_key.items() if key not in lower_taken and key not in names}
    return {_shown(name, columns): _merged(columns) for name, columns in sorted(names.items())}


def _shown(name: str, columns: list[AttributeColumn]) -> str:
    """Give the name as it was first written, with its case."""
    column = columns[0]
    return column.key if name == column.key.lower() else f"{column.position}.{column.key}"


def _merged(columns: list[AttributeColumn]) -> tuple[tuple[str, ...], str]:
    """Build one expression over the columns of a key: the first that is not null, in a type that fits all of them."""
    kinds = {column.type for column in columns}
    quoted = [quote_identifier(column.name) for column in columns]
    if len({column.sql_type for column in columns}) > 1:
        target = ("DOUBLE" if kinds <= _NUMBERS else "VARCHAR") + ("[]" if columns[0].is_list else "")
        quoted = [f"CAST({name} AS {target})" for name in quoted]
    expression = quoted[0] if len(quoted) == 1 else f"coalesce({', '.join(quoted)})"
    return tuple(column.name for column in columns), expression
