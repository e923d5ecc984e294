"""The kinds of records within a batch of OTLP requests: spans, log records, and points of each metric type."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from spanglass_server.ingest.records import logs, metrics, spans
from spanglass_server.ingest.records.envelope import envelope_columns
from spanglass_server.ingest.records.record_set import RecordSet
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from spanglass_server.ingest.attributes.shredder import AttributeShredder
    from spanglass_server.ingest.columnar import Flat
    from spanglass_server.ingest.records.checks import Checks
    from spanglass_server.ingest.records.envelope import Envelope
    from spanglass_server.ingest.records.record_set import Requests


@dataclass(frozen=True, slots=True)
class OtlpRecords(RecordSet):
    """Records of OTLP, within scopes and resources."""

    envelope: Envelope

    @property
    @abstractmethod
    def items(self) -> Flat:
        """The records; their rows are scopes, or metrics for points."""

    @property
    def count(self) -> int:
        """See ``RecordSet``."""
        return len(self.items.parents)

    @property
    def scope_of(self) -> NDArray[np.int64]:
        """The scope of each record."""
        return self.items.parents

    @property
    def request_of(self) -> NDArray[np.int64]:
        """See ``RecordSet``."""
        return self.envelope.resources.parents[self.envelope.scopes.parents[self.scope_of]]

    def columns(
        self, keep: NDArray[np.bool_] | None, shredder: AttributeShredder, requests: Requests
    ) -> tuple[dict[str, Any], int]:
        """See ``RecordSet``."""
        columns, scope_of = self._own_columns(keep, shredder, requests)
        columns.update(envelope_columns(self.envelope, shredder, scope_of))
        return columns, len(scope_of)

    @abstractmethod
    def _own_columns(
        self, keep: NDArray[np.bool_] | None, shredder: AttributeShredder, requests: Requests
    ) -> tuple[dict[str, Any], NDArray[np.int64]]:
        """Columns of those to keep without their envelope's, and each one's scope."""


@dataclass(frozen=True, slots=True)
class Spans(OtlpRecords):
    """Spans."""

    @property
    def items(self) -> Flat:
        """See ``OtlpRecords``."""
        return self.envelope.records

    def check(self, checks: Checks) -> None:
        """See ``RecordSet``."""
        spans.check_spans(self.envelope, checks)

    def _own_columns(
        self, keep: NDArray[np.bool_] | None, shredder: AttributeShredder, requests: Requests
    ) -> tuple[dict[str, Any], NDArray[np.int64]]:
        """See ``OtlpRecords``."""
        del requests  # a span without a start is at 1970, as it says
        values, scope_of = kept(self.items, keep)
        return spans.span_columns(values, shredder), scope_of


@dataclass(frozen=True, slots=True)
class LogRecords(OtlpRecords):
    """Log records."""

    @property
    def items(self) -> Flat:
        """See ``OtlpRecords``."""
        return self.envelope.records

    def check(self, checks: Checks) -> None:
        """See ``RecordSet``."""
        logs.check_logs(self.envelope, checks)

    def _own_columns(
        self, keep: NDArray[np.bool_] | None, shredder: AttributeShredder, requests: Requests
    ) -> tuple[dict[str, Any], NDArray[np.int64]]:
        """See ``OtlpRecords``."""
        request_of = self.request_of
        received, order = requests.received_ns[request_of], requests.orders(request_of)
        values, scope_of = kept(self.items, keep)
        if keep is not None:
            received, order = received[keep], order[keep]
        return logs.log_columns(values, shredder, received, order), scope_of


@dataclass(frozen=True, slots=True)
class Points(OtlpRecords):
    """Data points of one metric type."""

    type: metrics.MetricType
    points: Flat

    @property
    def items(self) -> Flat:
        """See ``OtlpRecords``."""
        return self.points

    @property
    def scope_of(self) -> NDArray[np.int64]:
        """See ``OtlpRecords``."""
        return self.envelope.records.parents[self.points.parents]

    def check(self, checks: Checks) -> None:
        """See ``RecordSet``."""
        metrics.check_points(self.envelope, self.type, self.points, checks)

    def _own_columns(
        self, keep: NDArray[np.bool_] | None, shredder: AttributeShredder, requests: Requests
    ) -> tuple[dict[str, Any], NDArray[np.int64]]:
        """See ``OtlpRecords``."""
        del requests  # a point without a time is rejected
        values, metric_of = kept(self.items, keep)
        columns = metrics.metric_columns(self.envelope, self.type, metric_of)
        columns.update(metrics.point_columns(values, self.type, shredder))
        return columns, self.envelope.records.parents[metric_of]


def record_sets(signal: Signal, batch: Any) -> Iterator[OtlpRecords]:
    """The records of a batch of requests, kind by kind; the same batch gives the same order."""
    if signal is Signal.SPANS:
        yield Spans("spans", spans.open_spans(batch))
    elif signal is Signal.LOGS:
        yield LogRecords("logs", logs.open_logs(batch))
    else:
        envelope = metrics.open_metrics(batch)
        for kind in metrics.METRIC_TYPES:
            yield Points(kind.stored, envelope, kind, metrics.points_of(envelope, kind))


def kept(items: Flat, keep: NDArray[np.bool_] | None) -> tuple[Any, NDArray[np.int64]]:
    """The values and rows of the records to keep."""
    if keep is None:
        return items.values, items.parents
    return items.values.filter(pa.array(keep)), items.parents[keep]
