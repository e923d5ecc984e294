"""The collector of cycles, paused while many objects are made that all stay.

It looks at everything that is young again and again, and finds nothing: of a trace of 100 000 spans that took 2 s of 5.
"""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_lock = threading.Lock()
_pauses = 0


@contextmanager
def paused_collector() -> Iterator[None]:
    """Collect no cycles inside; several threads may be inside at once, and the last one to leave has them collected.

    For what ends within seconds. A collector that was off before stays off.
    """
    global _pauses  # noqa: PLW0603 - the collector is the process's, and so is what it waits for
    with _lock:
        if not _pauses and not gc.isenabled():
            paused = False
        else:
            paused = True
            _pauses += 1
            gc.disable()
    try:
        yield
    finally:
        if paused:
            with _lock:
                _pauses -= 1
                if not _pauses:
                    gc.enable()
