"""One run of a health check: where it happens, how long it may take, and what came of it.

A function runs in a daemon thread of its own, which a process may leave behind at its end; a coroutine runs on the
application's event loop, where its connections live, or in such a thread if there is none. So a check that hangs holds
nobody up: who asks for its result stops waiting at its timeout.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from concurrent.futures import Future
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opentelemetry import context as context_api

from spanglass.api.health.report import CheckReport, HealthResult, failed, understood
from spanglass.api.spans import qualified_name
from spanglass.clock import NS_PER_S
from spanglass.sdk.private.published import SUPPRESS_KEY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Check", "Clocks", "Run", "begin_run"]


@dataclass(frozen=True, slots=True)
class Clocks:
    """The times that checks are measured with: one that only goes forward, and the time of day."""

    steady_ns: Callable[[], int] = time.monotonic_ns
    unix_nano: Callable[[], int] = time.time_ns


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Check:
    """A registered check, itself and no other; ``interval_ns`` None means the runner's."""

    name: str
    function: Callable[[], Any]
    timeout_ns: int
    critical: bool
    interval_ns: int | None
    loop: asyncio.AbstractEventLoop | None  # that ran when it was registered


@dataclass(frozen=True, slots=True)
class _Outcome:
    result: HealthResult
    error_type: str
    ended_ns: int


@dataclass(slots=True)
class Run:
    """A run that has begun. ``measured`` is for whoever exports results: a run is measured once."""

    check: Check
    started_ns: int
    done: Future[_Outcome] = field(default_factory=Future)
    measured: bool = False

    def remaining_s(self, now_ns: int) -> float:
        """Return how long to wait for it yet, in seconds."""
        return max(self.started_ns + self.check.timeout_ns - now_ns, 0) / NS_PER_S

    def over(self, now_ns: int) -> bool:
        """Return whether the run has ended, or its time has."""
        return self.done.done() or not self.remaining_s(now_ns)

    def report(self, clocks: Clocks) -> CheckReport:
        """Return what came of the run; if it has not ended, that it is out of time."""
        now_ns = clocks.steady_ns()
        if self.done.done():
            outcome = _outcome(self.done, now_ns)
        else:
            self.done.cancel()  # stops a coroutine on the application's loop; a thread cannot be stopped
            outcome = _Outcome(_timed_out(self, now_ns), "TimeoutError", now_ns)
        return CheckReport(
            name=self.check.name,
            critical=self.check.critical,
            status=outcome.result.status,
            detail=outcome.result.detail,
            data=outcome.result.data,
            error_type=outcome.error_type,
            duration_s=(outcome.ended_ns - self.started_ns) / NS_PER_S,
            checked_at_unix_nano=clocks.unix_nano(),
        )


def begin_run(check: Check, clocks: Clocks, loop: asyncio.AbstractEventLoop | None, *, quiet: bool) -> Run:
    """Begin a run on ``loop``, if the check is a coroutine function and the loop is running, else in a thread.

    ``quiet`` leaves no spans: what the runner does every half minute belongs to no request.
    """
    run = Run(check, clocks.steady_ns())
    if loop is not None and inspect.iscoroutinefunction(check.function) and _begin_on(loop, run, clocks, quiet=quiet):
        return run
    run.done.set_running_or_notify_cancel()
    context = Context() if quiet else copy_context()
    target = threading.Thread(
        target=context.run,
        args=(_in_thread, run, clocks, quiet),
        name=f"spanglass-check-{check.name}",
        daemon=True,
    )
    try:
        target.start()
    except RuntimeError as error:  # no more threads, or the interpreter is ending
        run.done.set_result(_Outcome(failed(error), "RuntimeError", clocks.steady_ns()))
    return run


def _begin_on(loop: asyncio.AbstractEventLoop, run: Run, clocks: Clocks, *, quiet: bool) -> bool:
    call = _outcome_of(run.check.function, clocks, quiet=quiet)
    try:
        run.done = asyncio.run_coroutine_threadsafe(call, loop)
    except RuntimeError:  # the loop was closed meanwhile
        call.close()
        return False
    return True


def _in_thread(run: Run, clocks: Clocks, quiet: bool) -> None:  # noqa: FBT001 - called by Context.run
    if quiet:
        context_api.attach(context_api.set_value(SUPPRESS_KEY, value=True))
    try:
        returned = run.check.function()
        if inspect.isawaitable(returned):
            returned = asyncio.run(_within(returned, run.check.timeout_ns / NS_PER_S))
        outcome = _Outcome(understood(returned), "", clocks.steady_ns())
    except BaseException as error:  # noqa: BLE001 - a check may raise anything, and sys.exit() in it ends no thread
        outcome = _Outcome(failed(error), qualified_name(type(error)), clocks.steady_ns())
    run.done.set_result(outcome)


async def _within(awaitable: Awaitable[Any], timeout_s: float) -> Any:
    return await asyncio.wait_for(awaitable, timeout_s)


async def _outcome_of(function: Callable[[], Awaitable[Any]], clocks: Clocks, *, quiet: bool) -> _Outcome:
    if quiet:
        context_api.attach(context_api.set_value(SUPPRESS_KEY, value=True))
    try:
        returned = await function()
    except Exception as error:  # noqa: BLE001 - whatever a check raises is its result
        return _Outcome(failed(error), qualified_name(type(error)), clocks.steady_ns())
    return _Outcome(understood(returned), "", clocks.steady_ns())


def _timed_out(run: Run, now_ns: int) -> HealthResult:
    elapsed_s, timeout_s = (now_ns - run.started_ns) / NS_PER_S, run.check.timeout_ns / NS_PER_S
    return HealthResult(
        "unhealthy", f"no answer after {elapsed_s:.3g} s; its timeout is {timeout_s:g} s, and it is not started twice"
    )


def _outcome(done: Future[_Outcome], now_ns: int) -> _Outcome:
    """Return what a run that ended left; on the application's loop that may be a cancellation, or a ``SystemExit``."""
    if done.cancelled():
        return _Outcome(HealthResult("unhealthy", "the check was cancelled"), "asyncio.CancelledError", now_ns)
    error = done.exception()
    return done.result() if error is None else _Outcome(failed(error), qualified_name(type(error)), now_ns)
