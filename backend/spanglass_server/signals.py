"""The signals and the names of their stored columns: the vocabulary that ingest, storage and queries share.

Three are sent: spans, logs and metrics. The fourth, occurrences, is derived from the first two: a row for each
exception that happened (docs/issues.md). Rollups are points of metrics, thinned (docs/rollups.md): they stand in for
the points over long ranges, and nothing else is asked of them.

Fixed columns have plain names. Every attribute is a column of its own, named ``<position>.<key>:<type>``, for
example ``span.http.route:str`` or ``resource.process.pid:int`` (positions as in TraceQL's scopes). The same key
with another type is another column; the query layer hides that from users. DuckDB's identifiers ignore case, so a
capital is written as ``^`` and its small letter, and ``^`` itself twice: ``span.^tenant:str`` is the key ``Tenant``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Signal(StrEnum):
    """A kind of stored records; the value is the name of the SQL view."""

    SPANS = "spans"
    LOGS = "logs"
    METRICS = "metrics"
    OCCURRENCES = "occurrences"
    ROLLUPS_5M = "rollups_5m"
    ROLLUPS_1H = "rollups_1h"


#: What a request can carry.
SENT = (Signal.SPANS, Signal.LOGS, Signal.METRICS)

#: What questions are about.
ASKED = (*SENT, Signal.OCCURRENCES)

#: Points of metrics, thinned.
ROLLUPS = (Signal.ROLLUPS_5M, Signal.ROLLUPS_1H)


class ValueType(StrEnum):
    """How an attribute's value is stored; arrays, maps and empty values are JSON text."""

    STR = "str"
    INT = "int"
    DOUBLE = "double"
    BOOL = "bool"
    JSON = "json"
    BYTES = "bytes"


SQL_TYPES = {
    ValueType.STR: "VARCHAR",
    ValueType.INT: "BIGINT",
    ValueType.DOUBLE: "DOUBLE",
    ValueType.BOOL: "BOOLEAN",
    ValueType.JSON: "VARCHAR",
    ValueType.BYTES: "BLOB",
}

#: Positions whose columns hold one list a row, parallel to the row's events, links or exemplars.
LIST_POSITIONS = frozenset({"event", "link", "exemplar"})

#: Positions of attributes in each signal, in the order an unscoped key is looked for.
POSITIONS = {
    Signal.SPANS: ("span", "resource", "scope", "event", "link"),
    Signal.LOGS: ("log", "resource", "scope"),
    Signal.METRICS: ("point", "resource", "scope", "exemplar"),
    Signal.OCCURRENCES: (),
    **dict.fromkeys(ROLLUPS, ("point", "resource", "scope")),
}

#: The column that orders a signal in time, in nanoseconds since 1970.
TIME_COLUMN = {
    Signal.SPANS: "start_time_ns",
    Signal.LOGS: "time_ns",
    Signal.METRICS: "time_ns",
    Signal.OCCURRENCES: "time_ns",
    **dict.fromkeys(ROLLUPS, "time_ns"),
}

#: Attributes past the limit of columns wait here, three parallel lists a row: the full column name, the value as
#: text, and the index of the event, link or exemplar (null for the record itself, its resource or its scope).
OVERFLOW_COLUMNS = {
    "overflow_name": "VARCHAR[]",
    "overflow_value": "VARCHAR[]",
    "overflow_index": "INTEGER[]",
}

_ENVELOPE = {
    "resource_schema_url": "VARCHAR",
    "resource_dropped_attributes_count": "UINTEGER",
    "resource_entity_refs": "VARCHAR",
    "scope_name": "VARCHAR",
    "scope_version": "VARCHAR",
    "scope_schema_url": "VARCHAR",
    "scope_dropped_attributes_count": "UINTEGER",
    **OVERFLOW_COLUMNS,
}

