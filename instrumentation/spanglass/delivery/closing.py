"""One deadline for everything that still sends, whatever the server does: at the end of a process, and at a flush."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader

from spanglass.clock import NS_PER_MS, NS_PER_S
from spanglass.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

    Provider = TracerProvider | MeterProvider | LoggerProvider
    Part = SpanProcessor | MetricReader | LogRecordProcessor

_RESERVED = 10


class Closing:
    """Whether the process ends, and how long what is left to send may take. Everything of one delivery shares it."""

    def __init__(self, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock_ns = clock_ns
        self._deadline_ns: int | None = None
        self._reserve_ns = 0
        self._event = threading.Event()
        self._hurry: list[Callable[[], None]] = []

    @property
    def begun(self) -> bool:
        """True once the end has begun."""
        return self._deadline_ns is not None

    def begin(self, timeout_ns: int) -> None:
        """Let the end begin; a second call changes nothing. Wakes whoever waits."""
        if self._deadline_ns is not None:
            return
        self._reserve_ns = timeout_ns // _RESERVED
        self._deadline_ns = self._clock_ns() + timeout_ns
        self._event.set()
        for hurry in self._hurry:
            with guarded("hurry at the end"):
                hurry()

    def on_begin(self, hurry: Callable[[], None]) -> None:
        """Have ``hurry`` called when the end begins, so that all queues are sent at the same time."""
        self._hurry.append(hurry)

    def limit_ns(self, otherwise_ns: int) -> int:
        """How long waiting may take now: ``otherwise_ns``, and at the end no more than what is left."""
        if self._deadline_ns is None:
            return otherwise_ns
        return max(0, min(otherwise_ns, self._deadline_ns - self._clock_ns()))

    def sending_ns(self, otherwise_ns: int) -> int:
        """How long an attempt may take now: the same, less a tenth of all the time, to keep or count what is left."""
        if self._deadline_ns is None:
            return otherwise_ns
        return max(0, min(otherwise_ns, self._deadline_ns - self._reserve_ns - self._clock_ns()))

    def wait(self, duration_ns: int) -> bool:
        """Sleep; True at once when the end has begun."""
        return self._event.wait(duration_ns / NS_PER_S)

    def after_fork(self) -> None:
        """Begin anew in a child: a thread of the parent may have held the event's lock."""
        self._event = threading.Event()
        self._deadline_ns = None


def flush_within(providers: Iterable[Provider], timeout_ns: int) -> bool:
    """Have providers send what waits; True if it was all sent in time.

    All at once, each in a thread of its own: a server that hangs for one signal takes no time from the others, and a
    collection of metrics that is under way, which the SDK waits for without a limit, does not hold the application up.
    """
    deadline_ns = time.monotonic_ns() + timeout_ns
    flushes = [_Flush(provider, max(1, timeout_ns // NS_PER_MS)) for provider in providers]
    for flush in flushes:
        flush.begin()
    done = [flush.done_by(deadline_ns) for flush in flushes]  # all of them, whatever the first one says
    return all(done)


class _Flush:
    def __init__(self, provider: Provider, timeout_ms: int) -> None:
        self._provider = provider
        self._timeout_ms = timeout_ms
        self._done = False
        self._thread = threading.Thread(target=self._run, name="spanglass-flush", daemon=True)

    def begin(self) -> None:
        try:
            self._thread.start()
        except RuntimeError:  # no thread can be started, as at the end of the interpreter
            self._run()

    def done_by(self, deadline_ns: int) -> bool:
        if self._thread.ident is not None:
            self._thread.join(max(0, deadline_ns - time.monotonic_ns()) / NS_PER_S)
        return self._done

    def _run(self) -> None:
        with suppress(Exception):  # a MeterProvider raises where the others say False
            self._done = self._provider.force_flush(self._timeout_ms)


def shutdown_within(ends: Iterable[Provider | Part], timeout_ns: int, closing: Closing) -> None:
    """Shut providers down, or what was added to one; return after about ``timeout_ns`` whatever the server does.

    What could not be sent by then is in the spool, or lost and counted. One thread: Python 3.12 starts none at exit.
    """
    closing.begin(timeout_ns)
    for each in ends:
        with guarded("shut a provider down"):
            if isinstance(each, MeterProvider | MetricReader):
                # at least one millisecond, or the provider raises instead of shutting its readers down
                each.shutdown(max(1, closing.limit_ns(timeout_ns) // NS_PER_MS))
            else:
                each.shutdown()
