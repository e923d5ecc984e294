"""Whether one server can be reached, shared by all signals: up or down, and each change is logged once."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from spanglass.clock import NS_PER_S
from spanglass.terminal.show import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass.delivery.signals import Signal
    from spanglass.delivery.transport.answers import Answer
    from spanglass.delivery.transport.targets import Target

_QUIET_NS = 60 * NS_PER_S  # a server that comes and goes is reported once a minute

#: Kinds of answers, of HTTP and of gRPC, that are about who sends, not what is sent.
_OF_THE_SENDER = frozenset({"401", "403", "UNAUTHENTICATED", "PERMISSION_DENIED"})

_logger = logging.getLogger("spanglass")


class Line:
    """Whether a server is up. Thread-safe without a lock: the last one to speak is right."""

    def __init__(
        self, targets: Mapping[str, Target], *, spooling: bool, clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """``targets`` are the signals that go there, by name: at least one."""
        self._targets = targets
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
            self._targets[signal.name].shown,
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
            _logger.info("%s takes telemetry again", self._host)

    def refused(self, signal: Signal, answer: Answer) -> None:
        """Say once a kind that the server refuses a signal; an answer all the same, so it is up.

        A token that is wrong is so for all signals, and said once.
        """
        self.came_up()
        reason = answer.reason or answer.kind
        if answer.kind in _OF_THE_SENDER:
            if self._first("", "token"):
                _logger.warning("telemetry is refused by %s and dropped: %s", self._host, reason)
        elif self._first(signal.name, answer.kind):
            shown = self._targets[signal.name].shown
            _logger.warning("%s are refused by %s and dropped: %s", signal.nouns, shown, reason)

    def left_out(self, signal: Signal, answer: Answer) -> None:
        """Say once a signal that the server left records out."""
        if answer.rejected and self._first(signal.name, "rejected"):
            shown = self._targets[signal.name].shown
            _logger.warning("%s left out by %s: %s", counted(answer.rejected, signal.noun), shown, answer.message)

    def after_fork(self) -> None:
        """Renew the lock in a child."""
        self._lock = threading.Lock()

    @property
    def _host(self) -> str:
        return next(iter(self._targets.values())).host

    def _first(self, signal: str, kind: str) -> bool:
        with self._lock:
            first = (signal, kind) not in self._told
            self._told.add((signal, kind))
        return first
