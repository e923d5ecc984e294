"""Threads work in the context in which they were started, as long as they do that work. docs/app/libraries.md.

A thread that a request starts belongs to the request, also after its answer. One that a library starts on that occasion
and that works for everybody ever after does not: it goes back to a queue for more, or waits. So the context that a
thread inherits is a dictionary that can turn empty: OpenTelemetry reads contexts anew each time.
"""

from __future__ import annotations

import queue
import threading as threads
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context, attach, create_key, detach, get_current, get_value
from opentelemetry.trace import get_current_span

from spanglass.guard import swallow
from spanglass.instrumentors.web.request import KEY, ServerRequest
from spanglass.patching.patches import Replacement, replace

if TYPE_CHECKING:
    from collections.abc import Callable

#: How long a thread goes on for a request that has ended, unless it has come back for more work before.
GRACE_NS = 30 * 10**9

_ATTRIBUTE = "_spanglass_context"
_BOOTSTRAP = "_bootstrap"  # what a thread runs, with its run() in it, and the hook for what run() raises
_INHERITED = create_key("spanglass-inherited")
_OURS = "spanglass-"  # begins the names of our own threads
_OTHER_INTERPRETER = "InterpreterPoolExecutor"  # pickles what it runs


class Inherited(Context):
    """The context that a thread was started in: empty from the moment on when its work is over."""

    def __init__(self, given: Context, thread: threads.Thread) -> None:
        super().__init__({**given, _INHERITED: self})
        request = given.get(KEY)
        is_open = isinstance(request, ServerRequest) and not request.ended
        self._span: Any = request.span if is_open and isinstance(request, ServerRequest) else get_current_span(given)
        self._began_ns = time.time_ns()
        self._delayed = isinstance(thread, threads.Timer)
        self.repeats = self._delayed
        self._takes = 0
        self._over = False

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value, or the default if the work is over."""
        return super().get(key, default) if self.holds() else default

    def copy(self) -> dict[str, object]:
        """Return what is in it."""
        return super().copy() if self.holds() else {}

    def holds(self) -> bool:
        """Whether the thread still does the work that it was started for."""
        if self._over:
            return False
        if self.is_open():
            return True
        if self._takes <= 1 and time.time_ns() - self._since() < GRACE_NS:
            return True
        self._over, self._span = True, None
        dict.clear(self)
        return False

    def _since(self) -> int:
        """When the thread began to go on without its span: a timer, when its time had come."""
        ended_ns: int = getattr(self._span, "end_time", None) or 0
        return max(ended_ns, self._began_ns)

    def is_open(self) -> bool:
        """Whether the span has not ended that the thread was started in; of one that is not recorded nobody knows."""
        return getattr(self._span, "end_time", 0) is None

    def takes(self) -> None:
        """Tell that the thread takes work from a queue. The first piece may be what it was started for."""
        self._takes += 1

    def waited(self) -> None:
        """Tell that the thread has waited for a time, as one does that works at intervals; a timer does so once."""
        if self._delayed:
            self._delayed, self._began_ns = False, time.time_ns()
        else:
            self._takes += 2


def threading(instrumentor: Any, options: dict[str, Any], *, late: bool) -> Callable[[], None]:
    """Have threads and pools of threads work in the context in which they are started; gives what takes that back."""
    del late
    if not hasattr(threads.Thread, _BOOTSTRAP):  # a later Python: better upstream's than nothing
        instrumentor.instrument(skip_dep_check=True, **options)
        return instrumentor.uninstrument  # type: ignore[no-any-return]
    undo = ExitStack()
    undo.callback(replace(threads.Thread, "start", _start))
    undo.callback(replace(threads.Thread, _BOOTSTRAP, _run))
    undo.callback(replace(threads.Event, "wait", _wait))
    undo.callback(replace(queue.Queue, "get", _take))
    undo.callback(replace(ThreadPoolExecutor, "submit", _submit))
    return undo.close


def _start(replaced: Replacement) -> Callable[..., None]:
    original = replaced.original

    @wraps(original)
    def start(self: threads.Thread, *args: Any, **kwargs: Any) -> None:
        if replaced.active:
            try:
                _hand_over(self, get_current())
            except Exception as error:  # noqa: BLE001 - nothing here may reach the application
                swallow("hand the context to a thread", error)
        original(self, *args, **kwargs)

    return start


def _hand_over(thread: threads.Thread, current: Context) -> None:
    inherited = get_value(_INHERITED, current)  # which empties a context whose work is over
    if not current or thread.name.startswith(_OURS):
        return
    is_repeated = isinstance(inherited, Inherited) and inherited.repeats and not inherited.is_open()
    if is_repeated and isinstance(thread, threads.Timer):
        return  # a timer that a timer starts, which is how one repeats
    setattr(thread, _ATTRIBUTE, Inherited(current, thread) if _has_span(current) else current)


def _has_span(current: Context) -> bool:
    return get_current_span(current).get_span_context().is_valid


def _run(replaced: Replacement) -> Callable[..., None]:
    original = replaced.original

    @wraps(original)
    def bootstrap(self: threads.Thread) -> None:
        given = vars(self).pop(_ATTRIBUTE, None)
        if given is not None:
            attach(given)  # for the rest of the thread
        original(self)

    return bootstrap


def _wait(replaced: Replacement) -> Callable[..., bool]:
    original = replaced.original

    @wraps(original)
    def wait(self: threads.Event, timeout: float | None = None) -> bool:
        done: bool = original(self, timeout)
        if timeout is not None:  # without one, it waits for somebody else's work to be done
            current = get_current()
            if type(current) is Inherited:
                current.waited()
        return done

    return wait


def _take(replaced: Replacement) -> Callable[..., Any]:
    original = replaced.original

    @wraps(original)
    def get(self: queue.Queue[Any], *args: Any, **kwargs: Any) -> Any:
        current = get_current()
        if type(current) is Inherited:
            current.takes()
        return original(self, *args, **kwargs)

    return get


def _submit(replaced: Replacement) -> Callable[..., Any]:
    """A job works in the context of whoever submits it; the thread that it may start works for all."""
    original = replaced.original

    @wraps(original)
    def submit(self: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        current = get_current()
        if not replaced.active or not current or _is_elsewhere(type(self)):
            return original(self, fn, *args, **kwargs)
        token = attach(Context())
        try:
            return original(self, partial(_within, current, fn), *args, **kwargs)
        finally:
            detach(token)

    return submit


def _is_elsewhere(executor: type) -> bool:
    return any(base.__name__ == _OTHER_INTERPRETER for base in executor.__mro__)


def _within(context: Context, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    token = attach(context)
    try:
        return fn(*args, **kwargs)
    finally:
        detach(token)
