"""What a forked child has to renew: gunicorn with and without --preload, celery prefork, multiprocessing, os.fork.

The SDK (1.45) restarts its threads and gives the child an instance id of its own. What is left to do, and done here:
metrics begin at zero, for the parent counts what happened in the parent; locks that a thread of the parent may have
held; the process id in the resource; and whatever registered itself.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import Resource

from spanglass.guard import guarded
from spanglass.identity.resource import process_attributes
from spanglass.sdk.private.metrics import renew_in_child

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass.sdk.providers import Providers

_in_child: list[Callable[[], None]] = []


def in_child(renew: Callable[[], None]) -> Callable[[], None]:
    """Have ``renew`` called in every forked child, after those registered before; returns what takes it back."""
    _in_child.append(renew)

    def forget() -> None:
        if renew in _in_child:
            _in_child.remove(renew)

    return forget


def renew(providers: Providers) -> None:
    """Make the child's providers its own."""
    renew_in_child(providers, Resource(process_attributes()))


def begin_anew() -> None:
    """Renew everything that registered itself, in a child, or where threads and locks have become others."""
    for renew_part in _in_child.copy():
        with guarded("go on after a fork"):
            renew_part()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=begin_anew)
