"""Ends of processes that run no exit handlers, each known a moment before: what was recorded is sent then.

RQ's work horses and the children of celery's pool end by ``os._exit``. uvicorn, having shut down gracefully, sends
itself the signal that stopped it, with the default action restored; twistd does so too. Signals that come from outside
and find the default action kill at once: for them there is the handler of ``ending.py``.
"""

from __future__ import annotations

import functools
import os
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from spanglass.guard import guarded
from spanglass.patching.imports import when_imported
from spanglass.patching.patches import Replacement, replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

# What ends a server from outside, where the platform has it; a process that kills or aborts itself is to be gone now.
_DEADLY = {getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT") if hasattr(signal, name)}

#: The first process of a container: the kernel ends it by no signal that has its default action, not its own either.
INIT_PID = 1


def before_work_horses_exit(finish: Callable[[], None]) -> Callable[[], None]:
    """Call ``finish`` when a work horse is done with its job, whenever RQ is imported; returns what takes it back."""

    def performing(replaced: Replacement) -> Callable[..., Any]:
        def perform_job(worker: Any, *args: Any, **kwargs: Any) -> Any:
            """Run a job."""
            try:
                return replaced.original(worker, *args, **kwargs)
            finally:
                if replaced.active and getattr(worker, "is_horse", False):  # not of RQ's SimpleWorker, which goes on
                    with guarded("send the rest at the end of a job"):
                        finish()

        return perform_job

    return _replace_when_imported("rq.worker", "Worker", "perform_job", performing)


def before_pool_workers_exit(finish: Callable[[], None]) -> Callable[[], None]:
    """Call ``finish`` when a child of celery's pool ends, recycled or at the end; returns what takes it back.

    After the application's handlers of ``worker_process_shutdown``, which may log.
    """

    def exiting(replaced: Replacement) -> Callable[..., Any]:
        def _do_exit(worker: Any, pid: int, *args: Any, **kwargs: Any) -> Any:
            """End the process."""
            if replaced.active:
                worker.on_exit = functools.partial(_exit_and_finish, worker.on_exit, finish)
            return replaced.original(worker, pid, *args, **kwargs)

        return _do_exit

    return _replace_when_imported("billiard.pool", "Worker", "_do_exit", exiting)


def _exit_and_finish(on_exit: Callable[..., Any] | None, finish: Callable[[], None], *args: Any) -> None:
    try:
        if on_exit is not None:
            on_exit(*args)
    finally:
        with guarded("send the rest at the end of a pool's child"):
            finish()


def before_deadly_signals(finish: Callable[[], None]) -> Callable[[], None]:
    """Call ``finish`` when the process is about to end itself by a signal; returns what takes it back."""

    def raising(replaced: Replacement) -> Callable[..., Any]:
        @functools.wraps(replaced.original)
        def raise_signal(number: int, /) -> None:
            if replaced.active and _ends_process(number):
                finish()
            replaced.original(number)

        return raise_signal

    def killing(replaced: Replacement) -> Callable[..., Any]:
        @functools.wraps(replaced.original)
        def kill(pid: int, number: int, /) -> None:
            if replaced.active and pid == os.getpid() and _ends_process(number):
                finish()
            replaced.original(pid, number)

        return kill

    installed = ExitStack()
    installed.callback(replace(signal, "raise_signal", raising))
    installed.callback(replace(os, "kill", killing))
    return installed.close


def _ends_process(number: object) -> bool:
    if os.getpid() == INIT_PID or not isinstance(number, int) or number not in _DEADLY:
        return False
    if signal.getsignal(number) is not signal.SIG_DFL:
        return False
    return not hasattr(signal, "pthread_sigmask") or number not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def _replace_when_imported(
    module_name: str, class_name: str, method: str, make: Callable[[Replacement], Callable[..., Any]]
) -> Callable[[], None]:
    """Replace a method of a class where it is defined, as soon as its module is imported; returns the way back."""
    installed = ExitStack()

    def watch(module: ModuleType) -> None:
        owner = next(kind for kind in getattr(module, class_name).__mro__ if method in vars(kind))
        installed.callback(replace(owner, method, make))

    installed.callback(when_imported(module_name, watch, doing=f"send what waits at the end of {module_name}"))
    return installed.close
