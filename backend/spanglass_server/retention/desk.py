"""What API and pages ask about retention, besides the policies themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.retention.answers import Standing
    from spanglass_server.retention.book import PolicyBook
    from spanglass_server.retention.keeper import PolicyKeeper
    from spanglass_server.store.contents import Snapshot


@dataclass(frozen=True, slots=True)
class RetentionDesk:
    """Used by any thread. ``ages_ns`` are those of signals without policies, 0 for ever."""

    book: PolicyBook
    keeper: PolicyKeeper
    snapshot: Callable[[], Snapshot]
    held: Callable[[], frozenset[bytes]]  # pinned traces and evidence
    bounds: Callable[[Sequence[int]], Mapping[int, Sequence[tuple[str, str, int]]]]  # of slow requests, by day
    ages_ns: Mapping[Signal, int]
    max_bytes: int

    def standing(self, now_ns: int) -> Standing:
        """How far the policies are carried out."""
        segments = self.snapshot().segments
        judged = {signal: segments[signal] for signal in (Signal.SPANS, Signal.LOGS)}
        return self.keeper.standing(judged, now_ns)
