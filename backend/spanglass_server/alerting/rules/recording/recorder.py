"""Recording rules of a server: evaluated group by group, and stored the way in that remote write has."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Protocol

from spanglass_server.alerting.rules.recording.results import RecordingError, reads_later_ones, recorded
from spanglass_server.ingest.prometheus.requests import WriteRequest
from spanglass_server.promql.engine import Options
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.store.ports import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.alerting.rules.prometheus.model import Recording, RecordingGroup
    from spanglass_server.alerting.rules.recording.results import Recorded
    from spanglass_server.promql.ports import SeriesSource

_LOG = logging.getLogger(__name__)

Key = tuple[tuple[str, str], ...]


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
    ) -> None:
        self._groups = groups
        self._ask = ask
        self._sink = sink
        self._interval_ns = interval_ns
        self._lock = threading.Lock()
        self._alive: dict[tuple[str, int], frozenset[Key]] = {}
        self._failures: dict[tuple[str, str], str] = {}

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
            return [f"recording rule {rule} of {group}: {why}" for (group, rule), why in self._failures.items()]

    def _record(self, group: RecordingGroup, place: int, recording: Recording, steps: Steps) -> None:
        options = Options(each_alone=True)
        try:
            result: Recorded | None = self._ask(
                lambda source: recorded(source, recording, steps, limit=group.limit, options=options)
            )
            failure = ""
        except (RecordingError, QueryError) as error:
            result, failure = None, str(error)
        body, alive = _body(result, self._alive.get((_name(group), place), frozenset()), steps)
        refusal = self._sink.store(body) if body else ""
        if not refusal:
            self._alive[_name(group), place] = alive
        self._note((_name(group), recording.record), failure or refusal)

    def _note(self, rule: tuple[str, str], failure: str) -> None:
        before = self._failures.pop(rule, "")
        if failure:
            self._failures[rule] = failure
        if failure and failure != before:
            _LOG.warning("recording rule %s of %s: %s", rule[1], rule[0], failure)
        elif before and not failure:
            _LOG.info("recording rule %s of %s works again", rule[1], rule[0])


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
