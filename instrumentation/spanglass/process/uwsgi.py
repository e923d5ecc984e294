"""uWSGI, which forks below Python: no handler of ``os.register_at_fork`` is called in its workers, so ours are here.

Unless it has ``--py-call-uwsgi-fork-hooks``. Under ``spanglass run`` we begin before uWSGI has made its module, in the
process that will fork; what comes next is the import of the application, in that process, or with ``--lazy-apps`` in a
worker. So the first import after the module is there has the worker begin anew, or has it done by the hook of forks.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from spanglass.guard import guarded
from spanglass.process import forking
from spanglass.sdk.private.metrics import pause_readers, renew_as_in_child, restart_readers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec

    from spanglass.sdk.providers import Providers

_MODULE, _HOOK = "uwsgi", "post_fork_hook"


def begin_anew_in_workers(providers: Providers) -> Callable[[], None]:
    """Have all parts begin anew in each worker of uWSGI, where it runs us; returns what ends that."""
    watching = ExitStack()
    if is_uwsgi():
        workers = _Workers(providers)
        watching.callback(workers.forget)
        workers.wait()
    return watching.close


def is_uwsgi() -> bool:
    """Return whether this process is one of uWSGI."""
    if _MODULE in sys.modules:
        return hasattr(sys.modules[_MODULE], "opt")
    try:
        return Path(os.readlink("/proc/self/exe")).name.startswith(_MODULE)  # noqa: PTH115 - 20 us less
    except OSError:
        return False


class _Workers:
    """Sees that a process is a worker; a finder of modules that finds none.

    Until then no thread of ours runs: one that held the interpreter's lock while uWSGI forks would stop the worker for
    ever.
    """

    def __init__(self, providers: Providers) -> None:
        self._providers = providers
        self._active = True
        self._begun_pid = 0  # of the worker that has begun
        self._forget = forking.in_child(self._note_pid)  # where Python is told of forks, all is done already

    def wait(self) -> None:
        """End what runs, and wait for the worker, unless this is one."""
        module = sys.modules.get(_MODULE)
        if module is not None and module.worker_id() > 0:
            return
        pause_readers(self._providers.meter)
        forking.end_threads()
        if module is not None:
            self._watch(module)
        else:
            sys.meta_path.insert(0, self)

    def find_spec(self, _name: str, _path: Sequence[str] | None = None, _target: object = None) -> ModuleSpec | None:
        """Look whether uWSGI has made its module, at each import until it has."""
        module = sys.modules.get(_MODULE)
        if module is not None:
            self._leave()
            with guarded("begin anew in uWSGI's workers"):
                self._watch(module)
        return None

    def forget(self) -> None:
        """Do nothing any more; the hook stays, for others may have theirs behind it."""
        self._active = False
        self._forget()
        self._leave()

    def _watch(self, module: ModuleType) -> None:
        if module.worker_id() > 0:  # with --lazy-apps
            self._begin()
            return
        workers = self

        class Chained(ModuleType):
            """The module ``uwsgi``: the one hook that it has is shared with whoever sets another."""

            def __setattr__(self, name: str, value: object) -> None:
                super().__setattr__(name, workers._chained(value) if name == _HOOK else value)

        module.__class__ = Chained
        setattr(module, _HOOK, getattr(module, _HOOK, None))

    def _chained(self, hook: Any) -> Callable[[], None]:
        def post_fork() -> None:
            if self._active:
                with guarded("begin anew in uWSGI's workers"):
                    self._begin()
            if callable(hook):
                hook()

        return post_fork

    def _begin(self) -> None:
        if os.getpid() != self._begun_pid:
            forking.begin_anew()
            renew_as_in_child(self._providers)
            restart_readers(self._providers.meter)

    def _note_pid(self) -> None:
        self._begun_pid = os.getpid()

    def _leave(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
