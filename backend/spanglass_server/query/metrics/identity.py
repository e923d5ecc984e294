"""Which stored metric a question means: names old and new, and one type and unit.

The OpenTelemetry data model identifies a metric by name, unit, type and temporality; a name may be used with several.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language import compile_filter, parse_filter
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.metrics.question import GAP_NS
from spanglass_server.query.semantic_conventions.semconv import metric_aliases
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.query.window import widen
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Collection

    from spanglass_server.query.metrics.answers import MetricType, Temporality
    from spanglass_server.query.metrics.question import Question
    from spanglass_server.store.ports import QuerySession

#: ``AggregationTemporality`` of metrics.proto.
TEMPORALITIES: dict[int, Temporality] = {1: "delta", 2: "cumulative"}
DELTA, CUMULATIVE = 1, 2
_COLUMNS = ("metric_name", "metric_unit", "metric_type", "temporality", "is_monotonic", "flags", "time_ns")


class Kind(StrEnum):
    """How a metric's points may be aggregated."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"
    EXPONENTIAL = "exponential_histogram"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored identity: name, unit, type, temporality (0 for none) and whether a sum is monotonic.

    ``points`` have a value and are in the range, ``points_around`` also those near it; ``markers`` say that there is no
    value.
    """

    name: str
    unit: str
    type: MetricType
    temporality: int
    is_monotonic: bool
    points: int
    points_around: int
    markers: int

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
    type: MetricType
    kind: Kind
    stored: tuple[tuple[Stored, float], ...]

    @property
    def temporalities(self) -> set[int]:
        """The temporalities of its points."""
        return {stored.temporality for stored, _ in self.stored}

    @property
    def has_markers(self) -> bool:
        """Whether points near the range say that there is no value."""
        return any(stored.markers for stored, _ in self.stored)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A stored identity that a name may mean, the factor of its values, and their unit after it."""

    stored: Stored
    factor: float
    unit: str


def _identities(session: QuerySession, question: Question, names: Collection[str], filter_text: str) -> list[Stored]:
    """List the stored identities of these names in a question's range or near it, largest first."""
    reach = widen(question.window, max(GAP_NS, question.step_ns or 0))
    compiled = compile_filter(parse_filter(filter_text), Signal.METRICS, session.columns(Signal.METRICS, reach))
    relation = session.relation(Signal.METRICS, reach, sorted({*_COLUMNS, *compiled.columns}))
    found = rows(
        session,
        statement(
            "metrics/identities",
            relation=Sql(relation),
            names=one_of(names),
            filter=Sql(compiled.sql, tuple(compiled.parameters)),
            start_ns=question.window.start_ns,
            end_ns=question.window.end_ns,
            from_ns=reach.start_ns,
            to_ns=reach.end_ns,
        ),
    )
    return _nearest([Stored(**row) for row in found])


def _nearest(found: list[Stored]) -> list[Stored]:
    """Keep those with points in the range; else those with points near it, between which a range may lie."""
    return [each for each in found if each.points] or [each for each in found if each.points_around] or found


def resolve(session: QuerySession, question: Question) -> Metric:
    """Find what a name means in a range, among the points that match the question's filter.

    Raises ``BadQuestionError``: ``not_found`` when nothing is stored, ``bad_request`` when the name is ambiguous.
    """
    name = question.name
    factors = {alias.name: float(alias.factor) for alias in metric_aliases(name)} | {name: 1.0}
    found = _identities(session, question, factors, question.filter)
    if not found and question.filter.strip():  # nothing matches: what could match is still a metric
        found = _identities(session, question, factors, "")
    own_unit = next((stored.unit for stored in found if stored.name == name), None)
    candidates = [
        _Candidate(stored, factors[stored.name], _unit_after(stored, factors[stored.name], own_unit))
        for stored in found
        if question.type in ("", stored.type)
    ]
    if question.unit is not None:
        candidates = [each for each in candidates if each.unit == question.unit]
    if not candidates:
        raise _not_found(name, found)
    _refuse_several(name, candidates)
    chosen = candidates[0]
    alike = tuple((each.stored, each.factor) for each in candidates)
    return Metric(name, chosen.unit, chosen.stored.type, chosen.stored.kind, alike)


def _unit_after(stored: Stored, factor: float, own_unit: str | None) -> str:
    """Name the unit of a stored metric's values times its factor (old names are in ms, new ones in s)."""
    if factor == 1:
        return stored.unit
    return own_unit or ("s" if factor < 1 else "ms")


def _refuse_several(name: str, candidates: list[_Candidate]) -> None:
    """Refuse a name with several types or units, or with sums of which some are levels and some are increases."""
    for field, values in (
        ("type", {each.stored.type for each in candidates}),
        ("unit", {each.unit for each in candidates}),
    ):
        if len(values) > 1:
            quoted = ", ".join(map(repr, sorted(values)))
            raise BadQuestionError(
                f"The metric {name!r} has several {field}s: {quoted}.",
                field=field,
                hint=f"Give {field}=, or a filter that only one of them matches.",
            )
    if len({each.stored.kind for each in candidates}) > 1:
        choices = sorted({_as_filter(each.stored) for each in candidates})
        raise BadQuestionError(
            f"The metric {name!r} is sent as sums of several kinds, of which some are levels and some are increases.",
            field="filter",
            hint=f"Choose one with a filter: {', or '.join(choices)}.",
        )


def _as_filter(stored: Stored) -> str:
    monotonic = "true" if stored.is_monotonic else "false"
    return f"temporality = {TEMPORALITIES[stored.temporality]} and is_monotonic = {monotonic}"


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


def describe_temporality(value: int | None) -> Temporality | None:
    """Name a stored temporality; None where a type has none."""
    return None if value is None else TEMPORALITIES.get(value)
