"""The views ``spans``, ``logs``, ``metrics``, ``occurrences`` and ``monitoring_metrics`` that SQL is written against.

docs/data-layout.md describes them, and what other parts of the server offer beside them (``QuerySession.offered``).

A view has the signal's fixed columns under friendly names and one column for each attribute key. A key that is stored
under several types or in several positions is one column here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.query.logs.severity import COLUMNS as SEVERITY_COLUMNS
from spanglass_server.query.logs.severity import severity_sql
from spanglass_server.query.monitoring.measurements import all_measurements
from spanglass_server.query.semantic_conventions.semconv_numbers import NUMBERS
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import (
    ASKED,
    FIXED_COLUMNS,
    LIST_POSITIONS,
    POSITIONS,
    SQL_TYPES,
    AttributeColumn,
    Signal,
    ValueType,
    quote_identifier,
)
from spanglass_server.store.ports import ALL_TIME, QueryError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from spanglass_server.store.ports import OfferedTable, QuerySession

#: The view of measurements, which is made of data points and spans.
MEASUREMENTS = "monitoring_metrics"

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
    Signal.OCCURRENCES: {
        "time": (("time_ns",), _TIME),
        "trace_id": (("trace_id",), _HEX),
        "span_id": (("span_id",), _HEX),
        "source": (("source",), "['span', 'log'][{0} + 1]"),
    },
}

#: DuckDB's clocks have a time zone, which it does not compare with a view's times: ``time > now() - INTERVAL 1 HOUR``.
_CLOCKS = ("now", "get_current_timestamp", "transaction_timestamp", "current_timestamp")
_NOW = "make_timestamp_ns(epoch_ns(system.main.get_current_timestamp()))"

_NUMBERS = {ValueType.INT, ValueType.DOUBLE}


def open_views(session: QuerySession, views: Collection[str] = ASKED, columns: Collection[str] | None = None) -> None:
    """Define the named views for this session, over all stored time.

    ``columns`` (lower-case view columns) limits a view to those: naming few spares DuckDB the planning of many, and
    an unknown name is ignored. A view is temporary: it ends with the session's cursor.
    """
    for function in _CLOCKS:
        session.execute(f"CREATE OR REPLACE TEMP MACRO {function}() AS {_NOW}")
    for signal in ASKED:
        if signal.value in views:
            session.execute(_view_sql(session, signal, columns))
    for name, table in session.offered().items():
        if name in views:
            session.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {_offered_sql(session, table)}")
    if MEASUREMENTS in views:
        session.execute(f"CREATE OR REPLACE TEMP VIEW {MEASUREMENTS} AS {all_measurements(session)}")


def _offered_sql(session: QuerySession, table: OfferedTable) -> str:
    """All columns of a table of the server's own, in the types that it says."""
    try:
        rows = table.rows()
    except OSError as error:
        raise QueryError(f"what the server keeps can't be read: {error}") from error
    columns = ", ".join(
        f"CAST({quote_identifier(name)} AS {table.types[name]}) AS {quote_identifier(name)}"
        if name in table.types
        else quote_identifier(name)
        for name in rows.column_names
    )
    return f"SELECT {columns} FROM {session.table(rows)}"  # noqa: S608 - names and types are our own


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
    """Return the columns of a signal's view: name -> (stored columns it reads, SQL over them).

    Names that differ only in case are one column, as DuckDB's names are.
    """
    attributes = [column for name in stored if (column := AttributeColumn.parse(name)) is not None]
    present = {column.name for column in attributes} | set(FIXED_COLUMNS[signal])
    columns: dict[str, tuple[tuple[str, ...], str]] = {}
    for name, (sources, template) in COMPUTED[signal].items():
        quoted = [quote_identifier(source) if source in present else "NULL::VARCHAR" for source in sources]
        columns[name] = (tuple(source for source in sources if source in present), template.format(*quoted))
    for name, kind in FIXED_COLUMNS[signal].items():
        quoted_name = quote_identifier(name)
        columns.setdefault(name, ((name,), _double(quoted_name) if kind == "DOUBLE" else quoted_name))
    return columns | _attribute_columns(signal, attributes, taken=columns)


