"""Whole log records, and the JSON that the API shows of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.query.logs.severity import severity_of
from spanglass_server.query.rows.attributes import plain
from spanglass_server.query.rows.json_values import json_value
from spanglass_server.query.rows.stored_rows import Rows
from spanglass_server.service_names import SERVICE, service_name
from spanglass_server.signals import ValueType
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from spanglass_server.query.rows.answers import Log

#: How the text of a body is read, by its stored type; a string has none.
_BODIES: dict[str, Callable[[str], Any]] = {
    ValueType.INT: int,
    ValueType.DOUBLE: float,
    ValueType.BOOL: "true".__eq__,
    ValueType.BYTES: bytes.fromhex,
}


class LogRows(Rows):
    """A table of whole log records. ``slot_of`` gives a service's colour slot."""

    def __init__(self, table: pa.Table, slot_of: Callable[[str], int]) -> None:
        super().__init__(table)
        self.slot_of = slot_of

    def service(self, row: int) -> str:
        """Return the name of the record's service."""
        return service_name(self.columns[SERVICE][row])

    def as_json(self, row: int, record_id: str) -> Log:
        """Make a record as the API shows it."""
        service = self.service(row)
        number, text = self.value("severity_number", row), self.value("severity_text", row)
        observed_ns = self.value("observed_time_ns", row)
        trace_id, span_id = self.value("trace_id", row), self.value("span_id", row)
        return {
            "id": record_id,
            "time": format_time(self.value("time_ns", row)),
            "observed_time": None if observed_ns is None else format_time(observed_ns),
            "severity": severity_of(number, text),
            "severity_number": number or 0,
            "severity_text": text or "",
            "service": service,
            "slot": self.slot_of(service),
            "body": self._body(row),
            "event_name": self.value("event_name", row) or "",
            "trace_id": None if trace_id is None else trace_id.hex(),
            "span_id": None if span_id is None else span_id.hex(),
            "attributes": self.plain.of_record("log", row),
            "resource": self.plain.of_record("resource", row),
            "scope": {
                "name": self.value("scope_name", row) or "",
                "version": self.value("scope_version", row) or "",
                "attributes": self.plain.of_record("scope", row),
            },
        }

    def _body(self, row: int) -> Any:
        """Read a body back from its text and type; null where none was sent."""
        text, kind = self.value("body", row), self.value("body_type", row)
        if text is None or kind == "empty":
            return None
        if kind == ValueType.JSON:
            return plain([("body", ValueType.JSON, text)])["body"]
        return json_value(_BODIES.get(kind, str)(text))
