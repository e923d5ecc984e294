"""Whether anything was stored around a time, from anybody: only then can data be told to be missing since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.windows import step_times
from spanglass_server.signals import SENT, TIME_COLUMN
from spanglass_server.store.ports import Window
from spanglass_server.times import NS_PER_MS, NS_PER_SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.series.vectors import Steps
    from spanglass_server.store.ports import QuerySession

#: Times are looked at in pieces of so long, of which so many before a step must have one record at least: five minutes.
_PIECE_NS = 15 * NS_PER_SECOND
_PIECES = 20


def watched(session: QuerySession, steps: Steps) -> NDArray[np.bool_]:
    """For each step, whether a record of any signal has a time in the five minutes before it."""
    last = step_times(steps) * NS_PER_MS // _PIECE_NS
    filled = _filled(session, int(last[0]) - _PIECES, int(last[-1]), is_one=steps.size == 1)
    return np.asarray(np.searchsorted(filled, last, side="right") > np.searchsorted(filled, last - _PIECES, "right"))


def _filled(session: QuerySession, after: int, until: int, *, is_one: bool) -> NDArray[np.int64]:
    """The pieces of time with records, sorted; of one step any one will do."""
    window = Window(max(after * _PIECE_NS + 1, 0), until * _PIECE_NS + 1)
    found: set[int] = set()
    for signal in SENT:
        if not session.parts(signal, window):
            continue
        time = TIME_COLUMN[signal]
        rows = session.relation(signal, window, [time])
        piece = f"({time} + {_PIECE_NS - 1}) // {_PIECE_NS}"
        limit = " LIMIT 1" if is_one else ""
        found |= {row["piece"] for row in session.rows(f"SELECT DISTINCT {piece} AS piece FROM {rows}{limit}")}  # noqa: S608 - numbers and own names
        if is_one and found:
            break
    return np.array(sorted(found), np.int64)