def _attribute_columns(
    signal: Signal, attributes: list[AttributeColumn], taken: Collection[str]
) -> dict[str, tuple[tuple[str, ...], str]]:
    by_key: dict[str, list[AttributeColumn]] = {}
    by_place: dict[str, list[AttributeColumn]] = {}
    for column in sorted(attributes, key=lambda column: (POSITIONS[signal].index(column.position), column.name)):
        by_place.setdefault(_place(column).lower(), []).append(column)
        if column.position not in LIST_POSITIONS:
            by_key.setdefault(column.key.lower(), []).append(column)
    unusable = {"", *(name.lower() for name in taken)}  # DuckDB knows no column without a name
    names = {
        place: columns
        for place, columns in by_place.items()
        if columns[0].is_list or columns[0].key.lower() in unusable or _is_elsewhere(columns[0], by_key)
    }
    for key, columns in by_key.items():
        if key in names:  # the key is called like the place of another: it is found at its own
            names |= {place: by_place[place] for place in (_place(column).lower() for column in columns)}
        elif key not in unusable:
            names[key] = columns
    view: dict[str, tuple[tuple[str, ...], str]] = {}
    for name, columns in sorted(names.items()):
        shown = columns[0].key if name == columns[0].key.lower() else _place(columns[0])
        view[shown] = _merged(columns)
        texts = _texts(columns)
        if texts is not None:
            view.setdefault(f"{shown}:str", texts)
    return view


def _place(column: AttributeColumn) -> str:
    return f"{column.position}.{column.key}"


def _is_elsewhere(column: AttributeColumn, by_key: Mapping[str, list[AttributeColumn]]) -> bool:
    """Whether the key stands in other positions too."""
    return any(other.position != column.position for other in by_key[column.key.lower()])


def _merged(columns: list[AttributeColumn]) -> tuple[tuple[str, ...], str]:
    """SQL for the value of a key: the first column that is not null, in a type that fits all of them.

    A key that the semantic conventions say is a number is one, whatever a sender writes: what is no number is null.
    """
    kinds = {column.type for column in columns}
    target = NUMBERS.get(columns[0].key)
    cast = "TRY_CAST"
    if target is not None:
        columns = [column for column in columns if column.type in _NUMBERS | {ValueType.STR}] or columns
        target = "DOUBLE" if ValueType.DOUBLE in kinds else target
    elif len({column.sql_type for column in columns}) > 1:
        cast, target = "CAST", "DOUBLE" if kinds <= _NUMBERS else "VARCHAR"
    values = [_value(column, cast, target) for column in columns]
    expression = values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"
    return tuple(column.name for column in columns), expression


def _value(column: AttributeColumn, cast: str, target: str | None) -> str:
    """SQL for a column's value in a type, or in its own."""
    name = quote_identifier(column.name)
    if target is not None and target != SQL_TYPES[column.type]:
        return f"{cast}({name} AS {target}{'[]' if column.is_list else ''})"
    return name if column.is_list or column.type is not ValueType.DOUBLE else _double(name)


def _texts(columns: list[AttributeColumn]) -> tuple[tuple[str, ...], str] | None:
    """SQL for what was sent as something else of a key that is a number by convention; None where all are numbers."""
    others = [column for column in columns if column.type not in _NUMBERS]
    if not others or columns[0].key not in NUMBERS:
        return None
    values = [_value(column, "CAST", "VARCHAR") for column in others]
    return tuple(column.name for column in others), f"coalesce({', '.join(values)})"


def _double(name: str) -> str:
    """SQL for a double that compares alike in memory and in segments.

    DuckDB hands ``column > 5`` down to Parquet's statistics, which leave NaN out, and to Arrow, where it is not larger;
    by itself it calls NaN larger than all numbers. What is computed is not handed down.
    """
    return f"CASE WHEN isnan({name}) THEN 'NaN'::DOUBLE ELSE {name} END"
