"""Whether records that wait to become columns belong to some traces: ids stand in their bytes as they were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.ingest.decoding.checked import Checked
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Collection

    from spanglass_server.ingest.decoding.decode import Decoded

#: Where the records of a decoded request are that have a trace id.
_RECORDS = {Signal.SPANS: ("scope_spans", "spans"), Signal.LOGS: ("scope_logs", "log_records")}


def may_be_of(part: Decoded | Checked, trace_ids: Collection[bytes]) -> bool:
    """Return False only if none of the records has one of these trace ids, which have 16 bytes."""
    if part.signal not in _RECORDS:
        return False
    held = part.bodies if isinstance(part, Checked) else (_decoded_ids(part),)
    return any(trace_id in ids for ids in held for trace_id in trace_ids)


def _decoded_ids(part: Decoded) -> bytes:
    """All trace ids of a decoded request, one behind the other; an id is found across two of them at worst."""
    values = part.batch.column(0)
    for name in (*_RECORDS[part.signal], "trace_id"):
        values = values.values.field(name)
    data = values.buffers()[2]
    return b"" if data is None else bytes(data)
