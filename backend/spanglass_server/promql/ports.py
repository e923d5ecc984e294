"""What evaluation asks of storage: series with their samples. The contract is here; ``stored/`` implements it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from spanglass_server.promql.series.samples import Samples

Operator = Literal["=", "!=", "=~", "!~"]


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label (``__name__`` for the metric's name); regular expressions are anchored, RE2's syntax.

    A series without the label has the value "".
    """

    name: str
    operator: Operator
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """Series and a range of time, ``start_ms < t <= end_ms`` (left-open, as in Prometheus 3).

    All matchers must hold; ``any_of`` are alternatives of matchers instead, of which one must hold wholly. ``named``
    are labels that the whole expression names: resource attributes among them become labels of the series, besides
    ``job`` and ``instance``. Start times are read only ``with_created``.

    ``window_ms`` is how much of the range each result looks at (a range selector's range, or the lookback), and
    ``step_ms`` how far the results are apart; 0 where that is unknown. By them a source may choose what it reads.

    ``grid_ms`` is not 0 if thinned samples will do that answer for whole multiples of it since 1970: first, last,
    smallest and largest of each such range, those around resets, and how many samples each stands for; with
    ``with_totals`` also what they add up to.

    With ``summed_by`` only sums by these labels are looked at of the rates of series: a source may add up series that
    have samples at the same times and begin at nothing, but for those of different ``le``.
    """

    matchers: tuple[Matcher, ...]
    start_ms: int
    end_ms: int
    named: frozenset[str] = frozenset()
    any_of: tuple[tuple[Matcher, ...], ...] = ()
    with_created: bool = False
    window_ms: int = 0
    step_ms: int = 0
    grid_ms: int = 0
    with_totals: bool = False
    summed_by: tuple[str, ...] | None = None


class SeriesSource(Protocol):
    """Series of one consistent view of what is stored."""

    def select(self, selector: Selector) -> Samples:
        """The samples of all series that match, with their labels, in the order of label sets.

        Raises ``BadQuestionError`` for a regular expression that is none, ``TooMuchError`` past a limit.
        """

    def lacking(self, names: frozenset[str], start_ms: int, end_ms: int) -> frozenset[str]:
        """Those of some names of metrics of which there surely is no series in a range; quick, and none if in doubt."""

    def label_names(self, selectors: Sequence[Selector]) -> list[str]:
        """The names of all labels of the series that match any selector, sorted."""

    def label_values(self, name: str, selectors: Sequence[Selector]) -> list[str]:
        """The values of a label in the series that match any selector, sorted."""

    def series(self, selectors: Sequence[Selector]) -> list[dict[str, str]]:
        """The label sets of the series that match any selector and have a sample in its range."""


@dataclass(frozen=True, slots=True, eq=False)
class EventCounts:
    """What an objective counts: ``labels`` of its series, and the values of its metrics, by name, at some steps.

    Step n ends at n times its length since 1970, the end included.
    """

    labels: dict[str, str]
    step: NDArray[np.int64]
    values: dict[str, NDArray[np.float64]]


class ObjectiveCounts(Protocol):
    """Events of objectives, as one session sees them."""

    def counts(self, step_ms: int, start_ms: int, end_ms: int) -> Sequence[EventCounts]:
        """What each objective counts in a range, by steps of whole minutes, all that have any event in it."""

    def is_empty(self) -> bool:
        """Whether there is no objective at all; quick."""
