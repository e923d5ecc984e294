"""Stored points as the series that PromQL works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.errors import execution_error
from spanglass_server.promql.series.labels import NAME, LabelColumn
from spanglass_server.promql.stored.cache import SeriesCache
from spanglass_server.promql.stored.choice import wanted
from spanglass_server.promql.stored.gathering import samples_of
from spanglass_server.promql.stored.labels import labels_of
from spanglass_server.promql.stored.matching import matching
from spanglass_server.promql.stored.reading import Reader
from spanglass_server.promql.stored.resolving import Chosen, Resolved, resolved
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from spanglass_server.promql.ports import Selector
    from spanglass_server.promql.series.labels import LabelSets
    from spanglass_server.promql.series.samples import Samples
    from spanglass_server.promql.stored.choice import Wanted
    from spanglass_server.promql.stored.pieces import Piece
    from spanglass_server.store.ports import QuerySession

NS_PER_MS = 1_000_000
MAX_SAMPLES = 50_000_000


class StoredSeries:
    """A ``SeriesSource`` over one session. ``cache`` is to be that of the whole process."""

    def __init__(
        self, session: QuerySession, cache: SeriesCache | None = None, *, max_samples: int = MAX_SAMPLES
    ) -> None:
        self._session = session
        self._cache = cache or SeriesCache()
        self._max_samples = max_samples

    def select(self, selector: Selector) -> Samples:
        """See ``SeriesSource``."""
        found = self._resolved(selector)
        return samples_of(found, selector.start_ms, selector.end_ms)

    def label_names(self, selectors: Sequence[Selector]) -> list[str]:
        """See ``SeriesSource``."""
        return sorted({name for labels in self._label_sets(selectors) for name in _used(labels)})

    def label_values(self, name: str, selectors: Sequence[Selector]) -> list[str]:
        """See ``SeriesSource``."""
        found: set[str] = set()
        for labels in self._label_sets(selectors):
            column = labels.column(name)
            found.update(column.values[code] for code in np.unique(column.codes).tolist())
        return sorted(found - {""})

    def series(self, selectors: Sequence[Selector]) -> list[dict[str, str]]:
        """See ``SeriesSource``."""
        found = {tuple(row.items()): row for labels in self._label_sets(selectors) for row in labels.rows()}
        return [found[key] for key in sorted(found)]

    def _label_sets(self, selectors: Sequence[Selector]) -> Iterator[LabelSets]:
        return (self.select(selector).labels for selector in selectors)

    def _resolved(self, selector: Selector) -> Resolved:
        """The series that match, as far as parts tell that overlap the range."""
        window = Window((selector.start_ms + 1) * NS_PER_MS, (selector.end_ms + 1) * NS_PER_MS)
        parts = self._session.parts(Signal.METRICS, window)
        forms = wanted(self._session, self._cache, selector, parts)
        key = ("series", tuple(form.key for form in forms), selector.named, selector.with_created)
        return self._cache.kept(key, lambda: self._resolve(forms, selector), lambda found: found.bytes)

    def _resolve(self, forms: Sequence[Wanted], selector: Selector) -> Resolved:
        reader = Reader(self._session, self._cache, with_created=selector.with_created)
        chosen: list[Chosen] = []
        samples = 0
        for form in forms:
            identity = form.named.identity
            for part in form.parts:
                for piece in reader.pieces(part, identity, form.named.form):
                    labels = self._labels(piece, selector.named, is_verbatim=identity.is_verbatim)
                    rows = np.flatnonzero(self._matching(labels, form))
                    samples += int((piece.offsets[rows + 1] - piece.offsets[rows]).sum())
                    self._check(samples)
                    name = LabelColumn.constant(form.named.name, len(rows))
                    chosen.append(
                        Chosen(piece, rows, labels.take(rows).replace({NAME: name}), form.named.name, identity.is_delta)
                    )
        return resolved(chosen)

    def _labels(self, piece: Piece, named: frozenset[str], *, is_verbatim: bool) -> LabelSets:
        return self._cache.kept(
            ("labels", piece.serial, named),
            lambda: labels_of(piece.streams.columns, named, is_verbatim=is_verbatim),
            lambda labels: 200 * (len(labels.columns) + 1),
        )

    def _matching(self, labels: LabelSets, form: Wanted) -> NDArray[np.bool_]:
        found = np.zeros(labels.size, np.bool_)
        for matchers in form.alternatives:
            found |= matching(self._session, labels, matchers)
        return found

    def _check(self, samples: int) -> None:
        if samples > self._max_samples:
            raise execution_error(
                f"query processing would load too many samples into memory: more than {self._max_samples}; "
                "ask for a shorter range, or for fewer series"
            )


def _used(labels: LabelSets) -> list[str]:
    return [name for name, column in labels.columns.items() if column.codes.any()]
