"""Log records: which may be stored, and their columns (opentelemetry-proto logs.proto)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_core.attribute_names import SPAN_RUNNING_EVENT
from spanglass_server.ingest.attributes.codes import stored_type
from spanglass_server.ingest.attributes.overflow import as_text
from spanglass_server.ingest.columnar import null_if_empty, null_if_zero, numpy
from spanglass_server.ingest.protobuf.any_values import MEMBERS, type_codes
from spanglass_server.ingest.records.checks import SPAN_ID_BYTES, TRACE_ID_BYTES, Checks, valid_id
from spanglass_server.ingest.records.envelope import Envelope, open_envelope

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.ingest.attributes.shredder import AttributeShredder


def open_logs(batch: Any) -> Envelope:
    """The log records of a record batch of log requests."""
    return open_envelope(batch, "scope_logs", "log_records")


def check_logs(envelope: Envelope, checks: Checks) -> None:
    """Reject log records that can't be stored."""
    logs = envelope.records.values
    checks.reject_future(numpy(logs.field("time_unix_nano")), "time_unix_nano")
    checks.reject_future(numpy(logs.field("observed_time_unix_nano")), "observed_time_unix_nano")


def are_undated(envelope: Envelope) -> bool:
    """Whether there are log records, and none of them says when it was."""
    logs = envelope.records.values
    times = (logs.field("time_unix_nano"), logs.field("observed_time_unix_nano"))
    return len(logs) > 0 and not any(numpy(time).any() for time in times)


def log_columns(
    logs: Any, shredder: AttributeShredder, received_ns: NDArray[np.int64], arrival_order: NDArray[np.int64]
) -> dict[str, Any]:
    """Columns of the log records themselves (a struct array), without their envelope.

    A record without a time is placed at its observed time, or where that is missing too at the time it was received.
    """
    time = numpy(logs.field("time_unix_nano")).astype(np.int64)
    observed = numpy(logs.field("observed_time_unix_nano")).astype(np.int64)
    effective = np.where(time != 0, time, np.where(observed != 0, observed, received_ns))
    text, kind = _body(logs.field("body"), shredder)
    return {
        "time_ns": pa.array(effective),
        "arrival_order": pa.array(arrival_order),
        "time_is_observed": pa.array(time == 0),
        "observed_time_ns": pa.array(observed, mask=observed == 0),
        "received_time_ns": _received(logs.field("event_name"), received_ns),
        "severity_number": pa.array(numpy(logs.field("severity_number")).clip(0, 255), type=pa.uint8()),
        "severity_text": null_if_empty(logs.field("severity_text")),
        "body": text,
        "body_type": kind,
        "event_name": null_if_empty(logs.field("event_name")),
        "trace_id": valid_id(logs.field("trace_id"), TRACE_ID_BYTES),
        "span_id": valid_id(logs.field("span_id"), SPAN_ID_BYTES),
        "flags": null_if_zero(logs.field("flags")),
        "dropped_attributes_count": null_if_zero(logs.field("dropped_attributes_count")),
        **shredder.shred("log", logs.field("attributes")),
    }


def _received(event_names: Any, received_ns: NDArray[np.int64]) -> Any:
    """When announcements of open spans were received; null for all other records.

    Whether the span's process still lives is judged by how long it has been silent, and its clock may be off.
    """
    is_running = pc.fill_null(pc.equal(event_names, SPAN_RUNNING_EVENT), fill_value=False)
    return pa.array(received_ns, mask=~numpy(is_running))


def _body(bodies: Any, shredder: AttributeShredder) -> tuple[Any, Any]:
    """The body as text, and its stored type where it is not a string ("empty" where nothing was sent)."""
    text = shredder.cut(bodies.field("string_value"))
    if text.null_count == 0 and all(bodies.field(member).null_count == len(text) for member, _ in MEMBERS[1:]):
        return text, pa.nulls(len(text), pa.string())
    types = type_codes(bodies)
    kind = pa.nulls(len(text), pa.string())
    for code in np.unique(types):
        if code == 0:
            continue
        chosen = np.flatnonzero(types == code)
        mask = pa.array(types == code)
        if code < len(MEMBERS):
            part = bodies.take(pa.array(chosen))
            stored = stored_type(int(code))
            texts = as_text(shredder.converted(part.field(MEMBERS[code][0]), int(code)), stored)
            text = pc.replace_with_mask(text, mask, texts)
            label = str(stored)
        else:
            label = "empty"
        kind = pc.replace_with_mask(kind, mask, pa.array([label] * len(chosen), pa.string()))
    return text, kind
