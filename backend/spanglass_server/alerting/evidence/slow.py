"""From which duration on a span counts as slow, where the alert is about durations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spanglass_core.units import format_duration
from spanglass_server.query.statements import rows, statement
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.alerting.evidence.subject import Subject
    from spanglass_server.store.ports import QuerySession

#: The rule's own threshold tells slow spans from the others where it cuts off shares between these.
_LEAST_SHARE, _MOST_SHARE = 0.005, 0.9


def with_slow(session: QuerySession, subject: Subject, thresholds: Mapping[int, float], unit: str) -> Subject:
    """The subject with its bad spans: those above the rule's threshold, or above what was usual.

    Usual is the 95th percentile of the time before, or, where the window is like that, its own 90th.
    """
    lowest_s = thresholds[min(thresholds)] if thresholds and unit == "s" else None
    threshold_ns = None if lowest_s is None else round(lowest_s * NS_PER_SECOND)
    records = subject.records(session, subject.both())
    (found,) = rows(
        session,
        statement(
            "comparing/slow",
            relation=records.relation(session, ("duration_ns",)),
            where=records.predicate,
            start_ns=subject.window.start_ns,
            threshold_ns=threshold_ns or 0,
        ),
    )
    if not found["spans"]:
        return subject
    share = found["slow"] / found["spans"]
    if threshold_ns is None or not _LEAST_SHARE <= share <= _MOST_SHARE:
        before = found["p95_before"]
        usual = before if before is not None and before < found["median"] else found["p90"]
        threshold_ns = two_digits(usual)
    return replace(subject, bad=f"duration > {format_duration(threshold_ns)}")


def two_digits(duration_ns: float) -> int:
    """A duration to two digits, as people write them."""
    rounded = max(round(duration_ns), 1)
    return round(rounded, 2 - len(str(rounded)))
