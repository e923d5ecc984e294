"""Between when the spans of a part's traces begin, so that parts of a range say what the whole range would.

Other spans of a trace are looked for around all of the range that is asked about, however small the part of it is. Most
traces are short: of a small part storage tells by the minute where theirs lie, and nothing else has to be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.window import clamp, widen
from spanglass_server.signals import TIME_COLUMN, Signal
from spanglass_server.store.ports import OfTraces
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Collection

    from spanglass_server.store.ports import QuerySession, Window

#: Asking storage for each of more traces takes as long as reading all that lies around the range.
MOST_TRACES = 5_000
#: Conditions in conditions, ten at most, each look 15 minutes further than the one around them.
_FURTHEST_NS = 10 * 900 * NS_PER_SECOND
_ID_BYTES = 16
#: Traces with spans so far from the part are looked at closely, if they are not many.
_NEAR_NS = 900 * NS_PER_SECOND
_MOST_FAR = 200
_TIME = TIME_COLUMN[Signal.SPANS]


def bounds_of_part(session: QuerySession, part: Window, whole: Window) -> Window | None:
    """When spans of the traces of a part of a range may begin; None if these are many."""
    if part == whole:
        return None
    relation = Sql(session.relation(Signal.SPANS, part, ("trace_id", "start_time_ns")))
    found = rows(session, statement("structure/traces", relation=relation, count=MOST_TRACES + 1))
    return bounds_of(session, [row["trace_id"] for row in found], part, whole)


def bounds_of(session: QuerySession, trace_ids: Collection[bytes], part: Window, whole: Window) -> Window | None:
    """The same of some of its traces."""
    if len(trace_ids) > MOST_TRACES or any(len(trace_id) != _ID_BYTES for trace_id in trace_ids):
        return None
    around, near = widen(whole, _FURTHEST_NS), widen(part, _NEAR_NS)
    windows = session.trace_windows(trace_ids, around)
    far = frozenset(trace_id for trace_id, window in windows if window.within(near) != window)
    if len(far) > _MOST_FAR:
        return None
    told = [window for trace_id, window in windows if trace_id not in far]
    told += [part, *_begun(session, far, around)]
    return clamp(min(window.start_ns for window in told), max(window.end_ns for window in told))


def _begun(session: QuerySession, trace_ids: Collection[bytes], around: Window) -> list[Window]:
    """Between when the spans of some traces did begin: of each hundred short ones storage takes one to be longer."""
    if not trace_ids:
        return []
    found = session.trace_rows(Signal.SPANS, around, OfTraces(trace_ids, columns=("trace_id", _TIME)))
    if not found.num_rows:
        return []
    ends = pc.min_max(found[_TIME]).as_py()
    return [clamp(ends["min"], ends["max"] + 1)]
