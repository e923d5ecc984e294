"""Our own failures: they never reach the application, are logged once each, are counted, and are loud in our tests.

``SPANGLASS_STRICT=1`` lets them through, so that a test fails where the mistake is.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

from spanglass.process import forking
from spanglass.process.locks import ModuleLock
from spanglass_core.settings_types import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

STRICT_VARIABLE = "SPANGLASS_STRICT"

#: Set by ``spanglass run``, so that a child knows that its parent was started by it.
RUN_VARIABLE = "SPANGLASS_RUN"

#: How often each part failed in this process, by what it was doing; ``spanglass doctor`` and self-metrics read it.
failures: Counter[str] = Counter()

forking.in_child(failures.clear)  # the parent reports its own failures

_logger = logging.getLogger("spanglass")
_seen: set[tuple[str, type[BaseException]]] = set()
_lock = ModuleLock()


class _OwnWork:
    """``with own_work:`` sends telemetry: what other libraries log about it is not printed with the application's."""

    def __init__(self) -> None:
        # not a local of threads: gevent's greenlets would share one that was made before they took the threads' place
        self._blocks = ContextVar("spanglass_own_work", default=0)

    @property
    def going_on(self) -> int:
        """How many blocks this thread is in."""
        return self._blocks.get()

    def __enter__(self) -> None:
        self._blocks.set(self._blocks.get() + 1)

    def __exit__(self, *_: object) -> None:
        self._blocks.set(self._blocks.get() - 1)


own_work = _OwnWork()


@contextmanager
def guarded(doing: str) -> Iterator[None]:
    """Run our own code inside an application: an ``Exception`` in it ends the block and goes no further.

    ``doing`` completes "could not ...", names the part, and has few values: it is a key of ``failures``.
    """
    try:
        yield
    except SettingsError:  # the user's to mend, and reported as such
        raise
    except Exception as error:
        if os.environ.get(STRICT_VARIABLE) == "1":
            raise
        report(doing, error)


def swallow(doing: str, error: Exception) -> None:
    """Do what ``guarded`` does with an error, at the end of an ``except``: on hot paths, where its 1 us counts."""
    if os.environ.get(STRICT_VARIABLE) == "1":
        raise error
    report(doing, error)


def report(doing: str, error: Exception) -> None:
    """Count a failure, and log the first of its kind with its traceback."""
    kind = (doing, type(error))
    with _lock:
        failures[doing] += 1
        first = kind not in _seen
        _seen.add(kind)
    if first:
        with suppress(Exception):  # handlers of the application, or a stack that is as deep as it may be
            _logger.warning(
                "could not %s; the application goes on, and further failures of this kind are only counted",
                doing,
                exc_info=error,
            )


forking.on_failure = swallow
