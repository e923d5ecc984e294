"""Streams that were read before: most parts have the same ones, and their texts are the larger half of reading them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.stored.decoding.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    from spanglass_server.store.part_cache import PartCache

#: How many times as many as a part needs are remembered, so that those of the past go.
_MOST_PER_NEEDED = 4
_ALWAYS_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class KnownStreams:
    """Streams by the number that SQL has for them, which rises from row to row."""

    numbers: NDArray[np.uint64]
    streams: Streams

    def of(self, numbers: NDArray[np.uint64]) -> Streams | None:
        """The streams with these numbers; None if one is not known."""
        places = np.minimum(np.searchsorted(self.numbers, numbers), max(len(self.numbers) - 1, 0))
        if not len(self.numbers) or (self.numbers[places] != numbers).any():
            return None
        return self.streams.take(places)

    def with_more(self, others: KnownStreams) -> KnownStreams:
        """These and others, unless that are by far more than the others."""
        new = np.flatnonzero(~np.isin(others.numbers, self.numbers))
        if len(self.numbers) + len(new) > max(_MOST_PER_NEEDED * len(others.numbers), _ALWAYS_KEPT):
            return others
        numbers = np.concatenate([self.numbers, others.numbers[new]])
        order = np.argsort(numbers)
        added = others.streams.take(new)
        columns = LabelSets.concat([self.streams.columns, added.columns])
        keys = np.concatenate([self.streams.keys, added.keys])
        return KnownStreams(numbers[order], Streams(columns, keys).take(order))


def known_streams(
    cache: PartCache, key: Hashable, numbers: NDArray[np.uint64], read: Callable[[], KnownStreams]
) -> Streams:
    """The streams with these numbers, in their order. ``read`` gives at least them."""
    if not len(numbers):
        return Streams.of(LabelSets(0))
    known: KnownStreams | None = cache.get(key)
    found = known.of(numbers) if known is not None else None
    if found is not None:
        return found
    read_now = read()
    remembered = read_now if known is None else known.with_more(read_now)
    cache.put(key, remembered, remembered.streams.bytes + remembered.numbers.nbytes)
    found = read_now.of(numbers)
    assert found is not None  # noqa: S101 - the same rows were read
    return found
