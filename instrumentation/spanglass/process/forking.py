"""What a forked child has to renew: gunicorn with and without --preload, celery prefork, multiprocessing, os.fork.

The SDK (1.45) restarts its threads and gives the child an instance id of its own. What is left to do, and done here:
metrics begin at zero, for the parent counts what happened in the parent; locks that a thread of the parent may have
held; the process id in the resource; and whatever registered itself.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import Resource

from spanglass.guard import guarded
from spanglass.identity.resource import process_attributes
from spanglass.sdk.limits import renew_readers

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.metrics import MeterProvider

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
    own = Resource(process_attributes())
    providers.tracer._update_resource(own)  # noqa: SLF001 - the SDK's own way in its own at-fork handler
    providers.meter._update_resource(own)  # noqa: SLF001
    providers.logger._update_resource(own)  # noqa: SLF001
    _begin_at_zero(providers.meter)


def _begin_at_zero(provider: MeterProvider) -> None:
    """Forget the parent's sums, and the locks that its other threads may have held while it forked."""
    consumer = provider._measurement_consumer  # noqa: SLF001 - there is no public way
    consumer._lock = threading.Lock()  # noqa: SLF001
    renew_readers(provider, {reader: type(storage) for reader, storage in consumer._reader_storages.items()})  # noqa: SLF001
    for reader in consumer._reader_storages:  # noqa: SLF001
        if hasattr(reader, "_export_lock"):
            reader._export_lock = threading.Lock()  # noqa: SLF001
    for meter in provider._meters.values():  # noqa: SLF001
        meter._instrument_registration_lock = threading.Lock()  # noqa: SLF001
        meter._instrument_ids_lock = threading.Lock()  # noqa: SLF001


def begin_anew() -> None:
    """Renew everything that registered itself, in a child, or where threads and locks have become others."""
    for renew_part in _in_child.copy():
        with guarded("go on after a fork"):
            renew_part()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=begin_anew)
