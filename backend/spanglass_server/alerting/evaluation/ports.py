"""What evaluation asks of others: series, what metrics are, what is usual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from spanglass_server.promql.ports import SeriesSource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from spanglass_server.alerting.model import Key
    from spanglass_server.promql.engine import Options
    from spanglass_server.promql.series.vectors import Steps
    from spanglass_server.promql.stored.discovery.kinds import MetricKind


class RuleSeries(SeriesSource, Protocol):
    """Series of one session, and what metrics are by name."""

    def announce(self, texts: Iterable[str], steps: Steps, options: Options) -> None:
        """Expressions are about to be evaluated, now and again and again: what they have in common may be read once."""

    def kinds(self, names: Collection[str], start_ms: int, end_ms: int) -> Mapping[str, MetricKind]:
        """What the metrics of some names are, of those that there are in a range."""


class Baselines(Protocol):
    """What is usual for an expression at the time of each step."""

    def usual(
        self, source: SeriesSource, promql: str, keys_by: tuple[str, ...], steps: Steps
    ) -> tuple[Sequence[Key], NDArray[np.float64], NDArray[np.float64]]:
        """The keys, and for each of them and each step (keys, steps) the usual value and its spread, NaN for unknown.

        ``keys_by`` are the labels of keys; none of them means all that the series have.
        """


class Forecasts(Protocol):
    """What an expression is expected to be some time after each step."""

    def ahead(
        self, source: SeriesSource, promql: str, keys_by: tuple[str, ...], steps: Steps, ahead_ms: int
    ) -> tuple[Sequence[Key], NDArray[np.float64]]:
        """The keys, and for each of them and each step (keys, steps) the value ``ahead_ms`` later, NaN for unknown.

        ``keys_by`` are the labels of keys; none of them means all that the series have.
        """
