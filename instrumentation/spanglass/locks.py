"""Locks of whole modules, which a forked child finds free: whoever held one in the parent does not exist there."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class ModuleLock:
    """A lock for a ``with`` statement. Its holder can take it again: signal handlers and finalizers come in between.

    For modules, never for objects: what is registered for children is never forgotten.
    """

    def __init__(self) -> None:
        self._renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lock.release()
