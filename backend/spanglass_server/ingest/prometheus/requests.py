"""Samples that are made here, scraped or recorded by rules, as requests of remote write 2.0: they go the one way in."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, Protocol

from google.protobuf.message_factory import GetMessageClass

from spanglass_server.ingest.ports import Form
from spanglass_server.ingest.prometheus.native import STALE_BITS
from spanglass_server.ingest.prometheus.schema import REQUESTS, TYPES
from spanglass_server.service_names import OWN_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_Request: Any = GetMessageClass(REQUESTS[Form.REMOTE_WRITE_2])
_TYPES: Final = {name: number for number, name in enumerate(TYPES)}

#: The value that ends a series.
STALE: Final[float] = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]

#: The labels of a series, sorted by name.
Key = tuple[tuple[str, str], ...]


class Family(Protocol):
    """What is known of a metric: its type in Prometheus' words, help, unit."""

    @property
    def type(self) -> str:
        """A type."""

    @property
    def help(self) -> str:
        """A text."""

    @property
    def unit(self) -> str:
        """A word."""


class Exemplar(Protocol):
    """An example of what was measured; without a time of its own it has the sample's."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Among them the trace's id."""

    @property
    def value(self) -> float:
        """What was measured."""

    @property
    def time_ms(self) -> int | None:
        """When."""


class WriteRequest:
    """A request that grows series by series."""

    def __init__(self) -> None:
        self._message = _Request(symbols=[""])
        self._places: dict[str, int] = {"": 0}

    def add(self, key: Key, family: Family | None) -> Any:
        """Begin a series and return its message."""
        series = self._message.timeseries.add(labels_refs=self._references(key))
        if family is not None:
            series.metadata.type = _TYPES.get(family.type, 0)
            series.metadata.help_ref, series.metadata.unit_ref = self._place(family.help), self._place(family.unit)
        return series

    def exemplar(self, series: Any, exemplar: Exemplar, time_ms: int) -> None:
        """Add an exemplar to a series."""
        references = self._references(sorted(exemplar.labels.items()))
        series.exemplars.add(labels_refs=references, value=exemplar.value, timestamp=exemplar.time_ms or time_ms)

    def end(self, keys: Iterable[Key], time_ms: int) -> None:
        """Say of series that they have ended."""
        for key in keys:
            self.add(key, None).samples.add(value=STALE, timestamp=time_ms)

    def body(self) -> bytes:
        """The request's bytes."""
        content: bytes = self._message.SerializeToString()
        return content

    def _references(self, labels: Iterable[tuple[str, str]]) -> list[int]:
        return [self._place(text) for pair in labels for text in pair]

    def _place(self, text: str) -> int:
        place = self._places.get(text)
        if place is None:
            place = self._places[text] = len(self._places)
            self._message.symbols.append(text)
        return place


def key_of(labels: Mapping[str, str]) -> Key:
    """The key of a series; labels without a value are none."""
    return tuple(sorted((name, value) for name, value in labels.items() if value))


def own_key(metric: str, service: str, labels: Mapping[str, str]) -> Key:
    """The key of a series that the server makes about a service: it is that service's, or the server's own without one.

    ``job`` is the service's name where points are stored, as of all samples of this form.
    """
    told = service or OWN_SERVICE
    return key_of({**labels, "__name__": metric, "job": told, "service_name": told})
