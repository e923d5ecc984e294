"""The points of a metric that a question reads: which series each belongs to, and what it is grouped by.

A series is one resource, scope, name, unit, type, temporality and set of attributes (data model, "Timeseries model").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.query.language import compile_filter, field_expression, parse_filter
from spanglass_server.query.language.compiling.sql import TRUE, Sql, all_of, any_of
from spanglass_server.query.metrics.identity import CUMULATIVE, DELTA, Kind, resolve
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.window import widen
from spanglass_server.signals import OVERFLOW_COLUMNS, AttributeColumn, Signal, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Collection

    from spanglass_server.query.metrics.identity import Metric
    from spanglass_server.query.metrics.question import Question
    from spanglass_server.query.window import Buckets
    from spanglass_server.store.ports import QuerySession, Window

#: Columns that, with all attributes, make one series; the first ones are those of a stored identity.
_METRIC_IDENTITY = ("metric_name", "metric_unit", "metric_type", "temporality", "is_monotonic")
_SCOPE_IDENTITY = ("scope_name", "scope_version", "resource_schema_url", "scope_schema_url")
#: Positions whose attributes tell series apart.
SERIES_POSITIONS = ("point", "resource", "scope")
_ALWAYS = frozenset({*_METRIC_IDENTITY, *_SCOPE_IDENTITY, "time_ns", "start_time_ns", "flags"})
#: A point whose flag says "no recorded value" (metrics.proto, DataPointFlags) is a gap; 2 marks mere exemplars.
_RECORDED, _OR_GAP = Sql("(coalesce(flags, 0) & 3) = 0"), Sql("(coalesce(flags, 0) & 2) = 0")


@dataclass(frozen=True, slots=True)
class Values:
    """A select list over a point's columns, and the stored columns it reads."""

    sql: Sql
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Selection:
    """A question made ready: which stored metric it means, and the steps of its range."""

    session: QuerySession
    question: Question
    metric: Metric
    buckets: Buckets

    @classmethod
    def of(cls, session: QuerySession, question: Question) -> Selection:
        """Resolve a question; ``BadQuestionError`` when its name is unknown or ambiguous."""
        return cls(session, question, resolve(session, question), question.buckets())

    @property
    def window(self) -> Window:
        """The question's range."""
        return self.question.window

    @property
    def by(self) -> Sql:
        """The group columns for a select list, each followed by a comma."""
        return Sql("".join(f"{name}, " for name in self.by_names))

    @property
    def by_names(self) -> list[str]:
        """The names of the group columns: ``by_0`` ..."""
        return [f"by_{index}" for index, _ in enumerate(self.question.by)]

    @property
    def factor(self) -> Sql:
        """The factor from a point's unit to the asked one."""
        scaled = {stored.name: factor for stored, factor in self.metric.stored if factor != 1}
        if not scaled:
            return Sql("1.0")
        cases = " ".join("WHEN ? THEN ?::DOUBLE" for _ in scaled)
        parameters = tuple(part for pair in scaled.items() for part in pair)
        return Sql(f"(CASE metric_name {cases} ELSE 1.0 END)", parameters)

    @property
    def is_converted(self) -> bool:
        """Whether some values are multiplied by a factor."""
        return any(factor != 1 for _, factor in self.metric.stored)

    def attributes(self, reach: Window, positions: Collection[str]) -> list[str]:
        """List the attribute columns at these positions."""
        return attribute_columns(self.session, reach, positions)

    def points(self, values: Values, reach: Window, *, with_markers: bool = False, as_sent: bool = True) -> Sql:
        """Select the metric's points of a range: ``series``, ``by_0`` ..., ``start_ns`` (0: unknown), ``time_ns``.

        Then ``is_delta``, ``is_gap`` (only ``with_markers``) and the values. Unless ``as_sent``, deltas of senders that
        also send the metric as cumulative are left out.
        """
        present = self.session.columns(Signal.METRICS, reach)
        compiled = compile_filter(parse_filter(self.question.filter), Signal.METRICS, present)
        groups = [field_expression(key, Signal.METRICS, present) for key in self.question.by]
        needed = {*_ALWAYS, *self.attributes(reach, SERIES_POSITIONS), *_overflow(present)}
        needed |= values.columns | set(compiled.columns) | {column for _, columns in groups for column in columns}
        chosen = all_of([self._without_old_twins(reach), TRUE if as_sent else self.of_one_temporality(reach)])
        return statement(
            "metrics/points",
            series=self._series(reach),
            groups=Sql("".join(f"{text} AS by_{index}, " for index, (text, _) in enumerate(groups))),
            values=values.sql,
            relation=Sql(self.session.relation(Signal.METRICS, reach, sorted(needed))),
            metric=self._is_metric(),
            gaps=_OR_GAP if with_markers and self.metric.has_markers else _RECORDED,
            start_ns=reach.start_ns,
            end_ns=reach.end_ns,
            filter=Sql(compiled.sql, tuple(compiled.parameters)),
            chosen=chosen,
        )

    def _series(self, reach: Window) -> Sql:
        """Identify a point's series among those of the metric."""
        return series_hash(self.session, reach, () if len(self.metric.stored) == 1 else _METRIC_IDENTITY)[0]

    def _is_metric(self) -> Sql:
        """Build the condition for a point to be of one of the metric's stored identities."""
        one = (
            "metric_name = ? AND coalesce(metric_unit, '') = ? AND metric_type = ? AND coalesce(temporality, 0) = ? "
            "AND coalesce(is_monotonic, false) = ?"
        )
        conditions = [
            Sql(one, (stored.name, stored.unit, stored.type, stored.temporality, stored.is_monotonic))
            for stored, _ in self.metric.stored
        ]
        joined = any_of(conditions)
        return Sql(f"({joined.text})", joined.parameters)

    def _without_old_twins(self, reach: Window) -> Sql:
        """Leave out old names of services that also send the asked one."""
        names = {stored.name for stored, _ in self.metric.stored}
        if names == {self.metric.name} or self.metric.name not in names:
            return TRUE
        return self._by_resource("metrics/old_twins", reach, "metric_name", asked=self.metric.name)

    def of_one_temporality(self, reach: Window) -> Sql:
        """Leave out deltas of senders that also send the metric as cumulative: both carry the same events."""
        if self.metric.kind is Kind.GAUGE or not {DELTA, CUMULATIVE} <= self.metric.temporalities:
            return TRUE
        columns = (*_METRIC_IDENTITY, "start_time_ns", "flags")
        return self._by_resource("metrics/one_temporality", reach, *columns, metric=self._is_metric())

    def _by_resource(self, name: str, reach: Window, *columns: str, **parts: object) -> Sql:
        """Fill a condition on what else the resource of a point sends."""
        resource = self.attributes(reach, ["resource"])
        relation = self.session.relation(Signal.METRICS, reach, [*columns, "time_ns", *resource])
        quoted = ", ".join(map(quote_identifier, resource)) or "0"
        return statement(
            name,
            resource=Sql(quoted),
            relation=Sql(relation),
            start_ns=reach.start_ns,
            end_ns=reach.end_ns,
            **parts,
        )

    def largest(self, grouped: Sql) -> list[dict[str, Any]]:
        """Run ``grouped``; only the rows of its largest groups (one more than the limit), by group and step."""
        keys = Sql(", ".join(self.by_names) or "0")
        return rows(
            self.session, statement("metrics/largest", grouped=grouped, keys=keys, limit=self.question.limit + 1)
        )


