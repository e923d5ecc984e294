"""One evaluation of an expression: what it reads, its limits, and what it has to tell besides the result."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanglass_server.promql.errors import BadFilterError, PromqlError, execution_error
from spanglass_server.promql.parsing.tokens import line_and_column
from spanglass_server.promql.ports import Selector
from spanglass_server.promql.series.go_numbers import go_number

if TYPE_CHECKING:
    from spanglass_server.promql.parsing.nodes import VectorSelector
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.promql.series.samples import Samples
    from spanglass_server.promql.series.vectors import Steps


@dataclass(frozen=True, slots=True)
class Options:
    """How an expression is evaluated: how old a sample may be, and limits. ``deadline_s`` is of ``time.monotonic``.

    ``each_alone``: the value of a step does not depend on which other steps are asked for, not even where counters
    begin with the range that is read. Rates of such counters are not bounded by where they were 0, which nobody knows,
    and spans and log records have a rate where some are in the window, not where some are elsewhere in the range.
    Points are read wherever there are any, as rollups would be chosen by how far the steps are apart.
    """

    lookback_ms: int = 300_000
    max_samples: int = 50_000_000
    subquery_step_ms: int = 60_000
    deadline_s: float | None = None
    each_alone: bool = False


@dataclass(slots=True)
class Notes:
    """Warnings and infos about a result, each told once, with the place in the expression where it was told last."""

    text: str
    warnings: dict[str, str] = field(default_factory=dict)
    infos: dict[str, str] = field(default_factory=dict)

    def warn(self, message: str, position: int) -> None:
        """Tell that the result may not be what was meant."""
        self.warnings[message] = f"PromQL warning: {message}{self._place(position)}"

    def warn_of_quantile(self, value: float, position: int) -> None:
        """Warn that a quantile is not between 0 and 1."""
        self.warn(f"quantile value should be between 0 and 1, got {go_number(value)}", position)

    def inform(self, message: str, position: int, details: str = "") -> None:
        """Tell something that may be meant; the message is told once, whatever the ``details``."""
        self.infos[message] = f"PromQL info: {message}{details}{self._place(position)}"

    def _place(self, position: int) -> str:
        line, column = line_and_column(self.text, position)
        return f" ({line}:{column})"


@dataclass(slots=True)
class Query:
    """The evaluation of one expression at ``steps``; ``named`` are the labels that it names."""

    source: SeriesSource
    options: Options
    steps: Steps
    named: frozenset[str]
    notes: Notes
    _read: dict[Selector, Samples] = field(default_factory=dict)

    def select(
        self,
        node: VectorSelector,
        times: Steps,
        window_ms: int,
        grid_ms: int,
        *,
        with_totals: bool = False,
        summed_by: tuple[str, ...] | None = None,
    ) -> Samples:
        """The samples of a selector in a window that ends at each of ``times``; each selection is read once.

        ``grid_ms``, ``with_totals`` and ``summed_by`` as in ``Selector``. Sums of sums may differ in the last digit,
        which rules do not look at: others get all series.
        """
        self.check_deadline()
        selector = Selector(
            node.matchers,
            times.start_ms - window_ms,
            times.end_ms,
            self.named,
            node.any_of,
            window_ms=window_ms,
            step_ms=times.step_ms,
            grid_ms=0 if self.options.each_alone else grid_ms,
            with_totals=with_totals,
            summed_by=summed_by if self.options.each_alone else None,
        )
        if selector not in self._read:
            try:
                self._read[selector] = self.source.select(selector)
            except BadFilterError as error:
                raise error.placed(self.notes.text, node.position) from None
            self.check_size(sum(len(samples.value) for samples in self._read.values()))
        return self._read[selector]

    def check_size(self, samples: int) -> None:
        """Refuse what holds too many samples at once."""
        if samples > self.options.max_samples:
            raise execution_error(
                f"query processing would load too many samples into memory in query execution: {samples} of at most "
                f"{self.options.max_samples}; ask for fewer series, a shorter range, or a longer step"
            )

    def check_deadline(self) -> None:
        """Refuse to go on when the time is over."""
        if self.options.deadline_s is not None and time.monotonic() > self.options.deadline_s:
            message = (
                "query timed out in expression evaluation; ask for fewer series, a shorter range, or a longer step"
            )
            raise PromqlError("timeout", message)
