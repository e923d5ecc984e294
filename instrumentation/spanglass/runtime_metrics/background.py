"""Work that may wait for a network, kept out of the collection of metrics: one short task at a time, in a thread.

A thread lives as long as its task, so nothing is there to survive a fork or to hold up the end of the process.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from opentelemetry.context import attach, set_value

from spanglass.guard import guarded
from spanglass.sdk.private.published import SUPPRESS_KEY

if TYPE_CHECKING:
    from collections.abc import Callable


class Background:
    """Runs a task beside the collection; what is asked for while one runs is not run."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._thread: threading.Thread | None = None
        self._closed = False

    def run(self, task: Callable[[], None]) -> None:
        """Begin a task, unless one is running or this is closed."""
        if self._closed or (self._thread is not None and self._thread.is_alive()):
            return
        thread = threading.Thread(target=self._run, args=(task,), name=f"spanglass: {self._doing}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is ending, or the system has no thread left: nothing is measured
            return
        self._thread = thread

    def close(self) -> None:
        """Begin nothing more."""
        self._closed = True

    def after_fork(self) -> None:
        """Forget the parent's thread, which the child does not have."""
        self._thread = None

    def wait(self) -> None:
        """Wait until what runs has ended; for tests."""
        if self._thread is not None:
            self._thread.join()

    def _run(self, task: Callable[[], None]) -> None:
        attach(set_value(SUPPRESS_KEY, value=True))  # the context ends with the thread
        with guarded(self._doing):
            task()
