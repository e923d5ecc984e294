"""The one registry of what a forked child renews: of gunicorn, celery, multiprocessing, ``os.fork`` and all others.

Locks that a thread of the parent may have held, threads that the child does not have, counts that were the parent's,
the process id. All of it is renewed as well where gevent or eventlet replaces threads and locks (``green.py``), and in
the workers of uWSGI, which forks below Python.
"""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    Reach = Callable[[], "Callable[[], None] | None"]


class Renewable(Protocol):
    """Whatever has locks, threads or counts."""

    def renew(self) -> None:
        """Begin anew, with locks of one's own; called in the child before any code of the application."""


class _Part(NamedTuple):
    renew: Reach  # gives None once the part is gone
    end_thread: Callable[[], None] | None


_in_child: list[_Part] = []

#: What a failure of one part is told, so that the others go on; ``guard.py``, which stands on this module, sets it.
on_failure: Callable[[str, Exception], None] | None = None


def in_child(renew: Callable[[], None], *, end_thread: Callable[[], None] | None = None) -> Callable[[], None]:
    """Have ``renew`` called in every forked child, after those registered before; returns what takes it back.

    ``end_thread`` ends the part's thread, in about a second, before threads are replaced by greenlets.
    """
    part = _Part(lambda: renew, end_thread)
    _in_child.append(part)

    def forget() -> None:
        if part in _in_child:
            _in_child.remove(part)

    return forget


def in_child_while_alive(renewable: Renewable) -> None:
    """Have ``renewable.renew()`` called in every forked child as long as the object lives."""
    part: _Part

    def gone(_reference: object) -> None:
        if part in _in_child:
            _in_child.remove(part)

    reference = weakref.ref(renewable, gone)
    part = _Part(lambda: found.renew if (found := reference()) is not None else None, None)
    _in_child.append(part)


def begin_anew() -> None:
    """Renew everything that registered itself, in a child, or where threads and locks have become others."""
    for part in _in_child.copy():
        renew = part.renew()
        if renew is not None:
            _attempt(renew, "go on after a fork")


def end_threads() -> None:
    """End the threads of all parts, for as long as they are not begun anew."""
    for part in _in_child.copy():
        if part.end_thread is not None:
            _attempt(part.end_thread, "end a thread before the application patches")


def _attempt(act: Callable[[], None], doing: str) -> None:
    try:
        act()
    except Exception as error:
        if on_failure is None:
            raise
        on_failure(doing, error)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=begin_anew)
