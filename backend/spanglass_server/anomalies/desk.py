"""What API, pages and reports use of anomalies: listed by importance, one of them, and what people say is fine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from spanglass_server.anomalies.answers import anomaly_json, feedback_json, one_json
from spanglass_server.anomalies.evidence import gather
from spanglass_server.anomalies.model import STEP_MS, Known, State
from spanglass_server.times import NS_PER_MS, NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.anomalies.answers import AnomalyList, Feedback, FeedbackList, OneAnomaly, Watching
    from spanglass_server.anomalies.store.store import AnomalyStore
    from spanglass_server.anomalies.watching.watched import Watched
    from spanglass_server.anomalies.watching.watcher import Watcher
    from spanglass_server.store.ports import QuerySession

#: Which are asked for: those that go on, these and those that ended within a day, what is fine, or all.
Which = Literal["open", "lately", "fine", "all"]
WHICH: Final[tuple[Which, ...]] = ("open", "lately", "fine", "all")
_LATELY_NS: Final = 86_400 * NS_PER_SECOND
#: Hours of data without which nothing is usual (``detecting.usual``), and until the last of them is read.
_LEAST_HOURS, _HOUR_NS, _READ_NS = 3, 3600 * NS_PER_SECOND, 360 * NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which anomalies somebody asks for; "" leaves out a condition.

    ``since_ns`` is when one must still have gone on, ``until_ns`` when it must have begun.
    """

    which: Which = "lately"
    service: str = ""
    operation: str = ""
    kind: str = ""
    text: str = ""
    since_ns: int = 0
    until_ns: int | None = None

    def holds(self, known: Known, now_ns: int) -> bool:
        """Whether one is meant."""
        states = {
            "open": known.state is State.OPEN,
            "lately": known.state is not State.FINE and (known.end_ns or now_ns) >= now_ns - _LATELY_NS,
            "fine": known.state is State.FINE,
            "all": True,
        }
        labels = dict(known.key.labels)
        pairs = ((self.service, known.key.service), (self.operation, labels.get("span_name", "")),
                 (self.kind, known.key.kind.value))  # fmt: skip
        text = self.text.lower()
        return (
            states[self.which]
            and all(not wanted or wanted == own for wanted, own in pairs)
            and (known.end_ns or now_ns) >= self.since_ns
            and (self.until_ns is None or known.start_ns < self.until_ns)
            and (not text or any(text in value.lower() for value in (known.title, *labels.values())))
        )


class AnomalyDesk:
    """Methods may be called from any thread; ``OSError`` where the file of anomalies can't be read or written.

    Without a watcher nothing is watched: that is switched off.
    """

    def __init__(self, store: AnomalyStore, watcher: Watcher | None, clock_ns: Callable[[], int]) -> None:
        self._store, self._watcher, self._clock_ns = store, watcher, clock_ns

    def current(self) -> list[Known]:
        """Those that go on and are not fine, the most important first."""
        now_ns = self._clock_ns()
        return _meant(self._store.known(now_ns), Wanted("open"), now_ns)

    def listing(self, wanted: Wanted, limit: int) -> AnomalyList:
        """Anomalies, the most important first; those that go on before those that ended."""
        now_ns = self._clock_ns()
        known = self._store.known(now_ns)
        found = _meant(known, wanted, now_ns)
        counts = {state.value: 0 for state in State}
        for each in known:
            counts[each.state.value] += 1
        return {
            "anomalies": [anomaly_json(each) for each in found[:limit]],
            "total": len(found),
            "counts": counts,
            "watching": self._watching(),
            "anomalies_left_out": self._store.left_out,
            "metrics_left_out": 0 if self._watcher is None else self._watcher.left_out,
            "enabled": self._watcher is not None,
            "ready_time": self._ready_time(now_ns),
        }

    def one(self, session: QuerySession, anomaly: int) -> OneAnomaly:
        """One with its evidence; ``UnknownAnomalyError``."""
        now_ns = self._clock_ns()
        known = self._store.one(anomaly, now_ns)
        return one_json(known, gather(session, known, now_ns))

    def call_fine(self, anomaly: int, reason: str, actor: str, until_ns: int | None) -> Feedback:
        """Tell no more of the series of an anomaly; ``UnknownAnomalyError``."""
        now_ns = self._clock_ns()
        one = self._store.one(anomaly, now_ns)
        self._store.call_fine(one, reason, actor, (now_ns, until_ns))
        found = next(each for each in self._store.fine() if each.key == one.key)  # the newest of its series
        return feedback_json(found, now_ns)

    def undo(self, feedback: int, actor: str) -> FeedbackList:
        """Tell of a series again; ``UnknownAnomalyError``."""
        self._store.undo(feedback, actor, self._clock_ns())
        return self.feedback()

    def feedback(self) -> FeedbackList:
        """What people said is fine, the newest first."""
        now_ns = self._clock_ns()
        return {"feedback": [feedback_json(each, now_ns) for each in self._store.fine()]}

    def _ready_time(self, now_ns: int) -> str | None:
        """When the first hours are over and read, of which something is usual."""
        first_hour = 0 if self._watcher is None else self._watcher.first_hour
        ready_ns = (first_hour + _LEAST_HOURS) * _HOUR_NS + _READ_NS
        return format_time(ready_ns) if first_hour and ready_ns > now_ns else None

    def _watching(self) -> list[Watching]:
        """Operations and log patterns each, all metrics together."""
        watcher = self._watcher
        if watcher is None:
            return []
        watched = list(watcher.watched)
        metrics = [each for each in watched if each.source.name.startswith("metric ")]
        rows = [_row(watcher, each.source.name, [each]) for each in watched if each not in metrics]
        return [*rows, *([_row(watcher, "metrics", metrics)] if metrics else [])]


def _meant(known: Sequence[Known], wanted: Wanted, now_ns: int) -> list[Known]:
    """Those that somebody asks for, the most important first."""
    found = [each for each in known if wanted.holds(each, now_ns)]
    return sorted(found, key=lambda each: (each.end_ns is not None, -each.importance, each.id))


def _row(watcher: Watcher, name: str, watched: list[Watched]) -> Watching:
    """What is known of sources together, as of the one of which least is."""
    least = min(watched, key=lambda each: each.hours)
    first_hour = watcher.first_hour
    ready = [each for each in watched if each.is_ready(first_hour)]
    problems = [watcher.problems[each.source.name] for each in watched if each.source.name in watcher.problems]
    return {
        "source": name,
        "series": sum(len(memory.labels) for each in watched for memory in each.memories),
        "left_out": sum(memory.left_out for each in watched for memory in each.memories),
        "hours": least.hours,
        "past_hours": least.source.past_hours,
        "is_ready": len(ready) == len(watched),
        "judged_time": format_time(max(each.judged_to for each in ready) * STEP_MS * NS_PER_MS) if ready else None,
        "problem": problems[0] if problems else None,
    }
