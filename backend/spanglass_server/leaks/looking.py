"""Looks at the memory of all processes now and then, and tells of those that leak."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from spanglass_server.findings.judging.regressions import HOUR_NS
from spanglass_server.findings.leak import MOST_BYTES, MOST_PROCESSES, SUBJECT, Grown, Leak
from spanglass_server.findings.model import Kind, Place, Sighting
from spanglass_server.leaks.climbing import GRIDS, MINUTE_MS, find_climb, may_climb
from spanglass_server.leaks.sources import promql
from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.store.ports import QueryMemoryError
from spanglass_server.times import NS_PER_MS
from spanglass_server.trends.watcher import values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from spanglass_server.findings.store.store import FindingStore
    from spanglass_server.leaks.climbing import Climb
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.trends.history import Labels

#: So often there is a look at each grid: at the last hour, half a day, a week.
EVERY_MS: Final = (2 * MINUTE_MS, 10 * MINUTE_MS, 60 * MINUTE_MS)
#: Points come late; and so many processes are looked at, those that are largest.
_LATE_MS, _MOST = 30_000, 2_000
#: A process without a value in the last steps has ended: five minutes, in which each exporter sends.
_RUNNING_STEPS: Final = 5 * MINUTE_MS // GRIDS[0].step_ms


@dataclass(slots=True)
class _Read:
    """What was read for one grid: its end, and the values by process."""

    end_ms: int
    of: Mapping[Labels, NDArray[np.float64]]


@dataclass(slots=True)
class LeakWatch:
    """Called by one thread. ``ask`` runs a query over a session's series; ``now_ns`` is the time.

    ``arrived_ns`` says when the newest points came. Nothing is kept but findings: after a start the past is read again.
    """

    store: FindingStore
    ask: Callable[[Callable[[SeriesSource], Any]], Any]
    arrived_ns: Callable[[], int]
    now_ns: Callable[[], int]
    problem: str = ""
    _read: dict[int, _Read] = field(default_factory=dict)
    _seen_ns: int = -1

    def is_due(self) -> bool:
        """Whether there are new points, and the last look is long enough ago."""
        last = self._read.get(0)
        is_time = last is None or not 0 <= self.now_ns() // NS_PER_MS - _LATE_MS - last.end_ms < EVERY_MS[0]
        return is_time and self.arrived_ns() > self._seen_ns

    def step(self) -> None:
        """Read what is due, and keep a finding for each service that leaks."""
        self._seen_ns = self.arrived_ns()
        end_ms = self.now_ns() // NS_PER_MS - _LATE_MS
        for place, every_ms in enumerate(EVERY_MS):
            last = self._read.get(place)
            if last is None or not 0 <= end_ms - last.end_ms < every_ms:
                self._read[place] = _Read(end_ms, self._values(place, end_ms))
        self.store.see(self._sightings(end_ms * NS_PER_MS))

    def _values(self, place: int, end_ms: int) -> Mapping[Labels, NDArray[np.float64]]:
        grid = GRIDS[place]
        steps = Steps(end_ms - (grid.steps - 1) * grid.step_ms, grid.step_ms, grid.steps)
        try:
            labels, values = self.ask(lambda source: values_of(source, promql(), steps))
            self.problem = ""
        except (PromqlError, BadQuestionError, QueryMemoryError) as problem:  # looked at again when it is due
            self.problem = f"memory of processes could not be read: {problem}"
            return {}
        # infinity, and what no process holds, is told of by nobody
        values = np.where((values >= 0) & (values <= MOST_BYTES), values, np.nan)
        largest = np.argsort(-np.nanmax(values, axis=1, initial=0))[:_MOST] if len(labels) else ()
        return {labels[row]: values[row] for row in largest}

    def _sightings(self, now_ns: int) -> Sequence[Sighting]:
        leaks: dict[str, list[tuple[Labels, Climb]]] = defaultdict(list)
        running = [labels for labels, values in self._read[0].of.items() if np.isfinite(values[-_RUNNING_STEPS:]).any()]
        rows = [self._matrix(place, running) for place in range(len(GRIDS))]
        for row in np.flatnonzero(may_climb(rows)) if running else ():
            climb = find_climb([values[row] for values in rows])
            if climb is not None:
                leaks[dict(running[row]).get("service_name", "")].append((running[row], climb))
        processes = Counter(dict(labels).get("service_name", "") for labels in running)
        return [self._sighting(service, grown, processes[service], now_ns) for service, grown in leaks.items()]

    def _matrix(self, place: int, running: Sequence[Labels]) -> NDArray[np.float64]:
        found = self._read[place].of
        nothing = np.full(GRIDS[place].steps, np.nan)
        return np.array([found.get(labels, nothing) for labels in running]).reshape(len(running), GRIDS[place].steps)

    def _sighting(self, service: str, grown: list[tuple[Labels, Climb]], processes: int, now_ns: int) -> Sighting:
        fastest = sorted(grown, key=lambda each: -each[1].bytes_per_hour)[:MOST_PROCESSES]
        began = self.store.releases(service)
        leak = Leak(now_ns, processes, tuple(_grown(dict(labels), climb, began, now_ns) for labels, climb in fastest))
        return Sighting(
            Place(Kind.MEMORY_LEAK, service, "", SUBJECT),
            requests=processes, hits=len(grown), calls=len(grown), waste_ns=0,
            first_ns=min(one.since_ns for one in leak.grown), last_ns=now_ns, detail=leak.text(),
        )  # fmt: skip


def _grown(labels: Mapping[str, str], climb: Climb, began: Mapping[str, int], now_ns: int) -> Grown:
    release = labels.get("service_version", "")
    return Grown(
        instance=labels.get("instance", ""),
        host=labels.get("host_name", ""),
        pid=labels.get("process_pid", ""),
        release=release,
        release_since_ns=began[release] * HOUR_NS if _is_newer(release, began) else 0,
        since_ns=now_ns - climb.lasts_ms * NS_PER_MS,
        from_bytes=round(climb.first),
        to_bytes=round(climb.last),
        bytes_per_hour=min(round(climb.bytes_per_hour), MOST_BYTES),
    )


def _is_newer(release: str, began: Mapping[str, int]) -> bool:
    return release in began and min(began.values()) < began[release]
