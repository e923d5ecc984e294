"""Rolls windows up in the background, one at a time, and again where points came late."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from spanglass_server.pace import REST_NEW, Pace
from spanglass_server.rollups.making import counts_by_window, rolled, slices
from spanglass_server.rollups.spool import Spool
from spanglass_server.rollups.windows import LEVELS, WINDOW_NS, next_due, window_of, windows_between
from spanglass_server.self_metrics import registry as own
from spanglass_server.signals import ROLLUPS, TIME_COLUMN, Signal
from spanglass_server.store.ports import Window
from spanglass_server.store.segment_files.segments import Cover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from spanglass_server.rollups.making import Slice
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.store.ports import QuerySession
    from spanglass_server.store.sessions.engine import Engine
    from spanglass_server.store.store import Store

_FEW_WINDOWS = 8
_DAY_NS = 86_400 * 10**9


class RollupWorker:
    """Keeps the rollups of a store; ``clock_ns`` is time since 1970.

    ``seen`` is called with each table of new records, in the thread that makes them columns, before anyone can ask for
    them. ``run`` belongs to another thread; whatever it raises, it can be called again. Windows that are not rolled up,
    or got points afterwards, are found once after the start, by their numbers of points.

    A window of the last day that is not rolled up is, at once. Others keep to ``pace``: they lie further back, or got
    points that came late, and each of these may be followed by more.
    """

    def __init__(self, telemetry: Telemetry, clock_ns: Callable[[], int], pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self._telemetry = telemetry
        self._clock_ns = clock_ns
        self._lock = threading.Lock()
        self._touched: set[int] = set()  # starts of windows with points that may be in no rollup
        self._times: Counter[int] = Counter()  # how often new points were seen, by window
        self._knows_stored = False

    def begin(self, store: Store, engine: Engine) -> None:
        """Take what is stored; before ``run``."""
        self._store = store
        self._engine = engine

    def seen(self, signal: Signal, table: Any) -> None:
        """Notice which windows new points lie in."""
        if signal is not Signal.METRICS:
            return
        times = table[TIME_COLUMN[signal]]
        first_ns, last_ns = (bound.as_py() for bound in pc.min_max(times).values())
        self._touch(
            windows_between(first_ns, last_ns)
            if last_ns - first_ns < _FEW_WINDOWS * WINDOW_NS
            else (window_of(time_ns).start_ns for time_ns in pc.unique(times).to_pylist())
        )

    def _touch(self, starts: Iterable[int]) -> None:
        with self._lock:
            for start_ns in starts:
                self._touched.add(start_ns)
                self._times[start_ns] += 1

    def run(self, stopped: Callable[[], bool]) -> None:
        """Roll up all windows whose turn it is, until ``stopped``."""
        if not self._knows_stored:
            self._touch(self._engine.run_here(self._stored_since, is_paced=True))
            self._judge()
            self._knows_stored = True
        while not stopped() and (window := self._next()) is not None:
            with self._lock:
                self._touched.discard(window.start_ns)
            cover = self._covers().get(window.start_ns, Cover(window.start_ns, window.end_ns, 0))
            seen = self._seen_in(cover)  # before the session begins, which may not have what comes from now on
            try:
                with self.pace.piece(REST_NEW):
                    # what came in the last seconds is noticed once columns were made of it, for the next time
                    self._engine.run_here(partial(self._make, cover, seen), needs_newest=False, is_paced=True)
            except BaseException:
                self._touch([window.start_ns])
                raise

    def _next(self) -> Window | None:
        now_ns, covers = self._clock_ns(), self._covers()
        with self._lock:
            new = [start_ns for start_ns in self._touched if start_ns > now_ns - _DAY_NS and start_ns not in covers]
            return next_due(new, now_ns) or (next_due(self._touched, now_ns) if self.pace.is_due() else None)

    def _covers(self) -> dict[int, Cover]:
        """What is rolled up, by the starts of all windows in it: compaction makes one of several."""
        segments = self._store.contents.snapshot.segments
        covers = {segment.cover for signal in ROLLUPS for segment in segments[signal] if segment.cover is not None}
        return {start_ns: cover for cover in covers for start_ns in _windows_in(cover)}

    def _stored_since(self, session: QuerySession) -> list[int]:
        """Windows that have points in no rollup."""
        covers, counts = self._covers(), counts_by_window(session)
        return [
            start_ns
            for start_ns in counts
            if start_ns not in covers or _points_of(counts, covers[start_ns]) > covers[start_ns].source_rows
        ]

    def _judge(self) -> None:
        """Have rollups used from now on, those of ranges with points that came later once they are made again."""
        covers = self._covers()
        with self._lock:
            outdated = frozenset(covers[start_ns].start_ns for start_ns in self._touched if start_ns in covers)
            self._store.contents.judge_rollups(outdated)

    def _seen_in(self, cover: Cover) -> int:
        with self._lock:
            return sum(self._times[start_ns] for start_ns in _windows_in(cover))

    def _make(self, before: Cover, seen: int, session: QuerySession) -> None:
        """Roll up a window, with those that were merged with it; ``seen`` is how often points came for it until now."""
        found = [(each, *slices(session, each)) for each in (Window(at, at + WINDOW_NS) for at in _windows_in(before))]
        points = sum(count for _, count, _ in found)
        if points <= before.source_rows:
            return  # retention has deleted points of it: what was made of all of them stays
        with self._telemetry.timed(own.ROLLUP_SECONDS):
            self._store.roll_up(
                *(replace(before, source_rows=points), _tables(session, found), self._clock_ns()),
                lambda: self._seen_in(before) == seen,
            )


def _windows_in(cover: Cover) -> range:
    return range(cover.start_ns, cover.end_ns, WINDOW_NS)


def _tables(
    session: QuerySession, found: Sequence[tuple[Window, int, list[Slice]]]
) -> dict[Signal, Iterator[pa.Table]]:
    """The rows of each level, to be taken in this order: all are made when those of the first one are."""
    first, *others = LEVELS
    spools = {level.signal: Spool() for level in others}

    def of_first() -> Iterator[pa.Table]:
        for window, _, parts in found:
            for table, *coarser in rolled(session, window, parts, [level.step_ns for level in LEVELS]):
                for spool, each in zip(spools.values(), coarser, strict=True):
                    spool.put(each)
                yield table

    return {first.signal: of_first(), **{signal: spool.take() for signal, spool in spools.items()}}


def _points_of(counts: Mapping[int, int], cover: Cover) -> int:
    return sum(counts.get(start_ns, 0) for start_ns in _windows_in(cover))
