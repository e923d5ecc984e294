"""The ends of a process at which what still waits is sent: exit, SIGTERM, and ends that run no exit handlers.

SIGKILL and ``os._exit`` in the application's own code leave no time for anything.
"""

from __future__ import annotations

import _thread
import atexit
import gc
import os
import re
import signal
import sys
import threading
from contextlib import ExitStack, suppress
from time import sleep  # of the thread, also where gevent has replaced it since
from typing import TYPE_CHECKING, Any

from spanglass.guard import guarded
from spanglass.patching.imports import when_imported
from spanglass.process.greenlets import are_green, start_native_thread
from spanglass.process.hard_exits import (
    INIT_PID,
    before_deadly_signals,
    before_pool_workers_exit,
    before_work_horses_exit,
)

if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable
    from types import FrameType, ModuleType

# Both run their finalizers before os._exit, and forget those of the parent when a child begins.
_CHILD_MAKERS = ("multiprocessing.util", "billiard.util")

# What runs in a program that goes on after an interrupt; `python -c` runs "<string>".
_CONSOLE = re.compile("<(?!string>)")

_GRACE_S = 0.5  # for what is done with sending, and not with what follows


class Ending:
    """Calls ``finish`` once a process, whichever end comes first; ``finish`` may take ``timeout_s`` at most.

    ``flush`` may too: it is called instead where SIGTERM does not end the process, the first one of a container.
    """

    def __init__(self, finish: Callable[[], None], flush: Callable[[], object], timeout_s: float) -> None:
        self._finish = finish
        self._flush = flush
        self._timeout_s = timeout_s
        self._finished_pid = 0
        self._finishing_pid = 0  # of the process that is in the middle of it
        self._installed = ExitStack()

    def install(self) -> None:
        """Take part in the ends of this process and of its children."""
        atexit.register(self._at_exit)
        self._take_sigterm()
        for name in _CHILD_MAKERS:
            self._installed.callback(when_imported(name, self._watch_children, doing="watch children begin"))
        for install in (before_work_horses_exit, before_pool_workers_exit, before_deadly_signals):
            self._installed.callback(install(self.now))

    def remove(self) -> None:
        """Take no part any more; what multiprocessing holds is left there and does nothing."""
        atexit.unregister(self._at_exit)
        self._finished_pid = -1
        self._installed.close()
        if _in_main_thread() and signal.getsignal(signal.SIGTERM) == self._on_sigterm:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def now(self) -> None:
        """Finish, unless this process has."""
        if self._finished_pid in {os.getpid(), -1}:
            return
        self._finished_pid = self._finishing_pid = os.getpid()
        with guarded("send the rest at the end of the process"):
            self._finish()
        self._finishing_pid = 0

    def _at_exit(self) -> None:
        """Finish, and leave garbage to the interpreter, which finalizes it in the main thread: that of SQLite's, say.

        Sending makes many objects, above all when it begins, and so has the collector run in a thread of ours.
        """
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            self.now()
        finally:
            if was_enabled:
                gc.enable()
            _stay_interrupted()

    def _take_sigterm(self) -> None:
        """Finish on SIGTERM where the application has no handler; one that it sets later takes our place."""
        if not _in_main_thread():
            return
        handler = signal.getsignal(signal.SIGTERM)
        left_behind = isinstance(getattr(handler, "__self__", None), Ending)  # by a shutdown() in another thread
        if handler is signal.SIG_DFL or left_behind:
            signal.signal(signal.SIGTERM, self._on_sigterm)

    def _on_sigterm(self, number: int, _frame: FrameType | None) -> None:
        if self._finishing_pid == os.getpid():
            return  # the process is ending already, and does not take longer than it may
        self._finishing_pid = os.getpid()
        if are_green():
            # greenlets, ours too, go on only after the handler; if none ever waits, the process ends all the same
            if os.getpid() != INIT_PID:
                signal.signal(number, signal.SIG_DFL)
                start_native_thread(self._end_late, number)
            _thread.start_new_thread(self._finish_in_greenlet, (number,))
            return
        if os.getpid() == INIT_PID:  # goes on until SIGKILL, as without us, and its telemetry with it
            self._wait_for(self._flush)
            self._finishing_pid = 0
            return
        self._wait_for(self.now)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # so that whoever waits for the process sees the signal that ended it

    def _finish_in_greenlet(self, number: int) -> None:
        if os.getpid() == INIT_PID:
            with guarded("send what waits on SIGTERM"):
                self._flush()
            self._finishing_pid = 0
            return
        self.now()
        os.kill(os.getpid(), number)

    def _end_late(self, number: int) -> None:
        sleep(self._timeout_s + _GRACE_S)
        os.kill(os.getpid(), number)

    def _wait_for(self, send: Callable[[], object]) -> None:
        # in a thread of its own: the interrupted code may hold a lock that sending needs; a bare one, because
        # threading.Thread waits for a lock of its own to start
        done = _thread.allocate_lock()
        done.acquire()
        with suppress(RuntimeError):  # no thread can be started: nothing can be sent
            _thread.start_new_thread(_send_and_tell, (send, done))
            done.acquire(timeout=self._timeout_s)

    def _watch_children(self, util: ModuleType) -> None:
        util.register_after_fork(self, lambda ending: ending._in_child(util))  # noqa: SLF001 - it is this object
        process = sys.modules[f"{util.__package__}.process"].current_process()
        if getattr(process, "_parent_pid", None) is not None:  # begun in a child: by the function that it runs
            self._in_child(util)

    def _in_child(self, util: Any) -> None:
        util.Finalize(None, self.now, exitpriority=-100)  # the last: the application's finalizers may log


def _stay_interrupted() -> None:
    """Have a program that Ctrl-C has ended still die by that signal, which shells and their loops look at.

    The interpreter forgets it whenever a text is executed, as modules do that sending imports.
    """
    traceback, main = getattr(sys, "last_traceback", None), sys.modules.get("__main__")
    if traceback is None or getattr(sys, "last_type", None) is not KeyboardInterrupt or main is None:
        return
    frame = traceback.tb_frame
    is_program = frame.f_globals is vars(main) and not _CONSOLE.match(frame.f_code.co_filename)
    if is_program and getattr(main, "__spec__", None) is None:  # python -m exits with 1
        with suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")  # noqa: S102 - what sets it


def _send_and_tell(send: Callable[[], object], done: LockType) -> None:
    try:
        with guarded("send what waits on SIGTERM"):
            send()
    finally:
        done.release()


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