#: Fixed columns of each signal with their DuckDB types. Empty strings and zero counts of optional fields are NULL.
FIXED_COLUMNS: dict[Signal, dict[str, str]] = {
    Signal.SPANS: {
        "trace_id": "BLOB",
        "span_id": "BLOB",
        "parent_span_id": "BLOB",
        "trace_state": "VARCHAR",
        "flags": "UINTEGER",
        "name": "VARCHAR",
        "kind": "UTINYINT",
        "start_time_ns": "BIGINT",
        "duration_ns": "BIGINT",
        "end_before_start_ns": "BIGINT",
        "status_code": "UTINYINT",
        "status_message": "VARCHAR",
        "dropped_attributes_count": "UINTEGER",
        "dropped_events_count": "UINTEGER",
        "dropped_links_count": "UINTEGER",
        "event_time_ns": "BIGINT[]",
        "event_name": "VARCHAR[]",
        "event_dropped_attributes_count": "UINTEGER[]",
        "link_trace_id": "BLOB[]",
        "link_span_id": "BLOB[]",
        "link_trace_state": "VARCHAR[]",
        "link_flags": "UINTEGER[]",
        "link_dropped_attributes_count": "UINTEGER[]",
        **_ENVELOPE,
    },
    Signal.LOGS: {
        "time_ns": "BIGINT",
        "arrival_order": "BIGINT",  # larger than that of every record that could be read before; null before 0.1
        "time_is_observed": "BOOLEAN",
        "observed_time_ns": "BIGINT",
        "received_time_ns": "BIGINT",  # of announcements of open spans only, so that they are judged by one clock
        "severity_number": "UTINYINT",
        "severity_text": "VARCHAR",
        "body": "VARCHAR",
        "body_type": "VARCHAR",
        "event_name": "VARCHAR",
        "trace_id": "BLOB",
        "span_id": "BLOB",
        "flags": "UINTEGER",
        "dropped_attributes_count": "UINTEGER",
        **_ENVELOPE,
    },
    Signal.METRICS: {
        "metric_name": "VARCHAR",
        "metric_description": "VARCHAR",
        "metric_unit": "VARCHAR",
        "metric_type": "VARCHAR",
        "metric_metadata": "VARCHAR",
        "temporality": "UTINYINT",
        "is_monotonic": "BOOLEAN",
        "start_time_ns": "BIGINT",
        "time_ns": "BIGINT",
        "flags": "UINTEGER",
        "value_int": "BIGINT",
        "value_double": "DOUBLE",
        "count": "UBIGINT",
        "sum": "DOUBLE",
        "min": "DOUBLE",
        "max": "DOUBLE",
        "bucket_counts": "UBIGINT[]",
        "explicit_bounds": "DOUBLE[]",
        "scale": "INTEGER",
        "zero_count": "UBIGINT",
        "zero_threshold": "DOUBLE",
        "positive_offset": "INTEGER",
        "positive_counts": "UBIGINT[]",
        "negative_offset": "INTEGER",
        "negative_counts": "UBIGINT[]",
        "quantiles": "DOUBLE[]",
        "quantile_values": "DOUBLE[]",
        # of native histograms of Prometheus: null where unknown, and where counts are whole numbers
        "reset_hint": "UTINYINT",
        "count_double": "DOUBLE",
        "zero_count_double": "DOUBLE",
        "bucket_counts_double": "DOUBLE[]",
        "positive_counts_double": "DOUBLE[]",
        "negative_counts_double": "DOUBLE[]",
        "exemplar_time_ns": "BIGINT[]",
        "exemplar_value_int": "BIGINT[]",
        "exemplar_value_double": "DOUBLE[]",
        "exemplar_trace_id": "BLOB[]",
        "exemplar_span_id": "BLOB[]",
        **_ENVELOPE,
    },
    Signal.OCCURRENCES: {
        "time_ns": "BIGINT",
        "issue_key": "BIGINT",  # of the fingerprint; which issue it belongs to is known to the issue store
        "grouping": "INTEGER",  # by which the key was made: version times a million, and the epoch of the rules
        "service_name": "VARCHAR",
        "release": "VARCHAR",
        "environment": "VARCHAR",
        "user": "VARCHAR",
        "type": "VARCHAR",
        "message": "VARCHAR",
        "culprit": "VARCHAR",
        "handled": "BOOLEAN",  # null: the sender does not say
        "trace_id": "BLOB",
        "span_id": "BLOB",
        "source": "UTINYINT",  # 0 event of a span, 1 log record: which record tells it, see the next three
        "record_time_ns": "BIGINT",  # start of the span, time of the log record
        "event_index": "INTEGER",
        "record_order": "BIGINT",  # the log record's arrival_order
        "occurrence_id": "VARCHAR",
        "stack_hash": "BIGINT",
    },
}

FIXED_COLUMNS |= {
    rollup: {
        **{name: kind for name, kind in FIXED_COLUMNS[Signal.METRICS].items() if not name.startswith("exemplar_")},
        "sample_count": "UBIGINT",  # points since the one kept before it, itself included
        "sample_sum": "DOUBLE",  # their values' sum; null of histograms and summaries
    }
    for rollup in ROLLUPS
}

_CAPITALS = re.compile(r"[A-Z^]")
_ESCAPED = re.compile(r"\^(.)")


@dataclass(frozen=True, slots=True)
class AttributeColumn:
    """One attribute's column: where the attribute stands, its key, and its stored type."""

    position: str
    key: str
    type: ValueType

    @property
    def name(self) -> str:
        """The stored column's name."""
        key = self.key
        if _CAPITALS.search(key):
            key = _CAPITALS.sub(lambda found: "^" + found[0].lower(), key)
        return f"{self.position}.{key}:{self.type}"

    @property
    def is_list(self) -> bool:
        """Whether a row holds one value for each event, link or exemplar."""
        return self.position in LIST_POSITIONS

    @property
    def sql_type(self) -> str:
        """The column's DuckDB type."""
        return SQL_TYPES[self.type] + ("[]" if self.is_list else "")

    @classmethod
    @lru_cache(maxsize=4096)
    def parse(cls, name: str) -> AttributeColumn | None:
        """Read a stored column's name; None for a fixed column."""
        position, dot, rest = name.partition(".")
        key, colon, kind = rest.rpartition(":")
        if not dot or not colon:
            return None
        if "^" in key:
            key = _ESCAPED.sub(lambda found: found[1].upper(), key)
        return cls(position, key, ValueType(kind))


def sql_type(signal: Signal, column: str) -> str:
    """The DuckDB type of any stored column of a signal."""
    fixed = FIXED_COLUMNS[signal].get(column)
    if fixed is not None:
        return fixed
    attribute = AttributeColumn.parse(column)
    if attribute is None:
        raise KeyError(column)
    return attribute.sql_type


def quote_text(text: str) -> str:
    """A text as a DuckDB constant, for where a parameter can't stand: quotes are special, and NUL ends a statement."""
    parts = ["'" + part.replace("'", "''") + "'" for part in text.split("\0")]
    return parts[0] if len(parts) == 1 else f"({' || chr(0) || '.join(parts)})"


def quote_identifier(name: str) -> str:
    """A column name as a DuckDB identifier, whatever characters it holds."""
    return '"' + name.replace('"', '""') + '"'
