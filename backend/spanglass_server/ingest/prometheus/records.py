"""The kinds of records in remote-write requests: samples, native histograms of both sorts, exemplars."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.ingest.columnar import Flat, numpy, wrap_lists
from spanglass_server.ingest.prometheus.exemplars import exemplar_columns
from spanglass_server.ingest.prometheus.native import CUSTOM_SCHEMA, Native, is_stale
from spanglass_server.ingest.prometheus.series import Opened
from spanglass_server.ingest.records.checks import LATEST_NS
from spanglass_server.ingest.records.record_set import RecordSet, Requests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from spanglass_server.ingest.attributes.shredder import AttributeShredder
    from spanglass_server.ingest.ports import Form
    from spanglass_server.ingest.records.checks import Checks

_MS = 1_000_000
_CUMULATIVE = 2
#: Besides OTLP's flag 1 ("no recorded value"): a point that stands for an exemplar alone.
EXEMPLAR_ONLY = 2


@dataclass(frozen=True, slots=True)
class SeriesRecords(RecordSet):
    """All records of one kind within a batch, and the series of each."""

    opened: Opened
    values: Any
    series_of: NDArray[np.int64]

    @property
    def count(self) -> int:
        """See ``RecordSet``."""
        return len(self.series_of)

    @property
    def request_of(self) -> NDArray[np.int64]:
        """See ``RecordSet``."""
        return self.opened.request_of[self.series_of]

    def check(self, checks: Checks) -> None:
        """See ``RecordSet``."""
        for reason, bad in self.opened.problems.items():
            checks.reject(bad[self.series_of], reason)
        time_ms = numpy(self.values.field("timestamp"))
        checks.reject(time_ms < 0, "timestamp is before 1970")
        checks.reject_future(_nanoseconds(time_ms).astype(np.uint64), "timestamp")
        self._check_values(checks)

    def columns(
        self, keep: NDArray[np.bool_] | None, shredder: AttributeShredder, requests: Requests
    ) -> tuple[dict[str, Any], int]:
        """See ``RecordSet``."""
        values, series_of = self.values, self.series_of
        if keep is not None:
            values, series_of = values.filter(pa.array(keep)), series_of[keep]
        columns = self.opened.columns(series_of, shredder, requests.families, self._metric_type)
        columns["time_ns"] = pa.array(_nanoseconds(numpy(values.field("timestamp"))))
        columns.update(self._own_columns(values, series_of, shredder))
        return columns, len(series_of)

    def _starts(self, values: Any, series_of: NDArray[np.int64]) -> Any:
        """Since when: told with each sample, or in drafts of 2.0 with the series; null where it is not known."""
        own = numpy(values.field("start_timestamp"))
        start_ms = np.where(own == 0, self.opened.created_ms()[series_of], own)
        start_ns = _nanoseconds(start_ms)
        return pa.array(start_ns, mask=(start_ms <= 0) | (start_ns >= LATEST_NS))

    @property
    def _metric_type(self) -> str | None:
        """How the metric is stored; None where that follows from its family."""
        return None

    def _check_values(self, checks: Checks) -> None:
        """Mark those whose values can't be stored."""

    @abstractmethod
    def _own_columns(self, values: Any, series_of: NDArray[np.int64], shredder: AttributeShredder) -> dict[str, Any]:
        """Columns of the records themselves."""


@dataclass(frozen=True, slots=True)
class FloatSamples(SeriesRecords):
    """Samples of series of floats."""

    def _own_columns(self, values: Any, series_of: NDArray[np.int64], shredder: AttributeShredder) -> dict[str, Any]:
        del shredder
        numbers = numpy(values.field("value"))
        stale = is_stale(numbers)
        return {
            "start_time_ns": self._starts(values, series_of),
            "value_double": pa.array(numbers, mask=stale),
            "flags": pa.array(stale.astype(np.uint32), mask=~stale),
        }


@dataclass(frozen=True, slots=True)
class NativeHistograms(SeriesRecords):
    """Native histograms with exponential buckets, or with custom ones."""

    custom: bool

    @property
    def _metric_type(self) -> str | None:
        return "histogram" if self.custom else "exponential_histogram"

    def _check_values(self, checks: Checks) -> None:
        Native(self.values).check(checks, self.request_of, custom=self.custom)

    def _own_columns(self, values: Any, series_of: NDArray[np.int64], shredder: AttributeShredder) -> dict[str, Any]:
        del shredder
        return {
            "start_time_ns": self._starts(values, series_of),
            "temporality": pa.array(np.full(len(series_of), _CUMULATIVE, np.uint8)),
            "is_monotonic": pa.nulls(len(series_of), pa.bool_()),
            **Native(values).columns(custom=self.custom),
        }


@dataclass(frozen=True, slots=True)
class Exemplars(SeriesRecords):
    """Exemplars: each becomes a point without a value, since samples and exemplars of a series come apart."""

    def _own_columns(self, values: Any, series_of: NDArray[np.int64], shredder: AttributeShredder) -> dict[str, Any]:
        each = Flat(None, np.arange(len(values)), np.arange(len(values) + 1))
        labels = self.opened.labels_of(values, self.opened.request_of[series_of])
        columns = {
            "exemplar_time_ns": pa.array(_nanoseconds(numpy(values.field("timestamp")))),
            "exemplar_value_double": values.field("value"),
            **exemplar_columns(labels, each, shredder),
        }
        lists = {name: wrap_lists(column, each) for name, column in columns.items()}
        return {**lists, "flags": pa.array(np.full(len(values), EXEMPLAR_ONLY, np.uint32))}


def record_sets(batch: Any, form: Form) -> Iterator[SeriesRecords]:
    """The records of a batch of requests, kind by kind; the same batch gives the same order."""
    opened = Opened(batch, form)
    samples, histograms, exemplars = (opened.items(name) for name in ("samples", "histograms", "exemplars"))
    yield FloatSamples("samples", opened, samples.values, samples.parents)
    is_custom = numpy(histograms.values.field("schema")) == CUSTOM_SCHEMA
    for kind, chosen in (("histograms", ~is_custom), ("custom_histograms", is_custom)):
        values = histograms.values if chosen.all() else histograms.values.filter(pa.array(chosen))
        yield NativeHistograms(kind, opened, values, histograms.parents[chosen], kind != "histograms")
    yield Exemplars("exemplars", opened, exemplars.values, exemplars.parents)


def _nanoseconds(time_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """Milliseconds as nanoseconds; those that can't be stored become the nearest that is found out as such."""
    return time_ms.clip(0, LATEST_NS // _MS) * _MS
