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

#: What slow p95 says of requests: so many are as slow, at least.
_SLOW: Final = 0.05
#: Of what is no operation's, half of the requests of its service are said to be affected.
_MAYBE: Final = 0.5


@dataclass(slots=True)
class Traffic:
    """Requests of services in the newest step, as shares of all; 0 where nothing is known."""

    shares: dict[str, float] = field(default_factory=dict)

    def of(self, labels: Labels) -> float:
        """The share of the service of a series."""
        return self.shares.get(service_of(labels), 0.0)

    def take(self, labels: Sequence[Labels], requests: NDArray[np.float64]) -> None:
        """Count the requests of a step (series,)."""
        counts: dict[str, float] = {}
        for each, number in zip(labels, np.nan_to_num(requests).tolist(), strict=True):
            counts[service_of(each)] = counts.get(service_of(each), 0.0) + number
        total = sum(counts.values())
        self.shares = {service: number / total for service, number in counts.items()} if total else {}


@dataclass(frozen=True, slots=True)
class JudgedPart:
    """One part of a step; ``factor`` is that of its values."""

    judged: Judged
    affected: NDArray[np.float64]
    share: NDArray[np.float64]
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
        return Step(step, self.judged, self.affected, self.share, is_known)


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
        parts.append(_with_impact(part, memory, judged, (number, sum(requests.values())), traffic))
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
    part: Part, memory: Memory, judged: Judged, requests: tuple[NDArray[np.float64], float], traffic: Traffic
) -> JudgedPart:
    number, total = requests
    change = np.nan_to_num(np.abs(judged.value - judged.expected))
    if part.kind is Kind.REQUESTS:
        affected = change
    elif part.kind is Kind.FAILURES:
        affected = change * number
    elif part.kind is Kind.DURATION:
        affected = _SLOW * number
    else:
        shares = np.array([_MAYBE * traffic.of(each) for each in memory.labels])
        return JudgedPart(judged, np.zeros(len(shares)), shares, part.factor)
    whole = max(total, 1.0) + (change if part.kind is Kind.REQUESTS else 0.0)
    touched = number if part.kind is Kind.DURATION else affected
    return JudgedPart(judged, affected, np.minimum(touched / whole, 1.0), part.factor)
