"""Which span each thread works for, as seen from another thread.

Contexts are the threads' own. So what is attached is noted by thread, as it is attached: two steps in a dictionary.
The tasks of an event loop share a thread; theirs is the context of the task that runs, which tasks hold themselves.
"""

from __future__ import annotations

import asyncio
import gc
from contextvars import Context as TaskContext
from threading import get_ident
from typing import TYPE_CHECKING, Any

from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext
from opentelemetry.trace import get_current_span

from spanglass.patching.patches import Replacement, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.context import Context
    from opentelemetry.trace import Span


class Tagging:
    """The contexts of threads, and the event loops that run in them, by the threads' identifiers.

    ``begin`` has contexts noted from then on and returns what ends it; ``woken`` is called when a context is noted.
    """

    def __init__(self, woken: Callable[[], None]) -> None:
        self._woken = woken
        self._contexts: dict[int, Context] = {}
        self._loops: dict[int, asyncio.AbstractEventLoop] = {}

    def begin(self) -> Callable[[], None]:
        """Note what threads attach."""
        ends = [
            replace(ContextVarsRuntimeContext, "attach", self._attach),
            replace(ContextVarsRuntimeContext, "detach", self._detach),
        ]

        def end() -> None:
            for take_back in ends:
                take_back()

        return end

    def span(self, ident: int) -> Span | None:
        """Return the span that a thread works for, None if it works for none."""
        loop = self._loops.get(ident)
        if loop is not None and loop.is_running():
            task = asyncio.current_task(loop)
            context = None if task is None else _context_of(task)
            # a copy takes one step, and may be entered here while the task runs in the other
            found = None if context is None else context.copy().run(get_current_span)
        else:
            noted = self._contexts.get(ident)
            found = None if noted is None else get_current_span(noted)
        return found if found is not None and found.get_span_context().is_valid else None

    def known(self) -> set[int]:
        """Return the threads of which something is noted."""
        return {*self._contexts, *self._loops}

    def forget(self, ended: Iterable[int]) -> None:
        """Forget threads that have ended."""
        for ident in ended:
            self._contexts.pop(ident, None)
            self._loops.pop(ident, None)

    def renew(self) -> None:
        """Forget everything: in a forked child there is one thread, under another identifier."""
        self._contexts, self._loops = {}, {}

    def _attach(self, replaced: Replacement) -> Callable[..., Any]:
        original = replaced.original

        def attach(runtime: ContextVarsRuntimeContext, context: Context) -> Any:
            """Set the current context."""
            token = original(runtime, context)
            if replaced.active:
                self._note(context)
            return token

        return attach

    def _detach(self, replaced: Replacement) -> Callable[..., Any]:
        original = replaced.original

        def detach(runtime: ContextVarsRuntimeContext, token: Any) -> None:
            """Set the context from before."""
            original(runtime, token)
            if replaced.active:
                self._note(runtime.get_current())

        return detach

    def _note(self, context: Context) -> None:
        loop = asyncio._get_running_loop()  # noqa: SLF001 - documented; get_running_loop() raises where there is none
        if loop is None:
            self._contexts[get_ident()] = context
        else:
            self._loops[get_ident()] = loop
        self._woken()


def _context_of(task: asyncio.Task[Any]) -> TaskContext | None:
    """Return the context that a task runs in; before Python 3.12 only the collector of cycles tells it."""
    get_context = getattr(task, "get_context", None)
    if get_context is not None:
        found: TaskContext = get_context()
        return found
    return next((held for held in gc.get_referents(task) if isinstance(held, TaskContext)), None)
