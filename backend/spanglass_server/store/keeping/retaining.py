"""Deletes what is due: whole segments past their age or past the bytes, and rows of segments that policies judge.

Rows of pinned traces, and those that policies keep, are written anew in the same commit that removes their segment.
Used by one thread, while nothing is merged. Whatever fails, and wherever, another look begins where this one ended.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.self_metrics import registry as own
from spanglass_server.signals import Signal
from spanglass_server.store.keeping.ports import NO_POLICIES, Judgement, Keeper, Squeeze
from spanglass_server.store.keeping.rows import Rest, rest_of
from spanglass_server.store.pinned.rescue import PinnedMeanwhileError
from spanglass_server.store.segment_files.catalog import Change
from spanglass_server.store.segment_files.retention import expired

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.store.contents import Contents
    from spanglass_server.store.pinned.rescue import Rescue
    from spanglass_server.store.segment_files.retention import RetentionLimits
    from spanglass_server.store.segment_files.segments import Segment

_LOG = logging.getLogger(__name__)
#: What policies speak of: records that have a trace.
JUDGED: Final = (Signal.SPANS, Signal.LOGS)


@dataclass(frozen=True, slots=True)
class Writing:
    """What a store can do for it: write a segment, and make a change durable and seen."""

    data_dir: Path
    contents: Contents
    new_segment: Callable[..., Segment]
    commit: Callable[[Change], None]


class Retaining:
    """``keeper`` is asked from when it is set on; before that there are no policies."""

    def __init__(self, writing: Writing, limits: RetentionLimits, rescue: Rescue, telemetry: Telemetry) -> None:
        self._writing = writing
        self._limits = limits
        self._rescue = rescue
        self._telemetry = telemetry
        self.keeper: Keeper = NO_POLICIES

    def judge_next(self, now_ns: int) -> bool:
        """Have the next segment that is due by policies hold only what stays; False if there is none."""
        held = self._writing.contents.snapshot.segments
        self._rescue.begin([s for signal in Signal for s in held[signal]])
        if not self.keeper.begin(self._rescue.ids, held[Signal.SPANS]):
            return False
        segment = self.keeper.due({signal: held[signal] for signal in JUDGED}, now_ns)
        if segment is None:
            self.keeper.forget({signal: held[signal] for signal in JUDGED})
            return False
        with suppress(PinnedMeanwhileError):  # it is due as before, and judged again with the new pin
            self._judge(segment, now_ns, "policy")
        return True

    def delete_next(self, now_ns: int) -> bool:
        """Delete segments that are due, or squeeze one; returns whether another look may find more."""
        held = self._writing.contents.snapshot.segments
        self._rescue.begin([s for signal in Signal for s in held[signal]])
        has_policies = self.keeper.begin(self._rescue.ids, held[Signal.SPANS])
        try:
            return self._delete_due(now_ns, JUDGED if has_policies else ())
        except PinnedMeanwhileError:  # its rows were not looked for
            return True

    def _delete_due(self, now_ns: int, judged: Sequence[Signal]) -> bool:
        """Delete what is due; returns whether rows of it stayed, so that another look may find more."""
        held = self._writing.contents.snapshot.segments
        segments = {signal: [s for s in held[signal] if not self._is_whole(s, judged)] for signal in Signal}
        again = False
        for reason, due in expired(segments, self._limits, now_ns, judged, self.keeper.is_rest).items():
            others = list(takewhile(lambda segment: segment.signal not in judged, due))
            if due and not others:  # another look finds whether that is enough
                self._judge(due[0], now_ns, reason, self._squeeze(due[0]))
                return True
            again = self._delete(others, reason) or len(others) < len(due) or again
        return again

    def _is_whole(self, segment: Segment, judged: Sequence[Signal]) -> bool:
        """Whether nothing of a segment can be deleted."""
        return self._rescue.is_whole(segment) or (segment.signal in judged and self.keeper.is_held(segment))

    def _squeeze(self, segment: Segment) -> Squeeze:
        """What there is no room for: first of all what no policy keeps, and of what they keep the oldest last."""
        return Squeeze.KEPT if self.keeper.is_rest(segment) else Squeeze.OTHERS

    def _delete(self, due: Sequence[Segment], reason: str) -> bool:
        """Delete segments but for rows of pinned traces; returns whether there were any."""
        stays = {segment.id: self._rescue.rows_of(segment) for segment in due}
        deleted = [segment for segment in due if not self._rescue.is_whole(segment)]
        gone = [segment for segment in deleted if not stays[segment.id]]
        if gone:
            with self._rescue.no_more_pinned():
                self._writing.commit(Change(remove=[segment.id for segment in gone]))
            _LOG.info("retention by %s deleted %d segments", reason, len(gone))
        for segment in gone:
            self._count_deleted(segment, reason)
        for segment in deleted:
            if stays[segment.id]:
                self._count_deleted(segment, reason, self._keep(segment, stays[segment.id]))
        return len(gone) < len(due)

    def _count_deleted(self, segment: Segment, reason: str, kept: int = 0) -> None:
        self._telemetry.add(own.DELETED_SEGMENTS, 1, segment.signal, reason)
        self._telemetry.add(own.DELETED_ROWS, segment.rows - kept, segment.signal, reason)

    def _keep(self, segment: Segment, tables: Sequence[Any]) -> int:
        """Have rows of a segment in its place; returns how many."""
        with self._rescue.no_more_pinned():
            new = self._writing.new_segment(segment.signal, tables, tables[0].schema, segment.arrived_ns)
            self._writing.commit(Change(add=[new], remove=[segment.id]))
        self._rescue.keep(new, tables)
        return new.rows

    def _judge(self, segment: Segment, now_ns: int, reason: str, squeeze: Squeeze = Squeeze.NOTHING) -> None:
        """Have what policies keep of a segment in its place, or leave it as it is where that is everything."""
        judgement = self.keeper.judge(segment, now_ns, squeeze)
        rest = self._rest_of(segment, judgement)
        if not rest.changes:
            judgement.noted(segment)
            return
        judgement.prepare()
        with self._rescue.no_more_pinned():
            new = None
            if rest.rows:
                new = self._writing.new_segment(segment.signal, rest.tables(), rest.schema(), segment.arrived_ns)
            if not judgement.is_current():
                self._writing.contents.discard(new.files if new else ())
                raise PinnedMeanwhileError
            self._writing.commit(Change(add=[new] if new else [], remove=[segment.id]))
        self._count_deleted(segment, reason, rest.rows)
        if new:
            judgement.noted(new)
        _LOG.info("retention by %s left %d of %d %s of a segment", reason, rest.rows, segment.rows, segment.signal)

    def _rest_of(self, segment: Segment, judgement: Judgement) -> Rest:
        """What stays of a segment: of pinned traces and evidence only what there is room for."""
        path = self._writing.data_dir / segment.file
        rest = rest_of(path, segment.signal, judgement)
        held = judgement.held_rows
        if held and self._held_bytes(segment) + segment.bytes * held // segment.rows > self._rescue.max_bytes:
            judgement.give_up_held()
            rest = rest_of(path, segment.signal, judgement)
        return rest

    def _held_bytes(self, but: Segment) -> int:
        """What rows of pinned traces and evidence take in other segments, as far as that is known."""
        held = self._writing.contents.snapshot.segments
        others = (s for signal in JUDGED for s in held[signal] if s.id != but.id)
        return sum(s.bytes * self.keeper.held_rows(s) // max(1, s.rows) for s in others)
