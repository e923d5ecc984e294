"""What decoding and shredding ask of the records of one kind within a batch of requests, whatever their protocol."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.ingest.attributes.shredder import AttributeShredder
    from spanglass_server.ingest.prometheus.families import Families
    from spanglass_server.ingest.records.checks import Checks


@dataclass(frozen=True, slots=True)
class Requests:
    """What is known of each request: when it was received, and the arrival order of its first record.

    ``families`` are those that senders of remote write told, of all requests so far.
    """

    received_ns: NDArray[np.int64]
    first_order: NDArray[np.int64]
    families: Families

    def orders(self, request_of: NDArray[np.int64]) -> NDArray[np.int64]:
        """The arrival order of every record, given each one's request (ascending): those of a request count on."""
        firsts = np.searchsorted(request_of, np.arange(len(self.first_order)))
        return np.arange(len(request_of)) + (self.first_order - firsts)[request_of]


@dataclass(frozen=True, slots=True)
class RecordSet(ABC):
    """All records of one kind within a batch."""

    kind: str

    @property
    @abstractmethod
    def count(self) -> int:
        """Number of records."""

    @property
    @abstractmethod
    def request_of(self) -> NDArray[np.int64]:
        """The request of each record."""

    @abstractmethod
    def check(self, checks: Checks) -> None:
        """Mark those that can't be stored."""

    @abstractmethod
    def columns(
        self, keep: NDArray[np.bool_] | None, shredder: AttributeShredder, requests: Requests
    ) -> tuple[dict[str, Any], int]:
        """All columns of those to keep, and how many they are."""
