"""Spans or log records that match a filter as figures over time, by keys: counts, rates, quantiles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language import FilterError, numeric_expression
from spanglass_server.query.language.compiling.sql import Sql, all_of
from spanglass_server.query.records import match_records
from spanglass_server.query.services.estimates import PROBABILITY, WEIGHT
from spanglass_server.query.statements import run, statement
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from spanglass_server.query.records import Records
    from spanglass_server.store.ports import QuerySession

_FORM = re.compile(r"\s*(?P<name>[a-z_]+|p\d+(?:\.\d+)?)\s*(?:\(\s*(?P<key>.+?)\s*\))?\s*")
_OF_VALUES = {"avg": "avg({0})", "min": "min({0})", "max": "max({0})", "sum": "sum({0})"}
AGGREGATES = ("count", "rate", "error_rate", *_OF_VALUES, "p50", "p95", "p99", "distinct")
_HINT = "write count, rate, error_rate, or avg, min, max, sum, p95 or distinct with a key: p95(duration)"
_NS_PER_S = 1_000_000_000
#: Keys that are durations in storage; figures of them are in seconds.
DURATION_KEYS = frozenset({"duration", "duration_ns"})
_ERROR = {Signal.SPANS: "status_code = 2", Signal.LOGS: "severity_number >= 17"}
_ERROR_COLUMN = {Signal.SPANS: "status_code", Signal.LOGS: "severity_number"}
_PERCENT = 100


@dataclass(frozen=True, slots=True)
class RecordSeries:
    """What is asked: step i of ``count`` is the records of ``step_ns`` before ``first_ns + i * step_ns``, inclusive."""

    signal: Signal
    filter: str
    aggregate: str
    by: tuple[str, ...]
    first_ns: int
    step_ns: int
    count: int

    @property
    def window(self) -> Window:
        """The range of all steps."""
        start_ns = self.first_ns - self.step_ns + 1
        return Window(start_ns, start_ns + self.step_ns * self.count)


def record_series(session: QuerySession, asked: RecordSeries, limit: int) -> pa.Table:
    """Return ``bucket`` (the step), ``k0`` ... (texts, null where a record lacks the key) and ``value``.

    At most ``limit`` rows, the largest first. Raises ``FilterError``, and ``BadQuestionError`` for an aggregate or a
    key that is none.
    """
    records = match_records(session, asked.signal, asked.window, asked.filter)
    value, columns = _value(asked, records)
    keys = [records.expression(key, "by") for key in asked.by]
    read = frozenset(columns).union(*(own for _, own in keys))
    named = "".join(f"CAST({sql.text} AS VARCHAR) AS k{place}, " for place, (sql, _) in enumerate(keys))
    window = asked.window
    within = Sql(f"{records.time} >= ? AND {records.time} < ?", (window.start_ns, window.end_ns))
    return run(
        session,
        statement(
            "record_series",
            time=Sql(records.time),
            first_ns=window.start_ns,
            step_ns=asked.step_ns,
            keys=Sql(named),
            value=value,
            relation=records.relation(session, read),
            where=all_of([within, records.predicate]),
            count=limit,
        ),
    )


def _value(asked: RecordSeries, records: Records) -> tuple[Sql, set[str]]:
    """SQL of the figure, and the columns that it reads."""
    form = _FORM.fullmatch(asked.aggregate)
    name, key = (form["name"], form["key"]) if form else ("", None)
    sampled = asked.signal is Signal.SPANS and PROBABILITY in records.known
    weight, columns = (WEIGHT, {PROBABILITY}) if sampled else ("1", set[str]())
    if name in {"count", "rate"} and key is None:
        per = asked.step_ns / _NS_PER_S if name == "rate" else 1
        return Sql(f"sum({weight}) / ?", (per,)), columns
    if name == "error_rate" and key is None:
        failed = f"coalesce(sum({weight}) FILTER ({_ERROR[asked.signal]}), 0)"
        return Sql(f"{failed} / sum({weight})"), columns | {_ERROR_COLUMN[asked.signal]}
    if name == "distinct" and key is not None:
        expression, read = records.expression(key, "aggregate")
        return Sql(f"count(DISTINCT {expression.text})::DOUBLE", expression.parameters), set(read)
    quantile = _quantile(name)
    if key is None or (name not in _OF_VALUES and quantile is None):
        message = f"{asked.aggregate!r} is no aggregate"
        raise BadQuestionError(message, field="aggregate", hint=_HINT)
    number, numbers = _number(key, records)
    if quantile is None:
        return Sql(_OF_VALUES[name].format(number)), set(numbers)
    return Sql(f"quantile_cont({number}, ?)", (quantile,)), set(numbers)


def _quantile(name: str) -> float | None:
    """The quantile of p95 or p99.9, None for another word."""
    digits = name[1:]
    if not name.startswith("p") or not digits.replace(".", "", 1).isdigit():
        return None
    return float(digits) / _PERCENT if float(digits) <= _PERCENT else None


def _number(key: str, records: Records) -> tuple[str, frozenset[str]]:
    try:
        text, columns = numeric_expression(key, records.signal, records.known)
    except FilterError as error:
        raise BadQuestionError(f"{key!r} is not a key: {error}", field="aggregate", hint=error.hint) from error
    return (f"({text} / 1e9)" if key in DURATION_KEYS else text), columns


def keys_of(by: Sequence[str]) -> list[str]:
    """Names of the columns of keys."""
    return [f"k{place}" for place in range(len(by))]
