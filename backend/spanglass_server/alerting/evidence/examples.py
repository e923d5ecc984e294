"""Traces that show what an alert is about: the worst, a typical one and the newest, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from spanglass_server.alerting.evidence.words import duration, percent, shortened
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.one_trace.view import show_summary, show_trace
from spanglass_server.query.statements import one_of, rows, run, statement
from spanglass_server.query.traces.time_spent import time_spent
from spanglass_server.signals import Signal
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import pyarrow as pa

    from spanglass_server.alerting.evidence.answers import Example
    from spanglass_server.alerting.evidence.subject import Subject
    from spanglass_server.query.one_trace.failures import Failure
    from spanglass_server.query.traces.time_spent import TimeSpent
    from spanglass_server.store.ports import QuerySession

Role = Literal["worst", "typical", "newest"]
#: So many of the newest bad records are looked at.
MOST_BAD = 1_000
_COLUMNS = ("trace_id", "span_id", "time_ns", "duration_ns", "name")
#: Where the time went is not asked of traces of more spans.
_MOST_SPANS = 2_000


@dataclass(frozen=True, slots=True)
class Bad:
    """The newest bad records of the window: ids (bytes), times and durations, newest first; of logs these are 0.

    ``onset_ns`` is the time of the first one, if there are none in the time before; else 0.
    """

    trace_ids: Sequence[bytes]
    span_ids: Sequence[bytes]
    times_ns: Sequence[int]
    durations_ns: Sequence[int]
    names: Sequence[str]
    onset_ns: int = 0

    @property
    def main_name(self) -> str:
        """The operation that four fifths of them and more are; "" if none is."""
        if not self.names:
            return ""
        names, counts = np.unique(np.array(self.names, dtype=object), return_counts=True)
        most = int(counts.argmax())
        return str(names[most]) if 5 * counts[most] >= 4 * len(self.names) else ""


def find_bad(session: QuerySession, subject: Subject) -> Bad:
    """The newest bad records that belong to a trace, of the window and the time before."""
    is_log = subject.signal is Signal.LOGS
    records = subject.bad_records(session)
    columns = ["trace_id", "span_id", *(() if is_log else ("duration_ns", "name"))]
    found = run(
        session,
        statement(
            "comparing/bad_records",
            relation=records.relation(session, columns),
            where=records.predicate,
            time=Sql(records.time),
            duration=Sql("0" if is_log else "duration_ns"),
            operation=Sql("''" if is_log else "coalesce(name, '')"),
            count=MOST_BAD,
        ),
    )
    return bad_of(found, subject)


def bad_of(found: pa.Table, subject: Subject) -> Bad:
    """Records of the window and the time before, newest first, as bad ones of the window."""
    times = found["time_ns"].to_numpy()
    inside = int((times >= subject.window.start_ns).sum())  # newest first
    trace_ids, span_ids, _, durations, names = (found[name].slice(0, inside).to_pylist() for name in _COLUMNS)
    clean = inside == len(times) < MOST_BAD and inside > 0
    onset_ns = int(times[-1]) if clean else 0
    return Bad(trace_ids, span_ids, times[:inside].tolist(), durations, names, onset_ns)


def choose(bad: Bad) -> list[tuple[Role, int]]:
    """The longest, the one of median duration and the newest, by their places; traces differ."""
    by_length = np.argsort(np.array(bad.durations_ns), kind="stable")
    ranks = np.arange(len(by_length))
    nearest_to_middle = by_length[np.argsort(np.abs(ranks - len(by_length) // 2), kind="stable")]
    wanted: tuple[tuple[Role, list[int]], ...] = (
        ("worst", by_length[::-1].tolist()),
        ("typical", nearest_to_middle.tolist()),
        ("newest", ranks.tolist()),
    )
    found: list[tuple[Role, int]] = []
    seen: set[bytes] = set()
    for role, places in wanted:
        place = next((place for place in places if bad.trace_ids[place] not in seen), None)
        if place is not None:
            seen.add(bad.trace_ids[place])
            found.append((role, place))
    return found


def examples(session: QuerySession, subject: Subject, bad: Bad, now_ns: int) -> list[Example]:
    """Up to three traces."""
    chosen = choose(bad)
    sizes = _sizes(session, [bad.trace_ids[place] for _, place in chosen])
    return [_example(session, subject, bad, role, place, sizes, now_ns) for role, place in chosen]


def _sizes(session: QuerySession, trace_ids: Sequence[bytes]) -> dict[bytes, int]:
    if not trace_ids:
        return {}
    windows = [window for _, window in session.trace_windows(trace_ids)]
    if not windows:
        return {}
    around = type(windows[0])(min(each.start_ns for each in windows), max(each.end_ns for each in windows))
    relation = Sql(session.relation(Signal.SPANS, around, ("trace_id",), trace_ids=trace_ids))
    found = statement("comparing/sizes_of_traces", relation=relation, trace_ids=one_of(trace_ids))
    return {row["trace_id"]: row["spans"] for row in rows(session, found)}


def _example(
    session: QuerySession, subject: Subject, bad: Bad, role: Role, place: int, sizes: dict[bytes, int], now_ns: int
) -> Example:
    trace_id = bad.trace_ids[place]
    failure, spent = _told(session, trace_id, sizes.get(trace_id, 0), now_ns, latency=subject.topic == "latency")
    return {
        "role": role,
        "trace_id": trace_id.hex(),
        "span_id": (bad.span_ids[place] or b"").hex(),
        "time": format_time(bad.times_ns[place]),
        "service": subject.service,
        "operation": shortened(bad.names[place]),
        "duration_ns": bad.durations_ns[place],
        "reason": shortened(reason(failure, spent)),
        "failure": failure,
        "time_spent": spent,
    }


def _told(
    session: QuerySession, trace_id: bytes, size: int, now_ns: int, *, latency: bool
) -> tuple[Failure | None, TimeSpent | None]:
    """Why a trace failed, and where its time went: the latter of traces that are slow, or did not fail."""
    if not size:
        return None, None
    if size > _MOST_SPANS:
        return show_summary(session, trace_id, now_ns)["failure"], None
    trace = show_trace(session, trace_id, now_ns)
    failure = trace["failure"]
    return failure, time_spent(trace) if latency or failure is None else None


def reason(failure: Failure | None, spent: TimeSpent | None) -> str:
    """Why a trace failed or where its time went, in one line."""
    if spent is not None:
        times = f" in {spent['count']} calls" if spent["count"] > 1 else ""
        share = f"{percent(spent['share'])} of its time ({duration(spent['self_ns'])})"
        return f"{share} in {spent['service']}: {spent['name']}{times}"
    if failure is None:
        return ""
    why = f": {failure['reason']}" if failure["reason"] else " fails"
    return f"{failure['service']}, {failure['name']}{why}{_unreached(failure)}"


def _unreached(failure: Failure) -> str:
    peer = failure["peer"]
    if peer is None:
        return ""
    address = f"{peer['host']}:{peer['port']}" if peer["host"] and peer["port"] else peer["host"] or ""
    name = f"{peer['service']} ({address})" if peer["service"] and address else peer["service"] or address
    return f" (calling {name})" if name else ""


def failure_key(example: Any) -> tuple[str, ...]:
    """What tells the reason of an example from others."""
    failure, spent = example["failure"], example["time_spent"]
    if spent:
        return ("time", spent["service"], spent["name"])
    return ("failure", failure["service"], failure["name"]) if failure else ()
