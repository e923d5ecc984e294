"""Series that are held in memory as a source of PromQL: those of rule unit tests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.windows import without
from spanglass_server.promql.series.labels import NAME
from spanglass_server.promql.series.samples import Samples
from spanglass_server.query.errors import BadQuestionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.promql.ports import Matcher, Selector
    from spanglass_server.promql.series.labels import LabelColumn, LabelSets


@dataclass(frozen=True)
class SeriesInMemory:
    """Implements ``SeriesSource`` over samples; a selector's label sets come in their order."""

    samples: Samples

    def select(self, selector: Selector) -> Samples:
        """The samples of all series that match."""
        series = self._matching(selector)
        part = take_series(self.samples, np.array([row for row in self._by_labels.tolist() if series[row]], np.intp))
        outside = (part.time_ms <= selector.start_ms) | (part.time_ms > selector.end_ms)
        return without(part, outside)

    def lacking(self, names: frozenset[str], start_ms: int, end_ms: int) -> frozenset[str]:
        """The names that no series has."""
        del start_ms, end_ms
        return names - self._held_names

    @cached_property
    def _held_names(self) -> frozenset[str]:
        return frozenset(self.samples.labels.column(NAME).values)

    def label_names(self, selectors: Sequence[Selector]) -> list[str]:
        """The names of all labels of the series that match any selector."""
        return sorted({name for row in self.series(selectors) for name in row})

    def label_values(self, name: str, selectors: Sequence[Selector]) -> list[str]:
        """The values of a label in the series that match any selector."""
        return sorted({row[name] for row in self.series(selectors) if name in row})

    def series(self, selectors: Sequence[Selector]) -> list[dict[str, str]]:
        """The label sets of the series that match any selector and have a sample in its range."""
        found: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
        for selector in selectors:
            samples = self.select(selector)
            filled = np.flatnonzero(np.diff(samples.offsets))
            found.update((tuple(row.items()), row) for row in samples.labels.take(filled).rows())
        return [found[key] for key in sorted(found)]

    @cached_property
    def _by_labels(self) -> NDArray[np.intp]:
        rows = [tuple(row.items()) for row in self.samples.labels.rows()]
        return np.array(sorted(range(len(rows)), key=rows.__getitem__), np.intp)

    def _matching(self, selector: Selector) -> NDArray[np.bool_]:
        labels = self.samples.labels
        found = _all_match(labels, selector.matchers)
        if selector.any_of:
            found &= np.any([_all_match(labels, group) for group in selector.any_of], axis=0)
        return found


def take_series(samples: Samples, rows: NDArray[np.intp]) -> Samples:
    """The samples of chosen series, in the order of ``rows``."""
    sizes = np.diff(samples.offsets)[rows]
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    places = np.arange(int(offsets[-1])) + np.repeat(samples.offsets[rows] - offsets[:-1], sizes)
    return Samples(
        samples.labels.take(rows),
        offsets,
        samples.time_ms[places],
        samples.value[places],
        None if samples.is_stale is None else samples.is_stale[places],
        None if samples.histogram is None else samples.histogram[places],
        samples.histograms,
        None if samples.created_ms is None else samples.created_ms[places],
        None if samples.count is None else samples.count[places],
        None if samples.total is None else samples.total[places],
        None if samples.anew is None else samples.anew[rows],
    )


def _all_match(labels: LabelSets, matchers: Sequence[Matcher]) -> NDArray[np.bool_]:
    found = np.ones(labels.size, np.bool_)
    for matcher in matchers:
        column = labels.column(matcher.name)
        found &= column.matching(_accepted(column, matcher))
    return found


def _accepted(column: LabelColumn, matcher: Matcher) -> NDArray[np.bool_]:
    if matcher.operator in ("=", "!="):
        equal = np.array([value == matcher.value for value in column.values], np.bool_)
        return equal if matcher.operator == "=" else ~equal
    try:
        pattern = re.compile(matcher.value, re.DOTALL)
    except re.error as error:
        message = f"the regular expression {matcher.value!r} of {matcher.name} cannot be read: {error}"
        raise BadQuestionError(message, field="query") from None
    matches = np.array([pattern.fullmatch(value) is not None for value in column.values], np.bool_)
    return matches if matcher.operator == "=~" else ~matches
