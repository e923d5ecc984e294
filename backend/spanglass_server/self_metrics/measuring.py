"""What the server measures of itself: every HTTP response, and the process: memory, processor time, open files."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

import psutil

from spanglass_server.self_metrics.registry import (
    CPU_SECONDS,
    HTTP_RESPONSES,
    OPEN_FDS,
    QUERY_FAILURES,
    QUERY_SECONDS,
    RESIDENT_BYTES,
    THREAD_CPU_SECONDS,
    UPTIME_SECONDS,
)

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from spanglass_server.self_metrics.registry import Telemetry

# A client may invent methods; a label must not grow with them.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# OTLP has counters of its own; the others are asked by machines, all the time, and cost nothing.
_UNTIMED = ("/v1/", "/v1development/", "/prometheus/api/v1/write", "/static/", "/healthz", "/readyz")
_FIGURES = "/metrics"
_FIRST_FAILURE = 400
_NO_ANSWER = "none"  # the client left before the answer began


class CountRequests:
    """ASGI middleware, outside of all others."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count what became of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = _NO_ANSWER

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        start_s = time.perf_counter()
        try:
            await self._app(scope, receive, watched)
        finally:
            self._count(scope, status, time.perf_counter() - start_s)

    def _count(self, scope: Scope, status: str, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._telemetry.add(HTTP_RESPONSES, 1, method, status)
        # the router leaves the route it chose in the scope: its path has parameters' names, not their values
        route = getattr(scope.get("route"), "path", None)
        if route is None or route == _FIGURES or route.startswith(_UNTIMED):
            return
        self._telemetry.observe(QUERY_SECONDS, seconds, route)
        if status == _NO_ANSWER or int(status) >= _FIRST_FAILURE:
            self._telemetry.add(QUERY_FAILURES, 1, route, status)


def watch_process(telemetry: Telemetry) -> None:
    """Have the process read when the figures are asked for; uptime counts from this call."""
    process = psutil.Process()
    start_s = time.monotonic()

    def cpu_seconds() -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    telemetry.watch(RESIDENT_BYTES, lambda: int(process.memory_info().rss))
    telemetry.watch(CPU_SECONDS, cpu_seconds)
    if sys.platform == "linux":
        telemetry.watch(THREAD_CPU_SECONDS, thread_cpu_seconds)
    telemetry.watch(OPEN_FDS, lambda: int(process.num_fds()))
    telemetry.watch(UPTIME_SECONDS, lambda: time.monotonic() - start_s)


def thread_cpu_seconds() -> dict[tuple[str, ...], float]:
    """Processor time of each Python thread that runs, by its name, and of all else in the process as ``other``.

    Threads of a pool are one, by the name before their number. Linux alone has a clock for each thread.
    """
    found: dict[tuple[str, ...], float] = {}
    for thread in threading.enumerate():
        name = (thread.name.rstrip("0123456789").rstrip("-_") or thread.name,)
        found[name] = found.get(name, 0.0) + _clock_s(thread.native_id)
    return found | {("other",): max(time.process_time() - sum(found.values()), 0.0)}


def _clock_s(native_id: int | None) -> float:
    """Processor time of a thread by its number in the system, 0 once it has ended.

    The number of the clock is Linux's own (posix-timers: the number inverted, 4 for a thread, 2 for the scheduler's
    count). ``time.pthread_getcpuclockid`` would read the memory of a thread that may have ended.
    """
    try:
        return 0.0 if native_id is None else time.clock_gettime(((~native_id) << 3) | 4 | 2)
    except OSError:
        return 0.0
