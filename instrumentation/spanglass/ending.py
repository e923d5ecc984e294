"""The ends of a process at which what still waits is sent: exit, SIGTERM, and a multiprocessing child's ``os._exit``.

SIGKILL and ``os._exit`` in the application's own code leave no time for anything.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import wrapt

from spanglass.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType

# Both run their finalizers before os._exit, and forget those of the parent when a child begins.
_CHILD_MAKERS = ("multiprocessing.util", "billiard.util")


class Ending:
    """Calls ``finish`` once a process, whichever end comes first; ``finish`` may take ``timeout_s`` at most."""

    def __init__(self, finish: Callable[[], None], timeout_s: float) -> None:
        self._finish = finish
        self._timeout_s = timeout_s
        self._finished_pid = 0

    def install(self) -> None:
        """Take part in the ends of this process and of its children."""
        atexit.register(self.now)
        self._take_sigterm()
        for name in _CHILD_MAKERS:
            wrapt.when_imported(name)(self._watch_children)

    def remove(self) -> None:
        """Take no part any more; what multiprocessing holds is left there and does nothing."""
        atexit.unregister(self.now)
        self._finished_pid = -1

    def now(self) -> None:
        """Finish, unless this process has."""
        if self._finished_pid in {os.getpid(), -1}:
            return
        self._finished_pid = os.getpid()
        with guarded("send the rest at the end of the process"):
            self._finish()

    def _take_sigterm(self) -> None:
        """Finish on SIGTERM where the application has no handler; one that it sets later takes our place."""
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._on_sigterm)

    def _on_sigterm(self, number: int, _frame: FrameType | None) -> None:
        # in a thread of its own: the interrupted code may hold a lock that finishing needs
        finishing = threading.Thread(target=self.now, name="spanglass-ending", daemon=True)
        finishing.start()
        finishing.join(self._timeout_s)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # so that whoever waits for the process sees the signal that ended it

    def _watch_children(self, util: ModuleType) -> None:
        util.register_after_fork(self, lambda ending: ending._in_child(util))  # noqa: SLF001 - it is this object

    def _in_child(self, util: Any) -> None:
        util.Finalize(None, self.now, exitpriority=-100)  # the last: the application's finalizers may log
