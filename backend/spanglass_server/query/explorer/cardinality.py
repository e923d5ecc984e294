"""Which attribute makes how many series of a metric, and what is new against the period before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from spanglass_server.query.language import compile_filter, parse_filter
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.metrics.points import SERIES_POSITIONS, attribute_columns, series_hash
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.query.window import clamp
from spanglass_server.signals import AttributeColumn, Signal, quote_identifier, quote_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.store.ports import QuerySession, Window

#: So many values of each attribute are named, those of most series first.
TOP_VALUES = 5


class AttributeValue(TypedDict):
    """A value as text, and how many series have it, now and in the period before."""

    value: str
    series: int
    series_before: int


class AttributeFigures(TypedDict):
    """An attribute: how many values it has, how many of them are new, how many series have it at all."""

    key: str
    position: str
    values: int
    values_before: int
    new_values: int
    series: int
    top: list[AttributeValue]


class Cardinality(TypedDict):
    """The answer of ``GET /api/v1/metrics/cardinality``; the attribute with most values is the first."""

    series: int
    series_before: int
    attributes: list[AttributeFigures]


def count_cardinality(session: QuerySession, window: Window, names: Sequence[str], filter_text: str) -> Cardinality:
    """Count the series of the metrics stored under these names, in a range and in one as long before it."""
    reach = clamp(2 * window.start_ns - window.end_ns, window.end_ns)
    labels = _labels(session, reach)
    series = _series(session, reach, window.start_ns, one_of(names), filter_text)
    (counts,) = rows(session, statement("explorer/series_counts", series=series))
    if not labels:
        return {**counts, "attributes": []}  # type: ignore[typeddict-item]
    places = [f"a{place}" for place, _ in enumerate(labels)]
    found = rows(
        session,
        statement(
            "explorer/values_of_series",
            series=series,
            names=Sql(f"[{', '.join(map(quote_text, places))}]"),
            values=Sql(", ".join(places)),
            most=TOP_VALUES,
        ),
    )
    keys = list(labels)
    return {"series": counts["series"], "series_before": counts["series_before"],
            "attributes": [_figures(row, *keys[int(row["attribute"][1:])]) for row in found]}  # fmt: skip


def _figures(row: dict[str, Any], position: str, key: str) -> AttributeFigures:
    return {
        "key": key,
        "position": position,
        "values": row["distinct_values"],
        "values_before": row["distinct_before"],
        "new_values": row["new_values"],
        "series": row["series"],
        "top": row["top"],
    }


def _labels(session: QuerySession, reach: Window) -> dict[tuple[str, str], list[str]]:
    """Return the stored columns of each attribute: one a type."""
    labels: dict[tuple[str, str], list[str]] = {}
    for name in attribute_columns(session, reach, SERIES_POSITIONS):
        column = AttributeColumn.parse(name)
        if column is not None:
            labels.setdefault((column.position, column.key), []).append(name)
    return labels


def _series(session: QuerySession, reach: Window, start_ns: int, names: Sql, filter_text: str) -> Sql:
    """Select the series of both periods, each with its attributes as ``a0``, ``a1`` ... in the order of ``_labels``."""
    series, columns = series_hash(session, reach)
    compiled = compile_filter(parse_filter(filter_text), Signal.METRICS, session.columns(Signal.METRICS, reach))
    texts = [
        "coalesce(" + ", ".join(f"{quote_identifier(name)}::VARCHAR" for name in stored) + ")"
        for stored in _labels(session, reach).values()
    ]
    attributes = "".join(f", {text} AS a{place}" for place, text in enumerate(texts))
    kept = "".join(f", any_value(a{place}) AS a{place}" for place, _ in enumerate(texts))
    needed = {"metric_name", "time_ns", *columns, *compiled.columns}
    return statement(
        "explorer/series",
        series=series,
        attributes=Sql(attributes),
        kept=Sql(kept),
        relation=Sql(session.relation(Signal.METRICS, reach, sorted(needed))),
        names=names,
        start_ns=start_ns,
        from_ns=reach.start_ns,
        end_ns=reach.end_ns,
        filter=Sql(compiled.sql, tuple(compiled.parameters)),
    )
