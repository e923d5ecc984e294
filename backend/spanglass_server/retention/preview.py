"""What policies would free of the stored spans and keep, before they are in force: out of a few segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from spanglass_server.retention.pace import bytes_a_day, bytes_at_pace
from spanglass_server.retention.sampling import look
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME
from spanglass_server.store.segment_files.retention import newest_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from spanglass_server.retention.answers import Amount, PreviewedClass, PreviewedService, RetentionPreview
    from spanglass_server.retention.model import Policies
    from spanglass_server.retention.sampling import Known, Looked
    from spanglass_server.store.ports import Part, QuerySession

_SECOND_NS: Final = 10**9
_DAY_NS: Final = 86_400 * _SECOND_NS
#: Standard errors that 19 of 20 cases are within.
_ERRORS: Final = 1.96
_LEAST_PARTS: Final = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """Policies that somebody thinks of, the age of spans without them, 0 for ever, and what is known of traces."""

    policies: Policies
    age_ns: int
    known: Known
    now_ns: int


def preview(session: QuerySession, asked: Asked, goes_on: Callable[[], bool]) -> RetentionPreview:
    """Answer ``POST /api/v1/retention/preview``; segments are read as long as ``goes_on``, one at least."""
    parts = [part for part in session.parts(Signal.SPANS, ALL_TIME) if part.bytes]
    inferred = _Inferred(asked, parts, look(session, parts, asked.policies, asked.known, goes_on) if parts else [])
    classes = inferred.classes()
    ages_ns = [*(policy.age_ns for policy in asked.policies.policies), 0, asked.age_ns]
    by_class = bytes_a_day(parts, inferred.looked, ages_ns, asked.now_ns)
    a_day = float(by_class.sum())
    return {
        "segments": len(parts),
        "segments_read": len(inferred.looked),
        "spans_read": sum(each.part.rows for each in inferred.looked),
        "stored": _summed([each["stored"] for each in classes], inferred.error(inferred.stored_all)),
        "freed": _summed([each["freed"] for each in classes], inferred.error(inferred.freed_all)),
        "waiting_bytes": inferred.waiting_bytes,
        "classes": classes,
        "services": inferred.services(session),
        "bytes_a_day": a_day,
        "bytes_at_pace_before": a_day * asked.age_ns / _DAY_NS if asked.age_ns else None,
        "bytes_at_pace": bytes_at_pace(by_class, asked.policies, asked.age_ns),
    }


class _Inferred:
    """What was looked at, and the rest by its shares."""

    def __init__(self, asked: Asked, parts: Sequence[Part], looked: Sequence[Looked]) -> None:
        self.asked = asked
        self.parts = parts
        self.looked = looked
        self._names = sorted({name for each in looked for name in each.services})
        self._count = len(asked.policies.policies) + 2
        known = {each.part.key: self._placed(each) for each in looked}
        rows = sum(each.part.rows for each in looked)
        usual = sum(spans for spans, _, _ in known.values()) / rows if rows else np.zeros((self._count, 0))
        thin = sum(thinned for _, thinned, _ in known.values()) / rows if rows else np.zeros(0)
        traces = sum(traces for _, _, traces in known.values()) / rows if rows else np.zeros(self._count)
        self._stored, self._freed, self._bytes_freed, self._bytes = (np.zeros(usual.shape) for _ in range(4))
        self.waiting_bytes = 0.0
        self._traces, self._traces_freed = np.zeros(self._count), np.zeros(self._count)
        for part in parts:
            spans, thinned, of_traces = known.get(part.key, (usual * part.rows, thin * part.rows, traces * part.rows))
            self._add(part, spans, thinned, of_traces)

    def _placed(self, each: Looked) -> tuple[Any, Any, Any]:
        """What was looked at, with the services of all segments."""
        places = [self._names.index(name) for name in each.services]
        spans, thinned = np.zeros((self._count, len(self._names))), np.zeros(len(self._names))
        spans[:, places], thinned[places] = each.spans, each.thinned
        return spans, thinned, each.traces.astype(float)

    def _add(self, part: Part, spans: NDArray[Any], thinned: NDArray[Any], traces: NDArray[Any]) -> None:
        freed = self.freed(part, spans, thinned)
        size = part.bytes / part.rows
        self._stored += spans
        self._bytes += spans * size
        self._freed += freed
        self._bytes_freed += freed * size
        self.waiting_bytes += float(np.maximum(self._past(part, spans, thinned) - freed, 0).sum() * size)
        self._traces += traces
        rows = spans.sum(axis=1)
        self._traces_freed += traces * np.divide(freed.sum(axis=1), rows, out=np.zeros(self._count), where=rows > 0)

    def freed(self, part: Part, spans: NDArray[Any], thinned: NDArray[Any]) -> NDArray[Any]:
        """How many spans of a segment would go, by class and service."""
        age_ns = self.asked.now_ns - newest_ns(part)
        policies = self.asked.policies
        ages = np.array([*(policy.age_ns for policy in policies.policies), 0, self.asked.age_ns])
        gone = (ages > 0) & (age_ns > ages)
        freed: NDArray[Any] = spans * gone[:, None]
        if not gone[-1] and policies.ordinary is not None and age_ns > policies.ordinary.after_ns:
            freed[-1] = thinned
        return freed

    def _past(self, part: Part, spans: NDArray[Any], thinned: NDArray[Any]) -> NDArray[Any]:
        """How many spans of a segment are past their age, though it may not be due: as if they came evenly."""
        policies, lasts_ns = self.asked.policies, max(part.max_time_ns - part.min_time_ns, 1)
        oldest_ns = self.asked.now_ns - newest_ns(part) + lasts_ns
        ages = np.array([*(policy.age_ns for policy in policies.policies), 0, self.asked.age_ns], float)
        shares = np.where(ages > 0, np.clip((oldest_ns - ages) / lasts_ns, 0, 1), 0)
        past: NDArray[Any] = spans * shares[:, None]
        if policies.ordinary is not None:
            thin = float(np.clip((oldest_ns - policies.ordinary.after_ns) / lasts_ns, 0, 1))
            past[-1] += thinned * max(thin - shares[-1], 0)
        return past

    def classes(self) -> list[PreviewedClass]:
        """Each policy, held traces, and all others."""
        policies = self.asked.policies.policies
        named: list[tuple[str, str, int]] = [(policy.name, policy.keep, policy.age_ns) for policy in policies]
        named += [("pinned and evidence", "held", 0), ("all others", "ordinary", self.asked.age_ns)]
        return [
            {"name": name, "keep": keep, "age_s": age_ns / _SECOND_NS, "stored": self._stored_of(place),
             "freed": self._freed_of(place)}
            for place, (name, keep, age_ns) in enumerate(named)
        ]  # fmt: skip

    def _stored_of(self, place: int) -> Amount:
        error = self.error(lambda each: self._placed(each)[0][place].sum())
        return _amount(self._stored[place], self._traces[place], self._bytes[place], error)

    def _freed_of(self, place: int) -> Amount:
        error = self.error(lambda each: self.freed(each.part, *self._placed(each)[:2])[place].sum())
        return _amount(self._freed[place], self._traces_freed[place], self._bytes_freed[place], error)

    def stored_all(self, each: Looked) -> float:
        """All spans of a segment."""
        return float(each.part.rows)

    def freed_all(self, each: Looked) -> float:
        """All spans of a segment that would go."""
        return float(self.freed(each.part, *self._placed(each)[:2]).sum())

    def error(self, figure: Callable[[Looked], float]) -> float | None:
        """How far a sum over all segments may be off, in bytes: by how segments differ in their share of it."""
        count, total = len(self.looked), len(self.parts)
        if count == total:
            return 0.0
        if count < _LEAST_PARTS:
            return None
        sizes = np.array([each.part.bytes for each in self.looked], float)
        found = np.array([figure(each) / each.part.rows for each in self.looked]) * sizes
        off = found - found.sum() / sizes.sum() * sizes
        spread = (off**2).sum() / (count - 1) / count * (1 - count / total)
        return float(_ERRORS * total * np.sqrt(spread))

    def services(self, session: QuerySession) -> list[PreviewedService]:
        """The services, what most is freed of first."""
        found: list[PreviewedService] = [
            {
                "service": name,
                "slot": session.service_slot(name),
                "spans": float(self._stored[:, place].sum()),
                "bytes": float(self._bytes[:, place].sum()),
                "freed_spans": float(self._freed[:, place].sum()),
                "freed_bytes": float(self._bytes_freed[:, place].sum()),
            }
            for place, name in enumerate(self._names)
        ]
        return sorted(found, key=lambda each: (-each["freed_bytes"], -each["bytes"], each["service"]))


def _amount(spans: NDArray[Any], traces: float, size: NDArray[Any], error: float | None) -> Amount:
    return {"spans": float(spans.sum()), "traces": float(traces), "bytes": float(size.sum()), "bytes_error": error}


def _summed(amounts: Sequence[Amount], error: float | None) -> Amount:
    return {
        "spans": sum(each["spans"] for each in amounts),
        "traces": sum(each["traces"] for each in amounts),
        "bytes": sum(each["bytes"] for each in amounts),
        "bytes_error": error,
    }
