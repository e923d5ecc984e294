"""When messages were sent that consumers took: by the spans that theirs link to, or are below of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import one_of, run, statement
from spanglass_server.query.window import clamp
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from spanglass_server.store.ports import QuerySession

_CONSUMER: Final = 5
_COLUMNS: Final = ("row", "kind", "trace_id", "span_id", "parent_span_id", "link_trace", "link_span", "end_ns")
#: Messages wait for so long at most. Senders that are not among the spans are looked up for so many consumers.
_LONGEST_NS: Final = 3600 * NS_PER_SECOND
_MOST_ELSEWHERE: Final = 200


def read_sent(session: QuerySession, spans: pa.Table) -> NDArray[np.int64]:
    """Return when the message of each span was sent, in nanoseconds; -1 where that is not known, or it has none."""
    sent = np.full(spans.num_rows, -1, np.int64)
    if not (spans["kind"].to_numpy() == _CONSUMER).any():
        return sent
    name = Sql(session.table(spans.select(list(_COLUMNS))))
    here = run(session, statement("findings/senders", taken=name, sent=Sql(f"(FROM {name.text})")))
    found = here["sent_ns"].is_valid().to_numpy()
    sent[here["row"].to_numpy()[found]] = here["sent_ns"].drop_null().to_numpy()
    elsewhere = here.filter(here["sent_ns"].is_null())
    if elsewhere.num_rows:
        picked = elsewhere.take(np.unique(np.linspace(0, elsewhere.num_rows - 1, _MOST_ELSEWHERE).astype(np.int64)))
        more = _elsewhere(session, spans, name, picked)
        sent[more["row"].to_numpy()] = more["sent_ns"].to_numpy()
    return sent


def _elsewhere(session: QuerySession, spans: pa.Table, taken: Sql, picked: pa.Table) -> pa.Table:
    """Rows and times of some consumers whose sender is not among the spans, but in the hour before them."""
    ids = frozenset(picked["sent_trace"].to_pylist())
    starts = spans["start_ns"].to_numpy()
    window = clamp(int(starts.min()) - _LONGEST_NS, int(starts.max()) + 1)
    relation = session.relation(
        Signal.SPANS, window, ["trace_id", "span_id", "kind", "start_time_ns", "duration_ns"], trace_ids=ids
    )
    sent = Sql(
        f"(SELECT trace_id, span_id, kind, start_time_ns + duration_ns AS end_ns FROM {relation} "  # noqa: S608 - ours
        f"WHERE trace_id IN {one_of(ids).text})"
    )
    found = run(session, statement("findings/senders", taken=taken, sent=sent))
    return found.filter(found["sent_ns"].is_valid())
