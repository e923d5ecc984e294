"""Requests with exceptions, as SDKs send them, and what a storage node keeps of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.process.storage_node import StorageNode

STACK = """Traceback (most recent call last):
  File "/srv/shop/{module}.py", line {line}, in {function}
    raise KeyError(name)
{type}: {message}
"""


def exception(
    message: str = "no tea", *, kind: str = "KeyError", function: str = "take", module: str = "stock", line: int = 31
) -> dict[str, str]:
    """Return the attributes of an exception, raised in a function of the application."""
    stack = STACK.format(module=module, line=line, function=function, type=kind, message=message)
    return {"exception.type": kind, "exception.message": message, "exception.stacktrace": stack}


def _put(target: Any, attributes: Mapping[str, object]) -> None:
    for key, value in attributes.items():
        item = target.attributes.add(key=key)
        if isinstance(value, bool):
            item.value.bool_value = value
        elif isinstance(value, bytes):
            item.value.bytes_value = value
        elif isinstance(value, list):
            item.value.array_value.values.extend([type(item.value)(string_value=text) for text in value])
        else:
            item.value.string_value = str(value)


def span_request(
    told: Mapping[str, object],
    *,
    trace: int = 1,
    span: int = 1,
    parent: int = 0,
    time_ns: int = 10**18,
    service: str = "shop",
    resource: Mapping[str, object] | None = None,
    attributes: Mapping[str, object] | None = None,
) -> bytes:
    """Return a request with one span that has one event, an exception."""
    request = ExportTraceServiceRequest()
    around = request.resource_spans.add()
    _put(around.resource, {"service.name": service, **(resource or {})})
    sent = around.scope_spans.add().spans.add(
        trace_id=trace.to_bytes(16, "big"),
        span_id=span.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        name="GET",
        kind=2,
        start_time_unix_nano=time_ns,
        end_time_unix_nano=time_ns + 1000,
    )
    sent.status.code = 2
    _put(sent, attributes or {})
    _put(sent.events.add(name="exception", time_unix_nano=time_ns + 500), told)
    return request.SerializeToString()


def log_request(
    told: Mapping[str, object],
    *,
    trace: int = 1,
    span: int = 1,
    time_ns: int = 10**18,
    service: str = "shop",
    resource: Mapping[str, object] | None = None,
    count: int = 1,
) -> bytes:
    """Return a request with log records that tell of an exception."""
    request = ExportLogsServiceRequest()
    around = request.resource_logs.add()
    _put(around.resource, {"service.name": service, **(resource or {})})
    records = around.scope_logs.add().log_records
    for number in range(count):
        ids = {"trace_id": trace.to_bytes(16, "big"), "span_id": span.to_bytes(8, "big")} if trace else {}
        record = records.add(time_unix_nano=time_ns + 600 + number, severity_number=17, **ids)
        record.body.string_value = "it failed"
        _put(record, told)
    return request.SerializeToString()


def occurrences(node: StorageNode) -> list[dict[str, Any]]:
    """Return the stored occurrences of a node, in the order of their times."""
    columns = ["time_ns", "issue_key", "service_name", "release", "type", "message", "culprit", "trace_id", "source"]

    def ask(session: Any) -> list[dict[str, Any]]:
        relation = session.relation(Signal.OCCURRENCES, ALL_TIME, columns)
        return session.rows(f"SELECT * FROM {relation} ORDER BY time_ns, issue_key")  # noqa: S608 - made by the session

    return node.engine.run_here(ask)
