"""What an expression evaluates to, at all steps at once: vectors, scalars, texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from spanglass_server.promql.series.histograms import Histograms
    from spanglass_server.promql.series.labels import LabelSets


@dataclass(frozen=True, slots=True)
class Vector:
    """An instant vector at each of m steps, for n series: ``values`` and ``present`` have the shape (n, m).

    ``present`` says where a float is (NaN is a value as any other). A cell may hold a native histogram instead:
    ``histogram`` (n, m) is its place in ``histograms``, -1 elsewhere; both are None if there are none. Values of
    absent cells mean nothing. A series may be absent at every step; label sets differ from series to series.
    """

    labels: LabelSets
    values: NDArray[np.float64]
    present: NDArray[np.bool_]
    histogram: NDArray[np.int64] | None = None
    histograms: Histograms | None = None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number at each step; shape (m,)."""

    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal."""

    value: str


@dataclass(frozen=True, slots=True)
class Steps:
    """The times at which an expression is evaluated: ``start_ms``, then every ``step_ms``, ``size`` times.

    ``asked_end_ms`` is the end of the range that was asked for, if that need not be a step.
    """

    start_ms: int
    step_ms: int
    size: int
    asked_end_ms: int | None = None

    @property
    def end_ms(self) -> int:
        """The last time."""
        return self.start_ms + self.step_ms * (self.size - 1)

    @property
    def until_ms(self) -> int:
        """The end of the query, which ``end()`` means."""
        return self.end_ms if self.asked_end_ms is None else self.asked_end_ms


Value = Vector | Scalar | Text
