"""What differs between the forms of a request: how it is decoded and cut, and the kinds of its records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.ingest.ports import Form
from spanglass_server.ingest.prometheus import records as series_records
from spanglass_server.ingest.prometheus import schema as remote_write_schema
from spanglass_server.ingest.protobuf import otlp_schema
from spanglass_server.ingest.protobuf.any_values import check_values
from spanglass_server.ingest.protobuf.wire import OTLP_LEVELS
from spanglass_server.ingest.records import otlp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from google.protobuf.descriptor import Descriptor

    from spanglass_server.ingest.records.record_set import RecordSet
    from spanglass_server.signals import Signal

#: The fields that repeat in a large request, from the outside in.
_LEVELS = {Form.OTLP: OTLP_LEVELS, Form.REMOTE_WRITE_1: (1,), Form.REMOTE_WRITE_2: (5,)}
_VALUE_BYTES = 40  # of an attribute, whatever it holds, on the way from its list to a column
_NAMES = {
    Form.REMOTE_WRITE_1: "a WriteRequest of Prometheus remote write 1.0",
    Form.REMOTE_WRITE_2: "a Request of Prometheus remote write 2.0",
}


@dataclass(frozen=True, slots=True)
class Unfolded:
    """Decoded bodies: a record batch of one row each."""

    batch: Any
    size_bytes: int  # that become of it on the way to columns
    values_are_usual: bool = False  # see ``AnyValues``


def decoded(form: Form, signal: Signal, bodies: Sequence[bytes]) -> Unfolded:
    """Decode bodies; ``ValueError`` if one is no such request."""
    if form is not Form.OTLP:
        batch = otlp_schema.record_batch(remote_write_schema.HANDLERS[form], bodies)
        return Unfolded(batch, batch.nbytes)
    batch = otlp_schema.record_batch(otlp_schema.HANDLERS[signal], bodies)
    values = list(otlp_schema.encoded_values(batch))
    unusual = sum(map(check_values, values))
    return Unfolded(batch, batch.nbytes + _VALUE_BYTES * sum(map(len, values)), values_are_usual=not unusual)


def cutting(form: Form, signal: Signal) -> tuple[Descriptor, tuple[int, ...]]:
    """By what a large request is cut into slices: its message, and the fields that repeat."""
    request = otlp_schema.REQUESTS[signal] if form is Form.OTLP else remote_write_schema.REQUESTS[form]
    return request, _LEVELS[form]


def record_sets(form: Form, signal: Signal, batch: Any) -> Iterator[RecordSet]:
    """The records of a batch of requests, kind by kind; the same batch gives the same order."""
    return otlp.record_sets(signal, batch) if form is Form.OTLP else series_records.record_sets(batch, form)


def name(form: Form, signal: Signal) -> str:
    """What a body of the form is, in words."""
    return _NAMES.get(form, f"an OTLP export request for {signal}")
