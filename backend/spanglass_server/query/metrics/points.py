"""SQL over data points: which points a question reads, which series each belongs to, and what it is grouped by.

A series is one resource, scope, name, unit, type, temporality and set of attributes (data model, "Timeseries model").
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_server.query.language import compile_filter, field_expression, parse_filter
from spanglass_server.query.window import widen
from spanglass_server.signals import AttributeColumn, Signal, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from spanglass_server.query.metrics.identity import Metric
    from spanglass_server.store.ports import QuerySession, Window

#: Columns that, with all attributes, make one series.
_IDENTITY = (
    *("metric_name", "metric_unit", "metric_type", "temporality", "is_monotonic"),
    *("scope_name", "scope_version", "resource_schema_url", "scope_schema_url"),
)
#: Positions whose attributes tell series apart.
SERIES_POSITIONS = ("point", "resource", "scope")
#: A point whose flag says "no recorded value" (metrics.proto, DataPointFlags) is a gap.
_RECORDED = "(coalesce(flags, 0) & 1) = 0"


@dataclass(slots=True)
class Sql:
    """A piece of SQL, the values bound in it, in order, and the stored columns it reads."""

    text: str
    parameters: list[Any] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)


def attribute_columns(session: QuerySession, window: Window, positions: Collection[str]) -> list[str]:
    """List the attribute columns at these positions."""
    return sorted(
        name
        for name in session.columns(Signal.METRICS, window)
        if (column := AttributeColumn.parse(name)) is not None and column.position in positions
    )


def series_hash(attributes: Sequence[str]) -> Sql:
    """Identify a point's series by 64 bits: among a million series two meet with a chance of 3 in 10^8.

    Attributes past the limit of columns wait in the overflow, where those of exemplars are told by their index.
    """
    own = "list_filter(list_zip(overflow_name, overflow_value, overflow_index), lambda entry: entry[3] IS NULL)"
    columns = [*_IDENTITY, *attributes]
    quoted = ", ".join(quote_identifier(name) for name in columns)
    return Sql(f"hash({quoted}, {own})", [], {*columns, "overflow_name", "overflow_value", "overflow_index"})


def points(
    session: QuerySession,
    window: Window,
    metric: Metric,
    *,
    filter_text: str,
    by: Sequence[str],
    values: Sql,
    margin_ns: int = 0,
) -> Sql:
    """Select a metric's recorded points: ``series``, ``by_0`` ..., ``start_ns`` (0: unknown), ``time_ns``, ``values``.

    ``values`` are selected expressions over stored columns; ``$factor`` in them is the factor to the asked unit. With
    ``margin_ns`` points that much before and after the window are read too.
    """
    reach = widen(window, margin_ns)
    attributes = attribute_columns(session, reach, SERIES_POSITIONS)
    series = series_hash(attributes)
    present = session.columns(Signal.METRICS, reach)
    compiled = compile_filter(parse_filter(filter_text), Signal.METRICS, present)
    groups = [field_expression(key, Signal.METRICS, present) for key in by]
    identity, identity_parameters = _is_metric(metric)
    factor, factor_parameters = _factor(metric)
    chosen = values.text.replace("$factor", factor)
    needed = series.columns | values.columns | set(compiled.columns) | {"time_ns", "start_time_ns", "flags"}
    needed |= {column for _, columns in groups for column in columns}
    by_columns = "".join(f"{sql} AS by_{index}, " for index, (sql, _) in enumerate(groups))
    text = f"""
        SELECT {series.text} AS series, {by_columns} coalesce(start_time_ns, 0) AS start_ns, time_ns,
            temporality = 1 AS is_delta, {chosen}
        FROM {session.relation(Signal.METRICS, reach, sorted(needed))}
        WHERE {identity} AND {_RECORDED} AND time_ns >= ? AND time_ns < ? AND ({compiled.sql})
    """  # noqa: S608 - made of identifiers and expressions of the filter language; all values are bound
    repeated = factor_parameters * values.text.count("$factor")
    parameters = [*repeated, *identity_parameters, reach.start_ns, reach.end_ns, *compiled.parameters]
    own, own_parameters = _without_old_twins(session, reach, metric)
    return Sql(text + own, parameters + own_parameters, needed)


def _is_metric(metric: Metric) -> tuple[str, list[Any]]:
    """Build the condition for a point to be of one of the metric's stored identities."""
    one = (
        "(metric_name = ? AND coalesce(metric_unit, '') = ? AND metric_type = ? AND coalesce(temporality, 0) = ? "
        "AND coalesce(is_monotonic, false) = ?)"
    )
    parameters: list[Any] = []
    for stored, _ in metric.stored:
        parameters += [stored.name, stored.unit, stored.type, stored.temporality, stored.is_monotonic]
    return "(" + " OR ".join([one] * len(metric.stored)) + ")", parameters


def _factor(metric: Metric) -> tuple[str, list[Any]]:
    """Build the factor from a point's unit to the asked one."""
    scaled = {stored.name: factor for stored, factor in metric.stored if factor != 1}
    if not scaled:
        return "1.0", []
    cases = " ".join("WHEN ? THEN ?::DOUBLE" for _ in scaled)
    return f"(CASE metric_name {cases} ELSE 1.0 END)", [part for pair in scaled.items() for part in pair]


def _without_old_twins(session: QuerySession, reach: Window, metric: Metric) -> tuple[str, list[Any]]:
    """Leave out old names of services that also send the asked one: while migrating, both carry the same events."""
    names = {stored.name for stored, _ in metric.stored}
    if names == {metric.name} or metric.name not in names:
        return "", []
    resource = attribute_columns(session, reach, ["resource"])
    quoted = ", ".join(quote_identifier(name) for name in resource) or "0"
    relation = session.relation(Signal.METRICS, reach, ["metric_name", "time_ns", *resource])
    text = f"""
        AND (metric_name = ? OR hash({quoted}) NOT IN (
            SELECT hash({quoted}) FROM {relation} WHERE metric_name = ? AND time_ns >= ? AND time_ns < ?))
    """  # noqa: S608 - identifiers are quoted, values are bound
    return text, [metric.name, metric.name, reach.start_ns, reach.end_ns]


def by_names(by: Iterable[str]) -> str:
    """Name the group columns for a select list, each followed by a comma."""
    return "".join(f"by_{index}, " for index, _ in enumerate(by))
