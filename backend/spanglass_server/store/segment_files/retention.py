"""Which segments are too old, or one too many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from spanglass_server.store.ports import Part
    from spanglass_server.store.segment_files.segments import Segment


@dataclass(frozen=True, slots=True)
class RetentionLimits:
    """How long each signal is kept, in nanoseconds, and how many bytes of segments; 0 sets no limit."""

    age_ns: Mapping[Signal, int]
    max_bytes: int = 0


def newest_ns(segment: Segment | Part) -> int:
    """The moment from which a segment's age counts.

    Its newest record's time, or its arrival if that is later: data of last year sent today is kept as long as
    today's, and a clock that runs ahead keeps nothing longer than it should by more than ``ingest.max_future``.
    """
    return max(segment.max_time_ns, segment.arrived_ns)


def expired(
    segments: Mapping[Signal, Sequence[Segment]],
    limits: RetentionLimits,
    now_ns: int,
    ageless: Collection[Signal] = (),
    is_last: Callable[[Segment], bool] = lambda _: False,
) -> dict[str, list[Segment]]:
    """The segments to delete, by reason: past their age, and the oldest of all signals past the bytes.

    Segments of ``ageless`` signals go by bytes alone; those that are ``last`` go after all others then.
    """
    old = []
    for signal in Signal:
        age = 0 if signal in ageless else limits.age_ns.get(signal, 0)
        old += [s for s in segments[signal] if age and newest_ns(s) < now_ns - age]
    gone = {segment.id for segment in old}
    rest = [s for signal in Signal for s in segments[signal] if s.id not in gone]
    rest.sort(key=lambda segment: (is_last(segment), newest_ns(segment)))
    surplus = sum(segment.bytes for segment in rest) - limits.max_bytes
    many = []
    for segment in rest:
        if not limits.max_bytes or surplus <= 0:
            break
        many.append(segment)
        surplus -= segment.bytes
    return {"age": old, "bytes": many}
