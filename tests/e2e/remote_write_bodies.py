"""Requests of Prometheus remote write, made of messages: for tests and benchmarks."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import cramjam
from google.protobuf.message_factory import GetMessageClass

from spanglass_server.ingest.ports import Form
from spanglass_server.ingest.prometheus.schema import REQUESTS, TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = "/prometheus/api/v1/write"
WriteRequest: Any = GetMessageClass(REQUESTS[Form.REMOTE_WRITE_1])
Request: Any = GetMessageClass(REQUESTS[Form.REMOTE_WRITE_2])
#: The value that ends a series.
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
HEADERS_1 = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
HEADERS_2 = {
    "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "content-encoding": "snappy",
}


def snappy(body: bytes) -> bytes:
    """A block of snappy."""
    return bytes(cramjam.snappy.compress_raw(body))


class Write1:
    """A request of 1.0 that grows."""

    def __init__(self) -> None:
        self.message = WriteRequest()

    def series(self, labels: Mapping[str, str], *samples: tuple[int, float]) -> Any:
        """Add a series with samples, each a time in milliseconds and a value."""
        series = self.message.timeseries.add()
        for name, value in sorted(labels.items()):
            series.labels.add(name=name, value=value)
        for time_ms, value in samples:
            series.samples.add(timestamp=time_ms, value=value)
        return series

    def family(self, name: str, kind: str, help_text: str = "", unit: str = "") -> None:
        """Tell of a metric family."""
        self.message.metadata.add(metric_family_name=name, type=TYPES.index(kind), help=help_text, unit=unit)

    def body(self) -> bytes:
        """The request's bytes."""
        content: bytes = self.message.SerializeToString()
        return content


class Write2:
    """A request of 2.0 that grows, with its table of symbols."""

    def __init__(self) -> None:
        self.message = Request()
        self._places: dict[str, int] = {}
        self.symbol("")

    def symbol(self, text: str) -> int:
        """The place of a text in the table."""
        if text not in self._places:
            self._places[text] = len(self._places)
            self.message.symbols.append(text)
        return self._places[text]

    def references(self, labels: Mapping[str, str]) -> list[int]:
        """Labels as places in the table."""
        return [self.symbol(text) for pair in sorted(labels.items()) for text in pair]

    def series(
        self,
        labels: Mapping[str, str],
        *samples: tuple[int, float],
        kind: str = "unknown",
        help_text: str = "",
        unit: str = "",
        start_ms: int = 0,
    ) -> Any:
        """Add a series with samples, each a time in milliseconds and a value."""
        series = self.message.timeseries.add(labels_refs=self.references(labels))
        series.metadata.type = TYPES.index(kind)
        series.metadata.help_ref, series.metadata.unit_ref = self.symbol(help_text), self.symbol(unit)
        for time_ms, value in samples:
            series.samples.add(timestamp=time_ms, value=value, start_timestamp=start_ms)
        return series

    def body(self) -> bytes:
        """The request's bytes."""
        content: bytes = self.message.SerializeToString()
        return content
