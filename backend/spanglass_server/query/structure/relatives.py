"""Conditions about other spans as sets of spans and traces that storage finds.

Each set is a subquery that a record's ids are looked up in, so it works in every question that has a filter. It holds
what matches around the range: other spans of a trace may begin earlier or later than the range that is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from spanglass_server.query.language import compile_filter
from spanglass_server.query.language.compiling.parts import NOTHING, Part
from spanglass_server.query.language.compiling.relations import holds_for_none
from spanglass_server.query.language.compiling.sql import FALSE, Sql, negated
from spanglass_server.query.language.parsing.ast import OPPOSITES, Operator, Related, Relation
from spanglass_server.query.statements import statement
from spanglass_server.query.structure.few_traces import FEW_TRACES, traces_of
from spanglass_server.query.structure.kept_extents import MOST_ROWS, Reading, traces_at_least
from spanglass_server.query.traces.identity import COLUMNS, SPANS
from spanglass_server.query.window import clamp
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Collection

    from spanglass_server.query.language import CompiledFilter
    from spanglass_server.query.structure.kept_sets import KeptSets
    from spanglass_server.store.ports import QuerySession, Window

#: Other spans of a trace are looked for so far before and after the range, ...
_AROUND_NS = 900 * NS_PER_SECOND
#: ... and on the side where there should be none, as parents begin before their children, as far as clocks differ.
_SKEW_NS = 60 * NS_PER_SECOND

_EARLIER = frozenset({Relation.PARENT, Relation.ANCESTOR})
_LATER = frozenset({Relation.CHILD, Relation.DESCENDANT})
#: Relations that follow parents over the spans of a trace, beside those that match.
_OVER_SPANS = frozenset({Relation.SIBLING, Relation.DESCENDANT, Relation.ANCESTOR})
_EDGES = ("trace_id", "span_id", "parent_span_id")
#: What of a record is looked up in the set.
_LOOKED_UP = {
    Relation.PARENT: ("trace_id", "parent_span_id"),
    Relation.ROOT: ("trace_id",),
    Relation.TRACE: ("trace_id",),
}
#: What is counted in the set; spans that share an id count once.
_MEMBERS = {Relation.DESCENDANT: "origin", Relation.ANCESTOR: "origin"}

#: Figures of traces as SQL, and the stored columns that each reads.
_FIGURES = {
    "trace.duration": (Sql("max(start_time_ns + duration_ns) - min(start_time_ns)"), ("start_time_ns", "duration_ns")),
    "trace.spans": (SPANS, COLUMNS),
    "trace.errors": (Sql(f"{SPANS.text} FILTER (status_code = 2)"), (*COLUMNS, "status_code")),
}
_FIGURE_NAMES = {"trace.duration": Sql("duration_ns"), "trace.spans": Sql("spans"), "trace.errors": Sql("errors")}


class Extent(Enum):
    """How much of what is stored a question is about, which decides how other spans are looked for."""

    WHOLE = "a whole range: it is asked first whether the spans that match are of few traces"
    SMALL = "a small part: of what lies around it, only the spans of its traces are put together"
    LARGE = "a large part: all that matches around it is put together"


#: How many rows are read to say how long the traces of a part are: about a large one as many as SQL would look at.
_ROWS_READ = {Extent.WHOLE: MOST_ROWS, Extent.LARGE: 2_000_000, Extent.SMALL: 0}


@dataclass(frozen=True, slots=True)
class StoredRelatives:
    """``Relatives`` of the records that are ``asked`` about; with ``trace_ids`` only of those of some traces.

    ``window`` is where spans are looked for: at first the range that is asked about, for their relatives a wider one.
    With ``sets`` what is looked up is found at once, and kept there.
    When only a part of it is ``asked`` about, no span of the part's traces begins outside of ``bounds``.
    """

    session: QuerySession
    window: Window
    trace_ids: frozenset[bytes] = frozenset()
    extent: Extent = Extent.WHOLE
    asked: Window | None = None
    sets: KeptSets | None = None
    bounds: Window | None = None

    def related(self, node: Related) -> Part:
        """See ``Relatives``."""
        inside = replace(self, window=self._reach(node.relation), sets=None)
        matching = inside.compiled(node)
        with_none = holds_for_none(node.operator, node.count)
        sign = _sign(OPPOSITES[node.operator] if with_none else node.operator)
        ids = self.trace_ids or inside.few(matching)
        if ids is not None and not ids:
            return Part(negated(FALSE)) if with_none else NOTHING
        found = self._kept(replace(inside, trace_ids=ids or frozenset()).found(node, matching, sign))
        looked_up = _LOOKED_UP.get(node.relation, ("trace_id", "span_id"))
        key = f"({', '.join(looked_up)})" if len(looked_up) > 1 else looked_up[0]
        is_found = Sql(f"{key} IN ({found.text})", found.parameters)
        if with_none:
            return Part(negated(is_found), frozenset(looked_up))
        return Part(is_found, frozenset(looked_up), None, ids or None)

    def of_trace(self, figure: str, condition: Sql) -> Part:
        """See ``Relatives``."""
        value, columns = _FIGURES[figure]
        reached, ids = self._reach(Relation.TRACE), None
        if not self.trace_ids:
            reading = Reading(FEW_TRACES, _ROWS_READ[self.extent])
            part = None if self.extent is Extent.WHOLE else self.asked
            ids = traces_at_least(self.session, reached, condition, reading, part)
        if ids is not None and not ids:
            return NOTHING
        inside = replace(self, window=reached, trace_ids=ids or self.trace_ids)
        inside = replace(inside, window=inside._reach(Relation.TRACE)) if ids else inside  # noqa: SLF001 - of this class
        relation = inside.spans(("trace_id", *columns))
        found = statement(
            "structure/figure", figure=value, figure_name=_FIGURE_NAMES[figure], relation=relation, condition=condition
        )
        found = self._kept(found)
        return Part(Sql(f"trace_id IN ({found.text})", found.parameters), frozenset(("trace_id",)), None, ids)

    def _kept(self, found: Sql) -> Sql:
        return found if self.sets is None else self.sets.keep(self.session, found)

    def few(self, matching: CompiledFilter) -> frozenset[bytes] | None:
        """The traces of the spans that match, if that is asked first and they are few."""
        if self.extent is not Extent.WHOLE:
            return None
        return traces_of(self.session, Signal.SPANS, self.window, matching)

    def compiled(self, node: Related) -> CompiledFilter:
        """The filter of the spans that are asked about, over this range."""
        return compile_filter(node.term, Signal.SPANS, self.session.columns(Signal.SPANS, self.window), self)

    def found(self, node: Related, matching: CompiledFilter, sign: str) -> Sql:
        """The set of what has relatives that match, as many as are asked for."""
        relation = self.session.relation(
            *(Signal.SPANS, self.window, {*_EDGES, *matching.columns}),
            require=matching.require,
            trace_ids=self.trace_ids or matching.trace_ids,
            values=matching.values,
        )
        is_counted = (sign, node.count) != (">=", 1)
        member = _MEMBERS.get(node.relation, "span_id")
        parts = {
            "relation": Sql(relation) if node.relation in _LATER else self._of_part(relation),
            "where": Sql(matching.sql, tuple(matching.parameters)),
            "counted": _counted(member, sign, node.count) if is_counted else Sql(""),
            "count": Sql(f"{sign} ?", (node.count,)),
            "origin": Sql("span_id" if node.relation is Relation.DESCENDANT else "matching.span_id")
            if is_counted
            else Sql("NULL::BLOB"),
        }
        if node.relation in _OVER_SPANS:
            parts["spans"] = self.spans(_EDGES)
        return statement(f"structure/{node.relation}", **parts)

    def spans(self, columns: Collection[str]) -> Sql:
        """All spans of this range."""
        return self._of_part(self.session.relation(Signal.SPANS, self.window, columns, trace_ids=self.trace_ids))

    def _of_part(self, relation: str) -> Sql:
        """The rows of a relation; about a small part those of its traces."""
        if self.asked is None or self.trace_ids or self.extent is not Extent.SMALL:
            return Sql(relation)
        part = self.session.relation(Signal.SPANS, self.asked, ("trace_id",))
        return Sql(f"(SELECT * FROM {relation} WHERE trace_id IN (SELECT trace_id FROM {part}))")  # noqa: S608 - storage's

    def _reach(self, relation: Relation) -> Window:
        """When relatives of the range's records may begin."""
        if self.trace_ids:
            windows = [window for _, window in self.session.trace_windows(self.trace_ids)]
            first = min((window.start_ns for window in windows), default=self.window.start_ns)
            return clamp(first, max((window.end_ns for window in windows), default=first))
        return bounded(reach(self.window, relation), self.bounds)


def reach(window: Window, relation: Relation) -> Window:
    """When relatives of a window's spans may begin."""
    before = _SKEW_NS if relation in _LATER else _AROUND_NS
    after = _SKEW_NS if relation in _EARLIER else _AROUND_NS
    return clamp(window.start_ns - before, window.end_ns + after)


def bounded(window: Window, bounds: Window | None) -> Window:
    """What of a window lies within bounds, if there are any."""
    inside = window if bounds is None else window.within(bounds)
    return clamp(inside.start_ns, inside.end_ns)


def _counted(member: str, sign: str, count: int) -> Sql:
    return Sql(f"GROUP BY ALL HAVING count(DISTINCT {member}) {sign} ?", (count,))


def _sign(compares: Operator) -> str:
    return "<>" if compares is Operator.NOT_EQUAL else compares.value
