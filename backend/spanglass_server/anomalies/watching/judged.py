"""One step of a source, judged: rows in the order of what is known of them, with the requests that are affected."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.anomalies.detecting.judging import Judged, judge, judge_durations, judge_failures
from spanglass_server.anomalies.detecting.usual import STEPS
from spanglass_server.anomalies.model import Kind
from spanglass_server.anomalies.watching.sources import service_of
from spanglass_server.anomalies.watching.telling import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.anomalies.detecting.usual import Usual
    from spanglass_server.anomalies.model import Labels
    from spanglass_server.anomalies.watching.memory import Memory
    from spanglass_server.anomalies.watching.sources import Part, Source

#: Of what is no operation's, half of the requests of its service are said to be affected.
_MAYBE: Final = 0.5


@dataclass(slots=True)
class Traffic:
    """Requests of services in the newest step, as shares of ``whole``; 0 where nothing is known.

    ``whole`` is how many the busiest service had: a request that passes through several services is one, not several.
    """

    shares: dict[str, float] = field(default_factory=dict)
    whole: float = 0.0

    def of(self, labels: Labels) -> float:
        """The share of the service of a series."""
        return self.shares.get(service_of(labels), 0.0)

    def take(self, labels: Sequence[Labels], requests: NDArray[np.float64]) -> None:
        """Count the requests of a step (series,)."""
        counts: dict[str, float] = {}
        for each, number in zip(labels, np.nan_to_num(requests).tolist(), strict=True):
            counts[service_of(each)] = counts.get(service_of(each), 0.0) + number
        self.whole = max(counts.values(), default=0.0)
        self.shares = {service: number / self.whole for service, number in counts.items()} if self.whole else {}


@dataclass(frozen=True, slots=True)
class JudgedPart:
    """One part of a step; ``factor`` is that of its values, ``whole`` how many requests there were in all.

    ``whole`` (series,) is 0 where those that are affected are not counted.
    """

    judged: Judged
    affected: NDArray[np.float64]
    share: NDArray[np.float64]
    whole: NDArray[np.float64]
    factor: float

    @property
    def shown(self) -> Judged:
        """As it is told, in the unit of the part."""
        judged, factor = self.judged, self.factor
        value, expected, low, high = (
            each / factor for each in (judged.value, judged.expected, judged.low, judged.high)
        )
        return Judged(value, expected, low, high, judged.deviations, judged.matters)

    def of(self, step: int, *, is_known: bool) -> Step:
        """With its time."""
        return Step(step, self.judged, self.affected, self.share, self.whole, is_known)


def judge_step(
    source: Source,
    memories: Sequence[Memory],
    found: Sequence[tuple[Sequence[Labels], NDArray[np.float64]]],
    step: int,
    traffic: Traffic,
) -> list[JudgedPart] | None:
    """Judge the values (series,) of each part; None where nothing is usual yet, or nothing came in at all."""
    hour = (step - 1) // STEPS
    vectors = [_in_rows(memory, labels, values) for memory, (labels, values) in zip(memories, found, strict=True)]
    usuals = [memory.usual(hour) for memory in memories]
    if any(usual is None for usual in usuals):
        return None
    is_operations = source.parts[0].kind is Kind.REQUESTS
    requests = dict(zip(memories[0].labels, vectors[0].tolist(), strict=True)) if is_operations else {}
    if is_operations:
        if not any(requests.values()):
            return None  # nothing is unusual of each operation
        traffic.take(memories[0].labels, vectors[0])
    parts = []
    for part, memory, vector, usual in zip(source.parts, memories, vectors, usuals, strict=True):
        if usual is None:
            continue
        number = np.array([requests.get(each, 0.0) for each in memory.labels])
        judged = _judged(part, vector, number, (usual, memory.place(step)))
        parts.append(_with_impact(part, memory, judged, number, traffic))
    return parts


def _in_rows(memory: Memory, labels: Sequence[Labels], values: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = memory.rows_of(labels)
    known = rows >= 0
    vector = np.full(len(memory.labels), 0.0 if memory.has_zeros else np.nan)
    vector[rows[known]] = np.nan_to_num(values[known]) if memory.has_zeros else values[known]
    return vector


def _judged(part: Part, vector: NDArray[np.float64], requests: NDArray[np.float64], at: tuple[Usual, int]) -> Judged:
    usual, place = at
    if part.kind is Kind.FAILURES:
        return judge_failures(vector, requests, usual, place, part.least)
    if part.kind is Kind.DURATION:
        return judge_durations(vector, requests, usual, place, part.least)
    return judge(vector, usual, place, part.scale, part.least)


def _with_impact(
    part: Part, memory: Memory, judged: Judged, number: NDArray[np.float64], traffic: Traffic
) -> JudgedPart:
    change = np.nan_to_num(np.abs(judged.value - judged.expected))
    if part.kind is Kind.REQUESTS:
        affected = change
    elif part.kind is Kind.FAILURES:
        affected = change * number
    elif part.kind is Kind.DURATION:
        affected = number  # all of an operation that is slow
    else:
        shares = np.array([_MAYBE * traffic.of(each) for each in memory.labels])
        nothing = np.zeros(len(shares))
        return JudgedPart(judged, nothing, shares, nothing, part.factor)
    whole = max(traffic.whole, 1.0) + (change if part.kind is Kind.REQUESTS else np.zeros(len(number)))
    return JudgedPart(judged, affected, np.minimum(affected / whole, 1.0), whole, part.factor)
