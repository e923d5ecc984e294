"""Objects that a forked child begins anew: their locks may be held for ever, and what they count was the parent's."""

from __future__ import annotations

import os
import weakref
from typing import Protocol

from spanglass.guard import guarded

__all__ = ["Renewable", "renew_in_child"]


class Renewable(Protocol):
    """Whatever has locks, threads or counts."""

    def renew(self) -> None:
        """Begin anew, with locks of one's own; called in the child before any code of the application."""


_all: list[weakref.ref[Renewable]] = []


def renew_in_child(renewable: Renewable) -> None:
    """Have ``renewable.renew()`` called in every forked child as long as the object lives, after those named before."""
    _all.append(weakref.ref(renewable, _all.remove))


def _renew_all() -> None:
    for reference in _all:
        renewable = reference()
        if renewable is not None:
            with guarded("go on after a fork"):
                renewable.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
