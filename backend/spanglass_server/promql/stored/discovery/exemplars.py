"""Exemplars of series: single measurements, most with the trace in which they were made."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypedDict

from spanglass_server.promql.series.labels import NAME, LabelSets
from spanglass_server.promql.stored.choice import shares_of, wanted
from spanglass_server.promql.stored.decoding.points import PointReader, Values
from spanglass_server.promql.stored.matching import matching
from spanglass_server.promql.stored.naming.identity import Form
from spanglass_server.promql.stored.naming.labels import labels_of
from spanglass_server.promql.stored.naming.names import label_name
from spanglass_server.promql.stored.naming.texts import TEXT_OF, plain_float
from spanglass_server.signals import AttributeColumn, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from spanglass_server.promql.ports import Matcher, Selector
    from spanglass_server.promql.stored.decoding.points import Points
    from spanglass_server.promql.stored.naming.identity import Identity
    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.ports import Part, QuerySession

_FIXED = (
    *("exemplar_time_ns", "exemplar_value_int", "exemplar_value_double", "exemplar_trace_id", "exemplar_span_id"),
    "explicit_bounds",
)
_IDS = {"exemplar_trace_id": "trace_id", "exemplar_span_id": "span_id"}


class Exemplar(TypedDict):
    """One exemplar; the timestamp in seconds since 1970."""

    labels: dict[str, str]
    value: str
    timestamp: float


class SeriesExemplars(TypedDict):
    """The exemplars of one series, by time."""

    seriesLabels: dict[str, str]
    exemplars: list[Exemplar]


#: The labels of a series, and one of its exemplars.
_Told = tuple[dict[str, str], Exemplar]


def exemplars(session: QuerySession, cache: PartCache, selectors: Iterable[Selector]) -> list[SeriesExemplars]:
    """The exemplars of all series that a selector matches, ``start_ms < t <= end_ms``, as Prometheus gives them."""
    found: dict[tuple[tuple[str, str], ...], dict[tuple[Any, ...], Exemplar]] = {}
    for selector in selectors:
        for row, exemplar in _of_selector(session, cache, selector):
            key = (exemplar["timestamp"], exemplar["value"], *sorted(exemplar["labels"].items()))
            found.setdefault(tuple(sorted(row.items())), {})[key] = exemplar
    return [
        {"seriesLabels": dict(labels), "exemplars": [held[key] for key in sorted(held)]}
        for labels, held in sorted(found.items())
    ]


def _of_selector(session: QuerySession, cache: PartCache, selector: Selector) -> Iterator[_Told]:
    shares = shares_of(session, selector)
    for form in wanted(session, cache, selector, shares):
        identity = form.named.identity
        for place in form.shares:
            points = _read(PointReader(session, cache), shares[place].part, identity)
            if points is None:
                continue
            labels = labels_of(points.streams.columns, selector.named, is_verbatim=identity.is_verbatim)
            for row, exemplar in _of_points(points, labels, form.named.form, selector):
                row[NAME] = form.named.name
                if _matches(session, row, form.alternatives):
                    yield row, exemplar


def _read(reader: PointReader, part: Part, identity: Identity) -> Points | None:
    """The points of a metric that have exemplars."""
    if "exemplar_time_ns" not in part.columns:
        return None
    columns = [*_FIXED, *(name for name in sorted(part.columns) if name.startswith("exemplar.") and ":" in name)]
    selected = tuple((name, quote_identifier(name)) for name in columns)
    values = Values(selected, tuple(columns), "exemplar_time_ns IS NOT NULL")
    points = reader.read_all(part, identity, values)
    return points if len(points.time_ms) else None


def _of_points(points: Points, labels: LabelSets, form: Form, selector: Selector) -> Iterator[_Told]:
    """Each exemplar of a range with the labels of its series; of a bucket with the bound that holds its value."""
    label_rows, stream_of = labels.rows(), points.stream_of
    sent = {name: points.rows[name].to_pylist() for name in points.rows.column_names}
    for row, times in enumerate(sent["exemplar_time_ns"]):
        for place, time_ns in enumerate(times or ()):
            if not selector.start_ms < time_ns // 1_000_000 <= selector.end_ms:
                continue
            own = {name: lists[row][place] for name, lists in sent.items() if _is_list(name) and lists[row]}
            value = _value(own)
            series = dict(label_rows[stream_of[row]])
            if form is Form.BUCKET:
                series["le"] = _bound(sent["explicit_bounds"][row] or [], value)
            yield (
                series,
                {"labels": _labels(own), "value": plain_float(value), "timestamp": time_ns // 1_000_000 / 1000},
            )


def _value(own: dict[str, Any]) -> float:
    value = own.get("exemplar_value_double")
    return float(own.get("exemplar_value_int") or 0.0) if value is None else float(value)


def _is_list(name: str) -> bool:
    return name.startswith("exemplar")


def _bound(bounds: Sequence[float], value: float) -> str:
    return plain_float(next((bound for bound in bounds if value <= bound), math.inf))


def _labels(own: dict[str, Any]) -> dict[str, str]:
    labels = {}
    for name, value in own.items():
        attribute = AttributeColumn.parse(name)
        if value is None:
            continue
        if name in _IDS:
            labels[_IDS[name]] = value.hex()
        elif attribute is not None:
            labels[label_name(attribute.key)] = TEXT_OF[attribute.type](value)
    return labels


def _matches(session: QuerySession, row: dict[str, str], alternatives: Iterable[tuple[Matcher, ...]]) -> bool:
    labels = LabelSets.of([row])
    return any(matching(session, labels, matchers).all() for matchers in alternatives)
