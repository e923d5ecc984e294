"""Recording rules of a server: evaluated group by group, and stored the way in that remote write has."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from spanglass_server.alerting.ports import RecordingStatus
from spanglass_server.alerting.rules.recording.results import RecordingError, reads_later_ones, recorded
from spanglass_server.ingest.prometheus.requests import WriteRequest
from spanglass_server.promql.engine import Options
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.store.ports import QueryError
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.alerting.rules.prometheus.model import Recording, RecordingGroup
    from spanglass_server.alerting.rules.recording.results import Recorded
    from spanglass_server.promql.ports import SeriesSource

_LOG = logging.getLogger(__name__)

Key = tuple[tuple[str, str], ...]
#: A group by file and name, and the place of a rule in it.
Place = tuple[str, int]


class SampleSink(Protocol):
    """Stores samples that are made here."""

    def store(self, body: bytes) -> str:
        """Store a request of remote write 2.0; returns once queries see it: why nothing was stored, or ""."""


class GroupRecorder:
    """The ``Recorder`` of a server; ``ask`` runs a function over series of a session of its own.

    A rule that fails is logged once, and leaves those behind it as they are. Its series, and series that a rule gives
    no more, end with a staleness marker; after a restart those of before end by age.
    """

    def __init__(
        self,
        groups: Callable[[], Sequence[RecordingGroup]],
        ask: Callable[[Callable[[SeriesSource], Recorded]], Recorded],
        sink: SampleSink,
        interval_ns: int,
        clock_ns: Callable[[], int],
    ) -> None:
        self._groups = groups
        self._ask = ask
        self._sink = sink
        self._interval_ns = interval_ns
        self._clock_ns = clock_ns
        self._lock = threading.Lock()
        self._alive: dict[Place, frozenset[Key]] = {}
        self._latest: dict[Place, _Latest] = {}

    def groups(self) -> Mapping[str, int]:
        """See ``Recorder``; names are unique with the files they stand in."""
        return {_name(group): group.interval_ns or self._interval_ns for group in self._groups()}

    def record(self, group: str, steps: Steps) -> None:
        """See ``Recorder``."""
        found = next((each for each in self._groups() if _name(each) == group), None)
        if found is None:
            return
        with self._lock:
            for part in _one_by_one(steps) if reads_later_ones(found.recordings) else (steps,):
                for place, recording in enumerate(found.recordings):
                    self._record(found, place, recording, part)

    def problems(self) -> list[str]:
        """See ``Recorder``."""
        with self._lock:
            failing = [(place, latest) for place, latest in self._latest.items() if latest.error]
        return [f"recording rule {latest.record} of {group}: {latest.error}" for (group, _), latest in failing]

    def status(self) -> list[RecordingStatus]:
        """See ``Recorder``."""
        with self._lock:
            latest = dict(self._latest)
        return [
            RecordingStatus(
                file=group.file,
                group=group.name,
                interval_ns=group.interval_ns or self._interval_ns,
                limit=group.limit,
                record=each.record,
                expr=each.expr,
                labels=each.labels,
                line=each.line,
                **latest.get((_name(group), place), _NEVER).told(each.record),
            )
            for group in self._groups()
            for place, each in enumerate(group.recordings)
        ]

    def _record(self, group: RecordingGroup, place: int, recording: Recording, steps: Steps) -> None:
        options, begun_ns, at = Options(each_alone=True), self._clock_ns(), (_name(group), place)
        try:
            result: Recorded | None = self._ask(
                lambda source: recorded(source, recording, steps, limit=group.limit, options=options)
            )
            failure = ""
        except (RecordingError, QueryError) as error:
            result, failure = None, str(error)
        body, alive = _body(result, self._alive.get(at, frozenset()), steps)
        refusal = self._sink.store(body) if body else ""
        if not refusal:
            self._alive[at] = alive
        duration_ns = max(self._clock_ns() - begun_ns, 0)
        self._note(at, _Latest(recording.record, steps.end_ms * NS_PER_MS, duration_ns, failure or refusal))

    def _note(self, at: Place, latest: _Latest) -> None:
        before, self._latest[at] = self._latest.get(at, _NEVER), latest
        if latest.error and latest.error != before.error:
            _LOG.warning("recording rule %s of %s: %s", latest.record, at[0], latest.error)
        elif before.error and not latest.error:
            _LOG.info("recording rule %s of %s works again", latest.record, at[0])


@dataclass(frozen=True, slots=True)
class _Latest:
    """How the latest evaluation of a rule went."""

    record: str = ""
    last_ns: int = 0
    duration_ns: int = 0
    error: str = ""

    def told(self, record: str) -> dict[str, Any]:
        """As ``RecordingStatus`` has it; nothing if another rule stood in that place."""
        if self.record != record:
            return {}
        return {"last_ns": self.last_ns, "duration_ns": self.duration_ns, "error": self.error}


_NEVER = _Latest()


def _one_by_one(steps: Steps) -> Sequence[Steps]:
    return [Steps(steps.start_ms + place * steps.step_ms, steps.step_ms, 1) for place in range(steps.size)]


def _name(group: RecordingGroup) -> str:
    return f"{group.file};{group.name}"


def _body(result: Recorded | None, before: frozenset[Key], steps: Steps) -> tuple[bytes, frozenset[Key]]:
    """The request that stores a result, and the series that are alive at its end; b"" if there is nothing to store."""
    request, alive, is_empty = WriteRequest(), set[Key](), True
    for row, key in enumerate(result.keys() if result is not None else ()):
        assert result is not None  # noqa: S101 - there are no rows without one
        is_empty = False
        if _add(request, key, result, row, steps):
            alive.add(key)
    ended = sorted(before - alive - set(result.keys() if result is not None else ()))
    request.end(ended, steps.start_ms)
    return (b"" if is_empty and not ended else request.body()), frozenset(alive)


def _add(request: WriteRequest, key: Key, result: Recorded, row: int, steps: Steps) -> bool:
    """Add a series, with a marker at each step at which it has just ended; whether it goes on after the last."""
    series = request.add(key, None)
    was_present = False
    for step, is_present in enumerate(result.present[row].tolist()):
        time_ms = steps.start_ms + step * steps.step_ms
        if is_present:
            series.samples.add(value=float(result.values[row, step]), timestamp=time_ms)
        elif was_present:
            request.end([key], time_ms)
        was_present = is_present
    return was_present
