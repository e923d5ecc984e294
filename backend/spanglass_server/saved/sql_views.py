"""Pinned traces as readers' SQL and filters see them: ``pinned_traces``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.store.offered_tables import TEXT, TIME, WHOLE, table_of
from spanglass_server.store.ports import OfferedTable

if TYPE_CHECKING:
    from spanglass_server.saved.model import Pin
    from spanglass_server.saved.store.pins import Pins
    from spanglass_server.store.offered_tables import Columns

_PINS: Final[Columns[Pin]] = {
    "trace_id": (TEXT, lambda pin: pin.trace_id.hex()),
    "note": (TEXT, lambda pin: pin.note),
    "pinned_by": (TEXT, lambda pin: pin.actor),
    "pinned_at": (TIME, lambda pin: pin.pinned_ns),
    "service": (TEXT, lambda pin: pin.service),
    "name": (TEXT, lambda pin: pin.name),
    "start_time": (TIME, lambda pin: pin.start_ns),
    "duration_ns": (WHOLE, lambda pin: pin.duration_ns),
    "spans": (WHOLE, lambda pin: pin.spans),
    "errors": (WHOLE, lambda pin: pin.errors),
    "bytes": (WHOLE, lambda pin: pin.bytes),
}


def sql_views(pins: Pins) -> dict[str, OfferedTable]:
    """The view by name."""
    return {"pinned_traces": OfferedTable(lambda: table_of(_PINS, pins.by_id().values()))}