def series_hash(
    session: QuerySession, reach: Window, same: Collection[str] = _METRIC_IDENTITY
) -> tuple[Sql, frozenset[str]]:
    """Return SQL that identifies a point's series by 64 bits, and the columns it reads; ``same`` tell metrics apart.

    Among a million series two meet with a chance of 3 in 10^8. Attributes past the limit of columns wait in the
    overflow, where those of exemplars are told by their index.
    """
    present = session.columns(Signal.METRICS, reach)
    columns = [*same, *_SCOPE_IDENTITY, *attribute_columns(session, reach, SERIES_POSITIONS)]
    parts = [quote_identifier(name) for name in columns]
    if _overflow(present):
        parts.append(
            "list_filter(list_zip(overflow_name, overflow_value, overflow_index), lambda entry: entry[3] IS NULL)"
        )
    return Sql(f"hash({', '.join(parts)})"), frozenset({*columns, *_overflow(present)})


def attribute_columns(session: QuerySession, reach: Window, positions: Collection[str]) -> list[str]:
    """List the attribute columns at these positions."""
    return sorted(
        name
        for name in session.columns(Signal.METRICS, reach)
        if (column := AttributeColumn.parse(name)) is not None and column.position in positions
    )


def _overflow(present: Collection[str]) -> set[str]:
    return set(OVERFLOW_COLUMNS) & set(present)


def reach_of(selection: Selection, before_ns: int, after_ns: int = 0) -> Window:
    """Widen the selection's range by two margins."""
    wide = widen(selection.window, max(before_ns, after_ns))
    window = selection.window
    return type(window)(max(wide.start_ns, window.start_ns - before_ns), min(wide.end_ns, window.end_ns + after_ns))
