"""Figures of the spans of a range, from the columns of its parts, while these are few enough to be kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.query.span_figures.cells import NO_CELLS, cells_of
from spanglass_server.query.span_figures.columns import columns_of, roots_of
from spanglass_server.query.span_figures.joining import join
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.span_figures.cells import Cells, Grouping
    from spanglass_server.query.span_figures.columns import SpanColumns
    from spanglass_server.query.span_figures.joining import Figures
    from spanglass_server.store.ports import Part, QuerySession, Window

#: Ranges of more spans than half of what can be kept, or in more parts, are left to SQL: four million by default.
BYTES_A_ROW = 32
MOST_PARTS = 200
#: The length of steps where there is to be only one.
NO_STEPS_NS = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Totals:
    """How many spans a service has, and when the last one starts."""

    spans: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class KeptSpans:
    """The spans of a range as their parts keep them."""

    session: QuerySession
    window: Window
    parts: Sequence[Part]

    @classmethod
    def of(cls, session: QuerySession, window: Window) -> KeptSpans | None:
        """The spans of a range; None if they are too many."""
        parts = session.parts(Signal.SPANS, window)
        if len(parts) > MOST_PARTS or 2 * BYTES_A_ROW * sum(part.rows for part in parts) > session.kept.max_bytes:
            return None
        return cls(session, window, parts)

    def totals(self) -> dict[str, Totals]:
        """All spans of each service."""
        found: dict[str, Totals] = {}
        for part in self.parts:
            columns = columns_of(self.session, part)
            totals = columns.whole_totals if part.is_inside(self.window) else columns.totals(self.window)
            for name, (spans, last_ns) in totals.items():
                before = found.get(name)
                found[name] = Totals(spans, last_ns) if before is None else _added(before, spans, last_ns)
        return found

    def cells(self, grouping: Grouping) -> list[Cells]:
        """The cells of each part."""
        parts = [part for part in self.parts if self._has_any(part, grouping)] if grouping.roots else self.parts
        found = [self._cells(part, grouping) for part in parts]
        return [cells for cells in found if cells is not NO_CELLS]

    def _cells(self, part: Part, grouping: Grouping) -> Cells:
        if not part.is_inside(self.window):
            return cells_of(self._columns(part, grouping), grouping, self.window)
        if grouping.name is None:
            return cells_of(self._columns(part, grouping), grouping, None)
        key = ("cells", part.key, grouping.name, grouping.step_ns)
        return self.session.kept.kept(
            key, lambda: cells_of(self._columns(part, grouping), grouping, None), lambda cells: cells.bytes
        )

    def _has_any(self, part: Part, grouping: Grouping) -> bool:
        """Whether a part has spans of a grouping, with a parent or without: quicker to say than to read parents."""
        return any(map(grouping.chosen, columns_of(self.session, part).operations))

    def _columns(self, part: Part, grouping: Grouping) -> SpanColumns:
        return roots_of(self.session, part) if grouping.roots else columns_of(self.session, part)


def _added(before: Totals, spans: int, last_ns: int) -> Totals:
    return Totals(before.spans + spans, max(before.last_ns, last_ns))


def by_step(cells: Sequence[Cells]) -> Figures | None:
    """Figures of groups and steps; None without any."""
    return join(cells) if cells else None


def by_group(cells: Sequence[Cells]) -> Figures | None:
    """Figures of groups over all steps; None without any."""
    return join([each.without_steps() for each in cells], are_sorted=False) if cells else None
