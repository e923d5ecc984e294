"""PromQL of aggregations, and of histograms: native ones, classic ones, and the durations of spans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_core.alerting.conditions.building import quoted
from spanglass_server.measures.kinds import quantile_of
from spanglass_server.promql.stored.naming.names import is_plain_label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def aggregated(aggregate: str, by: Sequence[str], text: str) -> str:
    """PromQL of an aggregation over series, by labels; p95 is a quantile over series."""
    quantile = None if aggregate in ("min", "max") else quantile_of(aggregate)
    name, first = ("quantile", f"{quantile:g}, ") if quantile is not None else (aggregate, "")
    names = (label if is_plain_label(label) else quoted(label) for label in by)
    return f"{name} by ({', '.join(names)}) ({first}{text})"


@dataclass(frozen=True, slots=True)
class Native:
    """A histogram that is one series. ``selector`` gives PromQL of its series, ``window`` is of rates."""

    selector: Callable[[str], str]
    window: str

    def _summed(self, function: str, by: Sequence[str]) -> str:
        return aggregated("sum", by, f"{function}({self.selector('')}[{self.window}])")

    def quantile(self, quantile: float, by: Sequence[str]) -> str:
        """A quantile of all values."""
        return f"histogram_quantile({quantile:g}, {self._summed('rate', by)})"

    def average(self, by: Sequence[str]) -> str:
        """The mean of all values."""
        return f"histogram_avg({self._summed('rate', by)})"

    def total(self, function: str, by: Sequence[str]) -> str:
        """What all values add up to."""
        return f"histogram_sum({self._summed(function, by)})"

    def count(self, function: str, by: Sequence[str]) -> str:
        """How many values there are."""
        return f"histogram_count({self._summed(function, by)})"


@dataclass(frozen=True, slots=True)
class Classic:
    """A histogram with series for buckets, sum and count; ``selector`` gives PromQL of the series of a name."""

    selector: Callable[[str], str]
    window: str
    name: str = ""

    def _summed(self, function: str, by: Sequence[str], part: str) -> str:
        return aggregated("sum", by, f"{function}({self.selector(f'{self.name}_{part}')}[{self.window}])")

    def quantile(self, quantile: float, by: Sequence[str]) -> str:
        """A quantile of all values."""
        return f"histogram_quantile({quantile:g}, {self._summed('rate', ('le', *by), 'bucket')})"

    def average(self, by: Sequence[str]) -> str:
        """The mean of all values."""
        return f"{self._summed('rate', by, 'sum')} / {self._summed('rate', by, 'count')}"

    def total(self, function: str, by: Sequence[str]) -> str:
        """What all values add up to."""
        return self._summed(function, by, "sum")

    def count(self, function: str, by: Sequence[str]) -> str:
        """How many values there are."""
        return self._summed(function, by, "count")
