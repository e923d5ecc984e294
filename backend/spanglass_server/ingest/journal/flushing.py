"""Sealed generations of the journal on their way into segments, as one state machine.

``sealed``       waits for its turn: generations are flushed in the order in which they were sealed.
``flushing``     is being written now.
``failed``       could not be written; it is tried again after a pause that doubles, and those behind it wait.
``quarantined``  failed several times, and not for the disk: its file is set aside, those behind it go on, and it is
                 tried again every few minutes, and at the next start. Its records stay in memory until then.
``flushed``      is in segments, but its file could not be removed yet.

Only the state and the clock are here; what is done to a generation is in ``FlushSteps``.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from spanglass_server.self_metrics import registry as own
from spanglass_server.supervision import Backoff, in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_server.ingest.journal.flush_steps import FlushSteps
    from spanglass_server.self_metrics.registry import Telemetry

_LOG = logging.getLogger(__name__)


class State(StrEnum):
    """Where a generation is; see above."""

    SEALED = "sealed"
    FLUSHING = "flushing"
    FAILED = "failed"
    QUARANTINED = "quarantined"
    FLUSHED = "flushed"


_IN_TURN = (State.SEALED, State.FLUSHING, State.FAILED)


@dataclass(frozen=True, slots=True)
class FlushPace:
    """How often a generation is tried, and when it is set aside."""

    retry: Backoff = field(default_factory=Backoff)
    quarantine_retry: Backoff = field(default_factory=lambda: Backoff(60.0, 600.0))
    defects_max: int = 5  # failures other than the disk's; each may be another one, but a defect comes back
    #: Each keeps its records in memory (storage.flush_bytes of journal). With more, something is wrong with all of
    #: them: the next one stays at the head of the line, so that senders are told to keep their records.
    quarantined_max: int = 3


@dataclass(slots=True)
class _Generation:
    number: int
    state: State
    failures: int = 0  # since the last change of state
    defects: int = 0
    due_s: float = 0.0
    reason: str = ""


class Flushing:
    """The sealed generations. ``step`` belongs to one thread, everything else to any."""

    def __init__(
        self,
        steps: FlushSteps,
        telemetry: Telemetry,
        pace: FlushPace | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._steps = steps
        self._telemetry = telemetry
        self._pace = pace or FlushPace()
        self._now_s = now_s
        self._changed = threading.Condition()
        self._generations: dict[int, _Generation] = {}  # in the order of sealing
        self._closing = False

    def add(self, number: int, state: State = State.SEALED) -> None:
        """Take a generation; one that is ``flushed`` already only loses its file."""
        with self._changed:
            self._generations[number] = _Generation(number, state)
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many generations wait for the disk, the one being written included."""
        return sum(g.state in _IN_TURN for g in self._all())

    def wait_for_room(self, most: int, seconds: float) -> None:
        """Return once fewer than ``most`` generations wait, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.waiting < most, seconds)

    @property
    def counts(self) -> Mapping[State, int]:
        """How many generations there are in each state."""
        counts = Counter(g.state for g in self._all())
        return {state: counts[state] for state in State}

    @property
    def problem(self) -> str | None:
        """What went wrong and did not end yet, in words for people."""
        for generation in self._all():
            if generation.reason:
                return self._in_words(generation)
        return None

    def _in_words(self, generation: _Generation) -> str:
        if generation.state is State.QUARANTINED:
            return (
                f"generation {generation.number} of the journal can't become segments ({generation.reason}): its "
                f"records are in memory and in {self._steps.file_name(generation.number)}, and are tried again; "
                "see the server's log"
            )
        if generation.state is State.FLUSHED:
            return f"a file of the journal can't be removed ({generation.reason}); it is tried again"
        wait = "1 generation waits" if self.waiting == 1 else f"{self.waiting} generations wait"
        return f"segments can't be written ({generation.reason}); {wait} in the journal, to be tried again"

    def _all(self) -> list[_Generation]:
        return list(self._generations.values())

    # The flusher's thread

    def step(self) -> bool:
        """Wait until something is due, and do it; False once ``close`` was called and nothing is left to try."""
        with self._changed:
            generation, wait_s = self._next()
            if generation is None:
                if self._closing:
                    return False
                self._changed.wait(wait_s)
                return True
        self._advance(generation)
        return True

    def run_due(self) -> None:
        """Do all that is due now."""
        while (generation := self._next()[0]) is not None:
            self._advance(generation)

    def _next(self) -> tuple[_Generation | None, float | None]:
        """The generation to be worked on now, or else how long until there is one (None: until one is added)."""
        now_s = self._now_s()
        generations = self._all()
        head = [g for g in generations if g.state in _IN_TURN][:1]
        candidates = [*head, *(g for g in generations if g.state not in _IN_TURN)]
        due = next((g for g in candidates if g.due_s <= now_s), None)
        return due, min((g.due_s - now_s for g in candidates), default=None)

    def _advance(self, generation: _Generation) -> None:
        if generation.state is State.FLUSHED:
            self._finish(generation)
            return
        out_of_turn = generation.state is State.QUARANTINED
        if not out_of_turn:
            generation.state = State.FLUSHING
        try:
            self._steps.flush(generation.number)
        except Exception as error:  # noqa: BLE001 - whatever it is, the records stay in the journal
            self._failed(generation, error)
            return
        if generation.failures:
            _LOG.warning("generation %d of the journal is in segments now", generation.number)
        self._become(generation, State.FLUSHED)
        self._finish(generation)

    def _failed(self, generation: _Generation, error: Exception) -> None:
        self._note(generation, error, "flush")
        if generation.state is State.QUARANTINED:
            generation.due_s = self._later(self._pace.quarantine_retry, generation.failures)
            return
        if not isinstance(error, OSError):
            generation.defects += 1
        generation.state = State.FAILED
        generation.due_s = self._later(self._pace.retry, generation.failures)
        if generation.defects >= self._pace.defects_max and not self._closing:
            self._quarantine(generation)

    def _quarantine(self, generation: _Generation) -> None:
        if self.counts[State.QUARANTINED] >= self._pace.quarantined_max:
            return
        try:
            self._steps.quarantine(generation.number)
        except Exception as error:  # noqa: BLE001 - it stays where it is, and is tried again
            self._note(generation, error, "quarantine")
            return
        reason = generation.reason
        self._become(generation, State.QUARANTINED)
        generation.reason, generation.due_s = reason, self._later(self._pace.quarantine_retry, 1)
        _LOG.error("%s", self._in_words(generation))

    def _finish(self, generation: _Generation) -> None:
        try:
            self._steps.finish(generation.number)
        except Exception as error:  # noqa: BLE001 - its records are safe; the file is tried again
            self._note(generation, error, "journal")
            generation.due_s = self._later(self._pace.retry, generation.failures)
            return
        with self._changed:
            del self._generations[generation.number]
            self._changed.notify_all()

    def _become(self, generation: _Generation, state: State) -> None:
        with self._changed:
            generation.state, generation.failures, generation.reason, generation.due_s = state, 0, "", 0.0
            self._changed.notify_all()

    def _later(self, backoff: Backoff, failures: int) -> float:
        """When to try again; never once the server stops: what is not in segments stays in the journal."""
        return float("inf") if self._closing else self._now_s() + backoff.after(failures)

    def _note(self, generation: _Generation, error: Exception, operation: str) -> None:
        self._telemetry.add(own.STORAGE_ERRORS, 1, operation)
        reason = in_words(error)
        if reason != generation.reason:  # logged once, however often it is tried
            defect = None if isinstance(error, OSError) else error
            _LOG.error(
                "generation %d of the journal (%s): %s; trying again",
                *(generation.number, generation.state, reason),
                exc_info=defect,
            )
        generation.reason = reason
        generation.failures += 1

    def close(self) -> None:
        """Have what waits tried once more, and then ``step`` return False."""
        with self._changed:
            self._closing = True
            for generation in self._generations.values():
                generation.due_s = float("inf") if generation.state is State.QUARANTINED else 0.0
            self._changed.notify_all()
