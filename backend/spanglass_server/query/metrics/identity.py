"""Which stored metric a question means: names old and new, and one type and unit.

The OpenTelemetry data model identifies a metric by name, unit, type and temporality; a name may be used with several.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.semconv import metric_aliases
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.store.ports import QuerySession, Window

#: ``AggregationTemporality`` of metrics.proto.
TEMPORALITIES = {1: "delta", 2: "cumulative"}
DELTA, CUMULATIVE = 1, 2


class Kind(StrEnum):
    """How a metric's points may be aggregated."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"
    EXPONENTIAL = "exponential_histogram"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored identity: name, unit, type, temporality (0 for none) and whether a sum is monotonic."""

    name: str
    unit: str
    type: str
    temporality: int
    is_monotonic: bool
    points: int

    @property
    def kind(self) -> Kind:
        """What can be asked of it: a cumulative sum that may fall is read like a gauge."""
        if self.type != "sum":
            return Kind(self.type)
        return Kind.COUNTER if self.is_monotonic or self.temporality == DELTA else Kind.GAUGE


@dataclass(frozen=True, slots=True)
class Metric:
    """What a question means: the name as asked, the unit of the answer, and the stored names with their factors."""

    name: str
    unit: str
    type: str
    kind: Kind
    stored: tuple[tuple[Stored, float], ...]

    @property
    def has_cumulative(self) -> bool:
        """Whether some of its points are cumulative."""
        return any(stored.temporality == CUMULATIVE for stored, _ in self.stored)


def identities(session: QuerySession, window: Window, names: Iterable[str]) -> list[Stored]:
    """List the stored identities of these names in the window, largest first."""
    columns = ["metric_name", "metric_unit", "metric_type", "temporality", "is_monotonic", "time_ns"]
    relation = session.relation(Signal.METRICS, window, columns)
    rows = session.rows(
        f"""
        SELECT metric_name AS name, coalesce(metric_unit, '') AS unit, metric_type AS type,
            coalesce(temporality, 0) AS temporality, coalesce(is_monotonic, false) AS is_monotonic, count(*) AS points
        FROM {relation}
        WHERE list_contains(?, metric_name) AND time_ns >= ? AND time_ns < ?
        GROUP BY ALL
        ORDER BY points DESC, name, unit, type, temporality, is_monotonic
        """,  # noqa: S608 - the relation comes from storage, all values are bound
        [list(names), window.start_ns, window.end_ns],
    )
    return [Stored(**row) for row in rows]


def resolve(session: QuerySession, window: Window, name: str, *, kind: str = "", unit: str | None = None) -> Metric:
    """Find what a name means in a window; ``kind`` (a metric type) and ``unit`` choose where it means several things.

    Raises ``BadQuestionError``: ``not_found`` when nothing is stored, ``bad_request`` when the name is ambiguous.
    """
    factors = {alias.name: alias.factor for alias in metric_aliases(name)} | {name: 1}
    found = identities(session, window, factors)
    own_unit = next((stored.unit for stored in found if stored.name == name), None)
    candidates = []
    for stored in found:
        factor = float(factors[stored.name])
        candidates.append((stored, factor, _unit_after(stored, factor, own_unit)))
    if kind:
        candidates = [candidate for candidate in candidates if candidate[0].type == kind]
    if unit is not None:
        candidates = [candidate for candidate in candidates if candidate[2] == unit]
    if not candidates:
        raise _not_found(name, found)
    chosen, _, chosen_unit = candidates[0]
    types = sorted({stored.type for stored, _, _ in candidates})
    units = sorted({candidate_unit for _, _, candidate_unit in candidates})
    if len(types) > 1:
        raise _ambiguous(name, "type", types)
    if len(units) > 1:
        raise _ambiguous(name, "unit", units)
    alike = tuple((stored, factor) for stored, factor, _ in candidates if stored.kind == chosen.kind)
    return Metric(name, chosen_unit, chosen.type, chosen.kind, alike)


def _unit_after(stored: Stored, factor: float, own_unit: str | None) -> str:
    """Name the unit of a stored metric's values times its factor (old names are in ms, new ones in s)."""
    if factor == 1:
        return stored.unit
    return own_unit or ("s" if factor < 1 else "ms")


def _ambiguous(name: str, field: str, choices: list[str]) -> BadQuestionError:
    quoted = ", ".join(repr(choice) for choice in choices)
    return BadQuestionError(f"The metric {name!r} has several {field}s: {quoted}.", field=field, hint=f"Give {field}=.")


def _not_found(name: str, found: list[Stored]) -> BadQuestionError:
    if found:
        there = ", ".join(sorted({f"{stored.type} in {stored.unit or 'no unit'}" for stored in found}))
        return BadQuestionError(
            f"The metric {name!r} has no such type or unit in this range.", field="name", hint=f"There is: {there}."
        )
    return BadQuestionError(
        f"The metric {name!r} has no points in this range.",
        field="name",
        hint="GET /api/v1/metrics lists the names; or widen the range.",
        code="not_found",
    )


def describe_temporality(value: Any) -> str | None:
    """Name a stored temporality; None where a type has none."""
    return TEMPORALITIES.get(value)
