"""Locks of whole modules, which a forked child finds free: whoever held one in the parent does not exist there."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from spanglass.process.forking import in_child

if TYPE_CHECKING:
    from types import TracebackType


_FORK_WAITS_S = 1.0


class _Held:
    """A lock for a ``with`` statement. Its holder can take it again: signal handlers and finalizers come in between."""

    def __init__(self) -> None:
        self._renew()

    def _renew(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lock.release()


class ModuleLock(_Held):
    """A lock of a module.

    For modules, never for objects: what is registered for children is never forgotten.
    """

    def __init__(self) -> None:
        super().__init__()
        in_child(self._renew)


class ForkGate(_Held):
    """A lock that a fork waits for, a second at most: what is done under it is never cut in half in a child.

    For imports on first use: a child that is forked while another thread imports a module can never import it.
    """

    def __init__(self) -> None:
        super().__init__()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._close, after_in_parent=self._open)
        in_child(self._renew)

    def _renew(self) -> None:
        super()._renew()
        self._taken = False

    def _close(self) -> None:
        self._taken = self._lock.acquire(timeout=_FORK_WAITS_S)

    def _open(self) -> None:
        if self._taken:
            self._taken = False
            self._lock.release()
