"""The messages of Prometheus remote write, 1.0 and 2.0, as Arrow: one handler each, as for OTLP (``otlp_schema.py``).

The descriptors are made here, from the field numbers that the specifications publish. Sub-messages that both versions
have are declared once: fields that only 2.0 has (start times) are absent from what 1.0 sends. Enumerations are declared
as integers, which have the same encoding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import ptars
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from spanglass_server.ingest.ports import Form

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

_PACKAGE: Final = "spanglass.prometheus"
_FILE: Final = "spanglass/prometheus.proto"

#: Fields of each message: number, type, name. ``*`` marks a repeated one, ``|`` a member of the oneof of that name.
_MESSAGES: Final = {
    "Label": "1 string name, 2 string value",
    "Sample": "1 double value, 2 int64 timestamp, 3 int64 start_timestamp",
    "LabelledExemplar": "1 *Label labels, 2 double value, 3 int64 timestamp",
    "ReferringExemplar": "1 *uint32 labels_refs, 2 double value, 3 int64 timestamp",
    "BucketSpan": "1 sint32 offset, 2 uint32 length",
    "Histogram": (
        "1 uint64 count_int|count, 2 double count_float|count, 3 double sum, 4 sint32 schema, 5 double zero_threshold, "
        "6 uint64 zero_count_int|zero_count, 7 double zero_count_float|zero_count, "
        "8 *BucketSpan negative_spans, 9 *sint64 negative_deltas, 10 *double negative_counts, "
        "11 *BucketSpan positive_spans, 12 *sint64 positive_deltas, 13 *double positive_counts, "
        "14 int32 reset_hint, 15 int64 timestamp, 16 *double custom_values, 17 int64 start_timestamp"
    ),
    "LabelledSeries": "1 *Label labels, 2 *Sample samples, 3 *LabelledExemplar exemplars, 4 *Histogram histograms",
    "FamilyMetadata": "1 int32 type, 2 string metric_family_name, 4 string help, 5 string unit",
    "WriteRequest": "1 *LabelledSeries timeseries, 3 *FamilyMetadata metadata",
    "Metadata": "1 int32 type, 3 uint32 help_ref, 4 uint32 unit_ref",
    "ReferringSeries": (
        "1 *uint32 labels_refs, 2 *Sample samples, 3 *Histogram histograms, 4 *ReferringExemplar exemplars, "
        "5 Metadata metadata, 6 int64 created_timestamp"
    ),
    "Request": "4 *string symbols, 5 *ReferringSeries timeseries",
}
_REQUESTS: Final = {Form.REMOTE_WRITE_1: "WriteRequest", Form.REMOTE_WRITE_2: "Request"}

#: ``Histogram.ResetHint`` and ``MetricMetadata.MetricType`` by their numbers.
RESET_HINTS: Final = 3
TYPES: Final = ("unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset")


def _file() -> FileDescriptorProto:
    file = FileDescriptorProto(name=_FILE, package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for text in fields.split(", "):
            number, kind, field_name = text.split(" ")
            field_name, _, choice = field_name.partition("|")
            field = message.field.add(name=field_name, number=int(number), label=FieldDescriptorProto.LABEL_OPTIONAL)
            if kind.startswith("*"):
                field.label, kind = FieldDescriptorProto.LABEL_REPEATED, kind[1:]
            if kind in _MESSAGES:
                field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                field.type = FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")
            if choice:
                known = [oneof.name for oneof in message.oneof_decl]
                if choice not in known:
                    message.oneof_decl.add(name=choice)
                    known.append(choice)
                field.oneof_index = known.index(choice)
    return file


def _requests() -> dict[Form, Descriptor]:
    pool = DescriptorPool()
    pool.Add(_file())
    return {form: pool.FindMessageTypeByName(f"{_PACKAGE}.{name}") for form, name in _REQUESTS.items()}


def _handlers() -> dict[Form, Any]:
    pool = ptars.HandlerPool([REQUESTS[Form.REMOTE_WRITE_1].file])
    return {form: pool.get_for_message(request) for form, request in REQUESTS.items()}


#: The descriptor of each version's request.
REQUESTS: Final = _requests()
#: For each version an object whose ``list_to_record_batch(bodies)`` returns one row a body, or raises ``ValueError``.
HANDLERS: Final = _handlers()
