"""Filters of stored records made ready, or only checked; those about other spans in the traces that the rest leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from spanglass_server.query.language import CompiledFilter, compile_filter
from spanglass_server.query.language.compiling.parts import Part
from spanglass_server.query.language.compiling.pins import asks_for_pins, with_pins
from spanglass_server.query.language.compiling.relations import IN_TRACES, asks_about_others
from spanglass_server.query.language.compiling.sql import FALSE, TRUE
from spanglass_server.query.language.parsing.ast import And, Filter
from spanglass_server.query.structure.few_traces import traces_of
from spanglass_server.query.structure.relatives import Extent, StoredRelatives
from spanglass_server.query.structure.trace_bounds import bounds_of_part
from spanglass_server.signals import Signal
from spanglass_server.store.ports import QueryError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from spanglass_server.query.language.compiling.sql import Sql
    from spanglass_server.query.language.parsing.ast import Related
    from spanglass_server.query.structure.kept_sets import KeptSets
    from spanglass_server.store.ports import QuerySession, Window

#: The table of the server's own that has the ids of pinned traces (``QuerySession.offered``).
PINNED_TRACES: Final = "pinned_traces"


def compile_stored(
    session: QuerySession,
    signal: Signal,
    window: Window,
    tree: Filter,
    known: Mapping[str, int],
    trace_ids: Collection[bytes] = (),
    *,
    extent: Extent = Extent.WHOLE,
    sets: KeptSets | None = None,
    whole: Window | None = None,
) -> CompiledFilter:
    """As ``compile_filter``, for records of a range; with ``trace_ids`` for those of some traces only.

    With ``sets`` the spans that others are looked up in are kept there, and the SQL is for ``KeptSets.read``.
    Of a whole range storage is asked whether the traces that can match are few, before all of it is read. Where the
    window is a part of a range of spans, ``whole`` is the range: other spans are looked for around that.
    """
    tree = pins_of(session, signal, tree)
    if signal not in IN_TRACES or not asks_about_others(tree, signal):
        return compile_filter(tree, signal, known)
    compile_filter(tree, signal, known, _CheckedRelatives())  # before anything is read for it
    ids = frozenset(trace_ids) or (_left(session, signal, window, tree, known) if extent is Extent.WHOLE else None)
    if ids is not None and not ids:
        return CompiledFilter(FALSE.text, [], frozenset(), frozenset(), frozenset())
    bounds = None if ids or whole is None else bounds_of_part(session, window, whole)
    relatives = StoredRelatives(session, whole or window, ids or frozenset(), extent, window, sets, bounds)
    compiled = compile_filter(tree, signal, known, relatives)
    return replace(compiled, trace_ids=ids) if ids else compiled


def pins_of(session: QuerySession, signal: Signal, tree: Filter) -> Filter:
    """Return a filter that says by ids which traces are pinned now."""
    if signal not in IN_TRACES or not asks_for_pins(tree):
        return tree
    pinned = session.offered().get(PINNED_TRACES)
    try:
        ids = pinned.rows()["trace_id"].to_pylist() if pinned else ()
    except OSError as error:
        raise QueryError(f"which traces are pinned can't be read: {error}") from error
    return with_pins(tree, signal, ids)


def _left(
    session: QuerySession, signal: Signal, window: Window, tree: Filter, known: Mapping[str, int]
) -> frozenset[bytes] | None:
    """The traces of what a filter says of the records themselves; None if they are many, or it says nothing."""
    terms = tree.terms if isinstance(tree, And) else ()
    own = tuple(term for term in terms if not asks_about_others(term, signal))
    return traces_of(session, signal, window, compile_filter(And(own), signal, known)) if own else None


class _CheckedRelatives:
    """``Relatives`` that looks at the filters of other spans, and knows none."""

    def related(self, node: Related) -> Part:
        """See ``Relatives``."""
        compile_filter(node.term, Signal.SPANS, (), self)
        return Part(TRUE)

    def of_trace(self, figure: str, condition: Sql) -> Part:  # noqa: ARG002 - the figure is known to be one
        """See ``Relatives``."""
        return Part(TRUE)


def check_filter(tree: Filter, signal: Signal) -> None:
    """Raise ``FilterError`` for a filter that records of a signal cannot be searched by."""
    compile_filter(with_pins(tree, signal, ()), signal, (), _CheckedRelatives())
