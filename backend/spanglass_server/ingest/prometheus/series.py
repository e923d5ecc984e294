"""A batch of remote-write requests opened: its series, their labels and what is known of their families."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from spanglass_server.ingest.attributes.owners import Owners
from spanglass_server.ingest.columnar import flatten, numpy
from spanglass_server.ingest.ports import Form
from spanglass_server.ingest.prometheus.families import UNKNOWN, Described, Family, describe, family
from spanglass_server.ingest.prometheus.labels import NAME, Labels, Symbols
from spanglass_server.signals import AttributeColumn, ValueType

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.ingest.attributes.shredder import AttributeShredder
    from spanglass_server.ingest.columnar import Flat
    from spanglass_server.ingest.prometheus.families import Families

#: The scope's name, the mark of series whose names and labels are as Prometheus knows them.
SCOPE: Final = "prometheus"
_RESOURCE: Final = {"job": "service.name", "instance": "service.instance.id"}
_NAMELESS: Final = "a series must have a metric name, the label __name__"


@dataclass(frozen=True)
class Opened:
    """The series of some requests; label lists are read once somebody asks for them."""

    batch: Any
    form: Form

    @cached_property
    def series(self) -> Flat:
        """The series; rows are requests."""
        return flatten(self.batch.column("timeseries"))

    @property
    def request_of(self) -> NDArray[np.int64]:
        """The request of each series."""
        return self.series.parents

    @cached_property
    def symbols(self) -> Symbols:
        """The symbol tables (2.0 only)."""
        return Symbols.of(self.batch.column("symbols"))

    def labels_of(self, values: Any, request_of: NDArray[np.int64]) -> Labels:
        """The labels of series or exemplars."""
        if self.form is Form.REMOTE_WRITE_1:
            return Labels.of_pairs(values.field("labels"))
        return Labels.of_references(values.field("labels_refs"), self.symbols, request_of)

    @cached_property
    def labels(self) -> Labels:
        """The labels of the series."""
        return self.labels_of(self.series.values, self.request_of)

    @cached_property
    def problems(self) -> dict[str, NDArray[np.bool_]]:
        """By reason, which series can't be stored."""
        nameless = self.labels.places(NAME) < 0
        return {**self.labels.problems, **({_NAMELESS: nameless} if nameless.any() else {})}

    def items(self, name: str) -> Flat:
        """The samples, histograms or exemplars; rows are series."""
        return flatten(self.series.values.field(name))

    def created_ms(self) -> NDArray[np.int64]:
        """When each series began, 0 for unknown."""
        if self.form is Form.REMOTE_WRITE_1:
            return np.zeros(len(self.series.parents), np.int64)
        return numpy(self.series.values.field("created_timestamp"))

    def columns(
        self, series_of: NDArray[np.int64], shredder: AttributeShredder, families: Families, metric_type: str | None
    ) -> dict[str, Any]:
        """The columns that points inherit from their series (ascending); the metric's type unless it is given."""
        is_first = np.diff(series_of, prepend=-1) != 0
        used, row_of = series_of[is_first], np.cumsum(is_first) - 1
        labels = self.labels.take(used)
        names = labels.places(NAME)
        columns = self._described(used, labels.values.take(pa.array(names)).dictionary_encode(), families)
        if metric_type is not None:
            columns["metric_type"] = _constant(metric_type, len(used))
        columns["scope_name"] = _constant(SCOPE, len(used))
        for label, attribute in _RESOURCE.items():
            values = labels.texts(label)
            column = AttributeColumn("resource", attribute, ValueType.STR)
            if values.null_count < len(values) and shredder.budget.admit(column.name):
                columns[column.name] = shredder.cut(values).dictionary_encode()
        each = np.arange(len(used))
        owners = Owners(np.searchsorted(row_of, each, "left"), np.searchsorted(row_of, each, "right"))
        columns.update(labels.without(names).shred("point", shredder, owners))
        if len(used) == len(series_of):
            return columns
        rows = pa.array(row_of)
        return {name: values.take(rows) for name, values in columns.items()}

    def _described(self, used: NDArray[np.int64], names: Any, families: Families) -> dict[str, Any]:
        """What follows from names and families: worked out once for each that differ, then laid over the series."""
        codes = names.indices.to_numpy().astype(np.int64)
        texts = names.dictionary.to_pylist()
        if self.form is Form.REMOTE_WRITE_1:
            rows, row_of = [describe(name, families.of(name)) for name in texts], codes
            metric_names = texts
        else:
            told = self._told_with(used)
            keys, row_of = np.unique(np.column_stack([codes, *told]), axis=0, return_inverse=True)
            rows = [self._describe(texts[row[0]], row[1:], families) for row in keys.tolist()]
            metric_names = [texts[row[0]] for row in keys.tolist()]
        indices = pa.array(row_of.reshape(-1), pa.int32())
        named = zip(Described._fields, zip(*rows, strict=True), strict=True)
        columns = {_COLUMNS[name]: _laid(indices, values) for name, values in named}
        counted = pa.array([row.metric_type == "sum" for row in rows])
        return {
            "metric_name": _laid(indices, metric_names),
            **columns,
            "temporality": pa.array([2 if count else None for count in counted.to_pylist()], pa.uint8()).take(indices),
            "is_monotonic": pa.array([count or None for count in counted.to_pylist()], pa.bool_()).take(indices),
        }

    def _told_with(self, used: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Type, help and unit of series as numbers: places in the symbols' texts, -1 where they are out of them."""
        metadata = self.series.values.field("metadata")
        request_of = self.request_of[used]
        found = [numpy(metadata.field("type").fill_null(0))[used].astype(np.int64)]
        for name in ("help_ref", "unit_ref"):
            references = numpy(metadata.field(name).fill_null(0))[used].astype(np.int64)
            places, beyond = self.symbols.find(references, request_of)
            found.append(np.where(beyond | (references == 0), -1, places))
        return found

    def _describe(self, name: str, told: list[int], families: Families) -> Described:
        kind, *places = told
        texts = ["" if place < 0 else self.symbols.texts[place].as_py() for place in places]
        own = family(kind, *texts)
        if own.type == UNKNOWN:  # in 2.0 that is "not told"
            known = families.of(name)
            own = Family(known.type, own.help or known.help, own.unit or known.unit)
        return describe(name, own)


_COLUMNS: Final = {
    "metric_type": "metric_type",
    "description": "metric_description",
    "unit": "metric_unit",
    "metadata": "metric_metadata",
}


def _constant(text: str, size: int) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, np.int32)), pa.array([text]))


def _laid(indices: Any, texts: Any) -> Any:
    """Texts over rows, as a dictionary without nulls in it."""
    encoded = pa.array(texts, pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(indices), encoded.dictionary)
