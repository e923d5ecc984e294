"""Pinned traces as readers' SQL and filters see them: ``pinned_traces``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from spanglass_server.store.ports import OfferedTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_server.saved.model import Pin
    from spanglass_server.saved.store.pins import Pins

_TIME = pa.timestamp("ns")
_TEXT, _WHOLE = pa.string(), pa.int64()
_PINS: Final[Mapping[str, tuple[pa.DataType, Callable[[Pin], Any]]]] = {
    "trace_id": (_TEXT, lambda pin: pin.trace_id.hex()),
    "note": (_TEXT, lambda pin: pin.note),
    "pinned_by": (_TEXT, lambda pin: pin.actor),
    "pinned_at": (_TIME, lambda pin: pin.pinned_ns),
    "service": (_TEXT, lambda pin: pin.service),
    "name": (_TEXT, lambda pin: pin.name),
    "start_time": (_TIME, lambda pin: pin.start_ns),
    "duration_ns": (_WHOLE, lambda pin: pin.duration_ns),
    "spans": (_WHOLE, lambda pin: pin.spans),
    "errors": (_WHOLE, lambda pin: pin.errors),
    "bytes": (_WHOLE, lambda pin: pin.bytes),
}


def sql_views(pins: Pins) -> dict[str, OfferedTable]:
    """The view by name."""

    def rows() -> pa.Table:
        listed = pins.by_id().values()
        return pa.table({name: pa.array([read(pin) for pin in listed], kind) for name, (kind, read) in _PINS.items()})

    return {"pinned_traces": OfferedTable(rows)}
