"""The line to one server, as all signals know it: up or down, and what is said about that, once."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from spanglass.terminal.show import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass.delivery.answers import Answer
    from spanglass.delivery.signals import Signal
    from spanglass.delivery.targets import Target

_NS_PER_S = 1_000_000_000
_QUIET_NS = 60 * _NS_PER_S  # a server that comes and goes is reported once a minute

_logger = logging.getLogger("spanglass")


class Line:
    """Whether a server is up. Thread-safe without a lock: the last one to speak is right."""

    def __init__(self, target: Target, *, spooling: bool, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._target = target
        self._kept = "they are kept in the spool" if spooling else "they are tried again, and dropped after that"
        self._clock_ns = clock_ns
        self._reported_ns: int | None = None
        self._told_down = False
        self._told: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self.down = False

    def went_down(self, signal: Signal, answer: Answer) -> None:
        """Note that an attempt found no server that takes anything now."""
        self.down = True
        with self._lock:
            now_ns = self._clock_ns()
            if self._told_down or (self._reported_ns is not None and now_ns - self._reported_ns < _QUIET_NS):
                return
            self._reported_ns, self._told_down = now_ns, True
        _logger.warning(
            "%s can't be delivered to %s: %s; %s. Is a server running there? `spanglass doctor` tells more",
            signal.nouns,
            self._target.shown,
            answer.reason,
            self._kept,
        )

    def came_up(self) -> None:
        """Note that the server took something."""
        if not self.down:
            return
        self.down = False
        with self._lock:
            told, self._told_down = self._told_down, False
        if told:
            _logger.info("%s takes telemetry again", self._target.shown)

    def refused(self, signal: Signal, answer: Answer) -> None:
        """Say once a kind that the server refuses a signal; an answer all the same, so it is up."""
        self.came_up()
        if self._first(signal, answer.kind):
            _logger.warning(
                "%s are refused by %s and dropped: %s", signal.nouns, self._target.shown, answer.reason or answer.kind
            )

    def left_out(self, signal: Signal, answer: Answer) -> None:
        """Say once a signal that the server left records out."""
        if answer.rejected and self._first(signal, "rejected"):
            _logger.warning(
                "%s left out by %s: %s", counted(answer.rejected, signal.noun), self._target.shown, answer.message
            )

    def after_fork(self) -> None:
        """Renew the lock in a child."""
        self._lock = threading.Lock()

    def _first(self, signal: Signal, kind: str) -> bool:
        with self._lock:
            first = (signal.name, kind) not in self._told
            self._told.add((signal.name, kind))
        return first
