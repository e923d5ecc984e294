"""Small requests in which nothing is wrong, told by the protobuf parser itself in a few calls.

With ten requests a second each finds the processor's caches full of other things, and every step takes four times as
long as when it was just done, whatever it does. So nothing but the parser is called, which has just read the body. It
merges messages that stand several times where one is declared, and lists all values of a field that is declared as
repeated: with levels above records declared as one message, all records of a request are one list, and with records
declared as one message too, each of their fields is a list of its values. What may be wrong is not judged here:
``checks.py`` says what it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from spanglass_server.ingest.protobuf.otlp_schema import REQUESTS
from spanglass_server.ingest.records.checks import LATEST_NS, SPAN_ID_BYTES, TRACE_ID_BYTES
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

    #: Fields by name, those of messages with the fields that are wanted of them.
    Fields = Mapping[str, "Fields | None"]

_MOST = 4096  # records that are looked at here


class Wanted(NamedTuple):
    """What must be right in records that stand at a ``path``.

    Of their fields, and those of items in lists of theirs, ``times`` must be possible; ``ids`` must have so many bytes,
    not all of them zeros; ``maybe_ids`` so many bytes or none.
    """

    path: tuple[str, str, str]
    times: Sequence[str]
    ids: Mapping[str, int] = {}
    maybe_ids: Mapping[str, int] = {}

    def fields(self) -> Fields:
        """All of these fields, and the way to them."""
        found: dict[str, Any] = dict.fromkeys((*self.ids, *self.maybe_ids))
        for name in self.times:
            outer, _, inner = name.partition(".")
            found[outer] = {inner: None} if inner else None
        for name in reversed(self.path):
            found = {name: found}
        return found


class PlainRecords:
    """Finds requests of which every record can be stored."""

    def __init__(self, signal: Signal, wanted: Wanted) -> None:
        fields = wanted.fields()
        *self._above, self._records = wanted.path
        lists = {self._records, *(name.partition(".")[0] for name in wanted.times if "." in name)}
        self._listed = _declared(f"{signal}.listed", REQUESTS[signal], fields, lists)
        self._merged = _declared(f"{signal}.merged", REQUESTS[signal], fields, None)
        self._ids = [(name, {size}, bytes(size)) for name, size in wanted.ids.items()]
        self._maybe_ids = [(name, {0, size}) for name, size in wanted.maybe_ids.items()]
        self._times = [name.split(".") for name in wanted.times]

    def counts(self, bodies: Sequence[bytes], latest_ns: int) -> list[int] | None:
        """How many records each request has; None if one may not be storable, or if there are many.

        The official parser has read all of each body.
        """
        counts, contents = [], []
        for body in bodies:
            request = self._listed.FromString(body)
            request.DiscardUnknownFields()
            counts.append(len(self._of_records(request)))
            contents.append(request.SerializeToString())  # each field of a record once, as the last of several counts
        total = sum(counts)
        if not total:
            return counts
        if total > _MOST:
            return None
        merged = self._of_records(self._merged.FromString(b"".join(contents)))
        return counts if self._have_ids(merged, total) and self._are_possible(merged, latest_ns) else None

    def _of_records(self, request: Any) -> Any:
        for name in self._above:
            request = getattr(request, name)
        return getattr(request, self._records)

    def _have_ids(self, records: Any, total: int) -> bool:
        for name, sizes, zeros in self._ids:
            ids = getattr(records, name)
            if len(ids) != total or set(map(len, ids)) != sizes or zeros in ids:
                return False
        return all(sizes.issuperset(map(len, getattr(records, name))) for name, sizes in self._maybe_ids)

    def _are_possible(self, records: Any, latest_ns: int) -> bool:
        latest_ns = min(latest_ns, LATEST_NS - 1)
        for *outer, name in self._times:
            holder = getattr(records, outer[0]) if outer else records
            if max(getattr(holder, name), default=0) > latest_ns:
                return False
        return True


def _declared(name: str, request: Descriptor, fields: Fields, lists: set[str] | None) -> type[Message]:
    """A message with some fields of a request; only those of ``lists`` are repeated, or without it all but messages."""
    file = FileDescriptorProto(name=f"{name}.proto", package=name, syntax="proto3")
    _declare(file, request, fields, lists)
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"{name}.{request.name}"))


def _declare(file: FileDescriptorProto, source: Descriptor, fields: Fields, lists: set[str] | None) -> str:
    """Add a message and those within it; its name."""
    message = file.message_type.add(name=source.name)
    for name, within in fields.items():
        official = source.fields_by_name[name]
        is_list = within is None if lists is None else name in lists
        label = FieldDescriptorProto.LABEL_REPEATED if is_list else FieldDescriptorProto.LABEL_OPTIONAL
        field = message.field.add(name=name, number=official.number, type=official.type, label=label)
        if within is not None and official.message_type is not None:
            field.type_name = _declare(file, official.message_type, within, lists)
    return f".{file.package}.{source.name}"


#: For each signal that has them.
PLAIN = {
    Signal.SPANS: PlainRecords(
        Signal.SPANS,
        Wanted(
            ("resource_spans", "scope_spans", "spans"),
            ("start_time_unix_nano", "end_time_unix_nano", "events.time_unix_nano"),
            {"trace_id": TRACE_ID_BYTES, "span_id": SPAN_ID_BYTES},
            {"parent_span_id": SPAN_ID_BYTES},
        ),
    ),
    Signal.LOGS: PlainRecords(
        Signal.LOGS,
        Wanted(("resource_logs", "scope_logs", "log_records"), ("time_unix_nano", "observed_time_unix_nano")),
    ),
}
