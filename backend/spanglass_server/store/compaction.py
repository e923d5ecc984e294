"""Which small segments to merge: enough of about the same size, so that a row is rewritten a few times at most.

Quiet servers flush every half minute; a thousand tiny files would make every query slow. Tiers grow by four, and a
merge takes a whole tier, so a row is rewritten once a tier: three times on its way to a quarter of a million. Only in
the first tier it may be more often, 20 times with 50 rows a flush, which costs next to nothing: few rows mean little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.store.segments import Segment

TARGET_ROWS = 262_144
_TIERS = (4096, 16_384, 65_536, TARGET_ROWS // 2)  # segments with fewer rows than this; larger ones stay
_ENOUGH = 4


def choose(segments: Sequence[Segment], max_columns: int) -> list[Segment]:
    """The segments to merge next, in the order of their arrival; none if it is not worth while."""
    floor = 0
    for ceiling in _TIERS:
        tier = [segment for segment in segments if floor <= segment.rows < ceiling]
        chosen = _fitting(sorted(tier, key=lambda segment: segment.id), max_columns)
        if len(chosen) >= _ENOUGH:
            return chosen
        floor = ceiling
    return []


def _fitting(tier: Sequence[Segment], max_columns: int) -> list[Segment]:
    """The longest run from the oldest on that stays within the limits of a segment."""
    chosen: list[Segment] = []
    columns: frozenset[str] = frozenset()
    rows = 0
    for segment in tier:
        columns = columns | segment.columns
        rows += segment.rows
        if chosen and (rows > TARGET_ROWS or _attributes(columns) > max_columns):
            if len(chosen) >= _ENOUGH:
                break
            chosen, columns, rows = [], segment.columns, segment.rows
        chosen.append(segment)
    return chosen


def _attributes(columns: frozenset[str]) -> int:
    """How many of the columns are attributes."""
    return sum(":" in name for name in columns)
