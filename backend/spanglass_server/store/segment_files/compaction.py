"""Which small segments to merge: enough of about the same size, so that a row is rewritten a few times at most.

Quiet servers flush every half minute; a thousand tiny files would make every query slow. Tiers grow by four, and a
merge takes four of a tier, or as many as fill a segment, so a row is rewritten once a tier: three times on its way to
a quarter of a million. Only in the first tier it may be more often, 20 times with 50 rows a flush, which costs next to
nothing: few rows mean little.

Segments are merged within a period of arrival only, a day of UTC: so retention, which deletes segments whole, keeps no
record for more than a day past its age because it was merged with younger ones. Once a newer period has begun, what is
left of the one before becomes as few segments as fit.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spanglass_server.store.segment_files.segments import Segment

TARGET_ROWS = 262_144
#: Segments of as many rows stay as they are. Under full load a flush holds 110 000 spans: merging them by twos halved
#: the files, and cost 3.8 CPU seconds a million, a third of all ingest, and 100 MB of memory.
FULL_ROWS = TARGET_ROWS // 3
DAY_NS = 86_400 * 10**9
_TIERS = ((0, 4096), (4096, 16_384), (16_384, 65_536), (65_536, FULL_ROWS))
_ENOUGH = 4
_NEARLY_ALL = TARGET_ROWS * 3 // 4  # what is to stay as it is waits for as many rows
_PERIODS_OF_AGE = 4
_LONGEST_ROLLUP_NS = 16 * DAY_NS


def merge_period_ns(age_ns: int) -> int:
    """How long a period is for a signal of this retention (0: for ever): a day, or a quarter of a shorter age."""
    return min(DAY_NS, max(age_ns // _PERIODS_OF_AGE, 1)) if age_ns else DAY_NS


def choose(segments: Sequence[Segment], max_columns: int, period_ns: int = DAY_NS) -> list[Segment]:
    """The segments to merge next, in the order of their arrival; none if it is not worth while."""
    periods: dict[int, list[Segment]] = defaultdict(list)
    for segment in segments:
        periods[segment.arrived_ns // period_ns].append(segment)
    newest = max(periods, default=0)
    for period, members in periods.items():
        tiers = _TIERS if period == newest else ((0, FULL_ROWS),)
        for floor, ceiling in tiers:
            tier = sorted((s for s in members if floor <= s.rows < ceiling), key=lambda segment: segment.id)
            for run, ended in _runs(tier, max_columns):
                if len(run) > 1 and (period != newest or _worth_while(run, ended=ended)):
                    return run
    return []


def adjacent(segments: Sequence[Segment]) -> list[Segment]:
    """The rollups of one size to merge next: four that cover equally long ranges side by side; none if there are none.

    Four times six hours are a day, then four and sixteen days, so a month is a dozen files. The sizes of rollups cover
    the same ranges and are merged together: those of the finest are to be given here.
    """
    by_length: dict[int, dict[int, Segment]] = defaultdict(dict)
    for segment in segments:
        if segment.cover is not None:
            by_length[segment.cover.end_ns - segment.cover.start_ns][segment.cover.start_ns] = segment
    for length_ns, by_start in sorted(by_length.items()):
        for start_ns in sorted(by_start):
            run = [by_start.get(start_ns + place * length_ns) for place in range(_ENOUGH)]
            four = [segment for segment in run if segment is not None]
            is_aligned = start_ns % (_ENOUGH * length_ns) == 0
            is_small = length_ns < _LONGEST_ROLLUP_NS and sum(segment.rows for segment in four) <= TARGET_ROWS
            if is_aligned and is_small and len(four) == _ENOUGH:
                return four
    return []


def _worth_while(run: Sequence[Segment], *, ended: bool) -> bool:
    """Whether to merge a run now; ``ended`` says that it can't grow any more."""
    rows = sum(segment.rows for segment in run)
    if rows < FULL_ROWS:
        return len(run) >= _ENOUGH
    return ended or rows >= _NEARLY_ALL  # the result is never merged again


def _runs(tier: Sequence[Segment], max_columns: int) -> Iterator[tuple[list[Segment], bool]]:
    """The tier in runs from the oldest on, each within the limits of a segment, and whether another one follows it."""
    run: list[Segment] = []
    columns: frozenset[str] = frozenset()
    rows = 0
    for segment in tier:
        columns = columns | segment.columns
        rows += segment.rows
        if run and (rows > TARGET_ROWS or _attributes(columns) > max_columns):
            yield run, True
            run, columns, rows = [], segment.columns, segment.rows
        run.append(segment)
    yield run, False


def _attributes(columns: frozenset[str]) -> int:
    """How many of the columns are attributes."""
    return sum(":" in name for name in columns)
