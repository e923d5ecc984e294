"""Expressions that will be evaluated again and again: what they count is known before the first is evaluated."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from spanglass_server.promql.engine import range_query
from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.stored.counting.recurring import recurring
from spanglass_server.promql.stored.counting.source import asked_of, counted
from spanglass_server.query.errors import BadQuestionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spanglass_server.promql.engine import Options
    from spanglass_server.promql.ports import Selector
    from spanglass_server.promql.series.vectors import Steps
    from spanglass_server.store.part_cache import PartCache

_KEPT_BYTES = 200


def announce(cache: PartCache, texts: Iterable[str], steps: Steps, options: Options) -> None:
    """Expressions are about to be evaluated. Each is looked at once; what is wrong with one, its evaluation tells."""
    listener = _Listener(cache)
    for text in texts:
        if cache.get(("announced", text)) is not None:
            continue
        with suppress(PromqlError, BadQuestionError):
            range_query(listener, text, steps, options)
        cache.put(("announced", text), True, _KEPT_BYTES + len(text))  # noqa: FBT003


class _Listener:
    """A ``SeriesSource`` without any series, which hears what it is asked for."""

    def __init__(self, cache: PartCache) -> None:
        self._recurring = recurring(cache)

    def select(self, selector: Selector) -> Samples:
        """Hear what is counted."""
        metric = counted(selector)
        if metric is not None and not metric.family.is_of_objectives:
            self._recurring.announce(asked_of(selector, metric)[0].fine)
        return Samples.none()

    def lacking(self, names: frozenset[str], start_ms: int, end_ms: int) -> frozenset[str]:
        """None, so that all of an expression is heard."""
        del names, start_ms, end_ms
        return frozenset()

    def label_names(self, selectors: Sequence[Selector]) -> list[str]:
        """None."""
        del selectors
        return []

    def label_values(self, name: str, selectors: Sequence[Selector]) -> list[str]:
        """None."""
        del name, selectors
        return []

    def series(self, selectors: Sequence[Selector]) -> list[dict[str, str]]:
        """None."""
        del selectors
        return []
