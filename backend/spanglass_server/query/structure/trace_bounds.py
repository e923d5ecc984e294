"""Between when the spans of a part's traces begin, so that parts of a range say what the whole range would.

Other spans of a trace are looked for around all of the range that is asked about, however small the part of it is. Most
traces are short: of a small part storage tells by the minute which of its traces reach further, and only of these more
has to be read.
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
_SPANS_A_TRACE = 64
#: Conditions in conditions, ten at most, each look 15 minutes further than the one around them.
_FURTHEST_NS = 10 * 900 * NS_PER_SECOND
_ID_BYTES = 16
_MINUTE_NS = 60 * NS_PER_SECOND
#: So far before and after a part nearly all spans of its traces begin; where these last long, within the second.
_MARGINS_NS = (60 * NS_PER_SECOND, 900 * NS_PER_SECOND)
#: Of traces with spans further away all spans are looked for, if they are not many.
_MOST_FAR = 200
_TIME = TIME_COLUMN[Signal.SPANS]


def bounds_of_part(session: QuerySession, part: Window, whole: Window) -> Window | None:
    """When spans of the traces of a part of a range may begin; None if these are many."""
    if part == whole or _is_large(session, part):
        return None
    relation = Sql(session.relation(Signal.SPANS, part, ("trace_id", "start_time_ns")))
    found = rows(session, statement("structure/traces", relation=relation, count=MOST_TRACES + 1))
    return bounds_of(session, [row["trace_id"] for row in found], part, whole)


def bounds_of(session: QuerySession, trace_ids: Collection[bytes], part: Window, whole: Window) -> Window | None:
    """The same of some of its traces."""
    if len(trace_ids) > MOST_TRACES or any(len(trace_id) != _ID_BYTES for trace_id in trace_ids):
        return None
    around = widen(whole, _FURTHEST_NS)
    for margin_ns in _MARGINS_NS:
        near = _near(part, margin_ns)
        far = session.traces_outside(trace_ids, near, around)
        if len(far) <= _MOST_FAR:
            told = [near, *_begun(session, far, around)]
            return clamp(min(window.start_ns for window in told), max(window.end_ns for window in told))
    return None


def _is_large(session: QuerySession, part: Window) -> bool:
    """Whether it is known of a part that it has many more spans than that many traces, without a look at them."""
    inside = (each for each in session.parts(Signal.SPANS, part) if part.start_ns <= each.min_time_ns)
    return sum(each.rows for each in inside if each.max_time_ns < part.end_ns) > _SPANS_A_TRACE * MOST_TRACES


def near(part: Window) -> Window:
    """When most spans of the traces of a part begin."""
    return _near(part, _MARGINS_NS[0])


def _near(part: Window, margin_ns: int) -> Window:
    """A part with what is around it, in whole minutes, by which storage tells."""
    start_ns, end_ns = part.start_ns - margin_ns, part.end_ns + margin_ns
    return clamp(start_ns // _MINUTE_NS * _MINUTE_NS, -(-end_ns // _MINUTE_NS) * _MINUTE_NS)


def _begun(session: QuerySession, trace_ids: Collection[bytes], around: Window) -> list[Window]:
    """Between when the spans of some traces did begin: of each hundred short ones storage takes one to be longer."""
    if not trace_ids:
        return []
    found = session.trace_rows(Signal.SPANS, around, OfTraces(trace_ids, columns=("trace_id", _TIME)))
    if not found.num_rows:
        return []
    ends = pc.min_max(found[_TIME]).as_py()
    return [clamp(ends["min"], ends["max"] + 1)]
