"""Policies as the store asks them: which segment is due, and what stays of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

import pyarrow as pa

from spanglass_server.retention.finding import REACH_HOURS, Named, named
from spanglass_server.retention.form import digest_of
from spanglass_server.retention.judgement import Keeps, PolicyJudgement
from spanglass_server.retention.judging import NEVER_NS, Classes, Terms
from spanglass_server.retention.model import P99
from spanglass_server.retention.occupied import DAY_NS, HOUR_NS, occupied_by
from spanglass_server.retention.store import Look, Taken, taken_by
from spanglass_server.retention.usual import UsualDurations
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Window
from spanglass_server.store.segment_files.retention import newest_ns
from spanglass_server.store.segment_files.trace_filter import TraceFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.retention.answers import Standing
    from spanglass_server.retention.book import PolicyBook
    from spanglass_server.retention.judgement import Seen
    from spanglass_server.retention.model import Policies
    from spanglass_server.retention.store import RetentionStore
    from spanglass_server.store.keeping.ports import Squeeze
    from spanglass_server.store.ports import QuerySession
    from spanglass_server.store.segment_files.segments import Segment

_LOG = logging.getLogger(__name__)
_REACH_NS: Final = REACH_HOURS * HOUR_NS


class Asking(Protocol):
    """Asks storage a question in the caller's thread."""

    def __call__(self, query: Callable[[QuerySession], Any]) -> Any:
        """Return its answer; ``QueryError``."""


@dataclass(frozen=True, slots=True)
class InForce:
    """Policies with the ages of signals, what tells both apart from others, and what was seen of segments."""

    policies: Policies
    ages_ns: Mapping[Signal, int]
    digest: str
    looks: Mapping[int, Look]

    def terms(self, signal: Signal) -> Terms:
        """What becomes of rows of a signal; log records are kept longer with their trace, never shorter."""
        ages, others_ns = [policy.age_ns for policy in self.policies.policies], self.ages_ns.get(signal, 0)
        if signal is Signal.SPANS:
            return Terms(ages, others_ns, self.policies.ordinary)
        return Terms([max(age, others_ns) if age and others_ns else 0 for age in ages], others_ns, None)

    def look(self, segment: Segment) -> Look | None:
        """What was seen of a segment by just these policies."""
        look = self.looks.get(segment.id)
        return look if look is not None and look.digest == self.digest else None

    def due(
        self, held: Mapping[Signal, Sequence[Segment]], now_ns: int, kept: Callable[[], frozenset[bytes]]
    ) -> list[Segment]:
        """The segments of which something becomes by now; ``kept`` are pinned traces and evidence."""
        first = {signal: next(iter(self.terms(signal).steps_ns), NEVER_NS) for signal in held}
        return [s for signal in held for s in held[signal] if self._next_ns(s, first[signal], kept) <= now_ns]

    def _next_ns(self, segment: Segment, first_ns: int, kept: Callable[[], frozenset[bytes]]) -> int:
        look = self.look(segment)
        if look is None:
            return max(newest_ns(segment) + first_ns + 1, self._settled_ns(segment))
        return self._settled_ns(segment) if look.held and not look.held <= kept() else look.next_ns

    def _settled_ns(self, segment: Segment) -> int:
        """When the days are over by whose requests a segment is judged: their bounds don't change from then on."""
        if all(policy.slower_than != P99 for policy in self.policies.policies):
            return 0
        return ((segment.max_time_ns + REACH_HOURS * HOUR_NS) // DAY_NS + 1) * DAY_NS


class PolicyKeeper:
    """A ``store.keeping.ports.Keeper``. ``evidence`` are traces that alerts show; until it is set nothing is ready."""

    def __init__(
        self, book: PolicyBook, store: RetentionStore, ages_ns: Mapping[Signal, int], clock_ns: Callable[[], int]
    ) -> None:
        self._book = book
        self._store = store
        self._ages_ns = ages_ns
        self._usual = UsualDurations(store)
        self._ask: Asking | None = None
        self.evidence: Callable[[], frozenset[bytes]] | None = None
        self._pinned: frozenset[bytes] = frozenset()
        self._spans: Sequence[Segment] = ()
        self._clock_ns = clock_ns
        self._given_up_ns: int | None = None
        self._now = self._in_force()

    def ask_by(self, ask: Asking) -> None:
        """Have storage asked so; before anything is judged."""
        self._ask = ask

    @property
    def is_ready(self) -> bool:
        """Whether segments can be judged: policies can be read, and it is known which traces are evidence."""
        return self._book.problem is None and (self._book.policies.is_empty or self.evidence is not None)

    def begin(self, pinned: frozenset[bytes], spans: Sequence[Segment]) -> bool:
        """See ``Keeper``."""
        self._pinned, self._spans = pinned, spans
        self._now = self._in_force()
        return not self._now.policies.is_empty

    def _in_force(self) -> InForce:
        policies = self._book.policies
        ages = ",".join(f"{signal}={age}" for signal, age in sorted(self._ages_ns.items()))
        return InForce(policies, self._ages_ns, f"{digest_of(policies)} {ages}", self._store.looks())

    def standing(self, held: Mapping[Signal, Sequence[Segment]], now_ns: int) -> Standing:
        """How far the policies are carried out; any thread may ask."""
        now = self._in_force()
        segments = [segment for each in held.values() for segment in each]
        looks = [(segment, look) for segment in segments if (look := now.look(segment)) is not None]
        return {
            "segments": len(segments),
            "segments_due": 0 if now.policies.is_empty else len(now.due(held, now_ns, self._held)),
            "kept_rows": sum(look.kept for _, look in looks),
            "rest_bytes": sum(segment.bytes for segment, look in looks if not look.others),
        }

    def _held(self) -> frozenset[bytes]:
        return self._pinned | (self.evidence() if self.evidence is not None else frozenset())

    def due(self, held: Mapping[Signal, Sequence[Segment]], now_ns: int) -> Segment | None:
        """See ``Keeper``."""
        return min(self._now.due(held, now_ns, self._held), key=newest_ns, default=None)

    def judge(self, segment: Segment, now_ns: int, squeeze: Squeeze) -> PolicyJudgement:
        """See ``Keeper``."""
        assert self._ask is not None  # noqa: S101 - set before anything is judged
        found = self._ask(partial(self._named, segment))
        terms, age_ns = self._now.terms(segment.signal), now_ns - newest_ns(segment)
        keeps = Keeps(self._note, partial(self._take, segment), lambda held: self._held() <= held, self._give_up)
        return PolicyJudgement(Classes(self._held(), found), terms, squeeze, age_ns, keeps)

    def _named(self, segment: Segment, session: QuerySession) -> list[Named]:
        window = Window(segment.min_time_ns, segment.max_time_ns + 1)
        part = next(part for part in session.parts(segment.signal, window) if part.key == segment.key)
        hours = occupied_by(session, part, REACH_HOURS)
        found = named(session, self._now.policies.policies, hours, self._usual.bounds)
        return [self._with_taken(one, segment) for one in found]

    def _with_taken(self, one: Named, segment: Segment) -> Named:
        """Traces that a policy names, and those that it did while spans were there that it took out since."""
        taken = self._store.taken(
            taken_by(one.policy), segment.min_time_ns - _REACH_NS, segment.max_time_ns + _REACH_NS
        )
        return Named(one.policy, pa.concat_arrays([one.traces, pa.array(sorted(taken), pa.binary())]))

    def _take(self, segment: Segment, taken: Mapping[int, set[bytes]]) -> None:
        """Keep which traces go by a policy, of which other segments may have spans too."""
        if segment.signal is not Signal.SPANS:
            return
        first_ns, last_ns = segment.min_time_ns, segment.max_time_ns
        beside = [
            other.trace_filter
            for other in self._spans
            if other.id != segment.id
            and other.trace_filter is not None
            and other.min_time_ns <= last_ns + _REACH_NS
            and first_ns - _REACH_NS <= other.max_time_ns
        ]
        for place, traces in taken.items():
            ids = sorted(traces)
            hashes = TraceFilter.hashes_of(ids)
            shared = {ids[at] for each in beside for at in each.places_of(hashes)}
            if shared:
                self._store.take(Taken(taken_by(self._now.policies.policies[place]), first_ns, last_ns, shared))

    def _give_up(self, rows: int) -> None:
        _LOG.warning("%d rows of pinned traces and evidence are kept no longer: past retention.max_pinned_bytes", rows)
        self._given_up_ns = self._clock_ns()

    @property
    def problem(self) -> str | None:
        """What people should know of, in words for them."""
        if self._book.problem is not None:
            return f"nothing is deleted, since policies of retention can't be read: {self._book.problem}"
        if self._given_up_ns is None or self._clock_ns() > self._given_up_ns + DAY_NS:
            return None
        return (
            "pinned traces and evidence of alerts take more than retention.max_pinned_bytes: what is past it goes with "
            "other traces; remove pins, or raise the limit"
        )

    def held_rows(self, segment: Segment) -> int:
        """See ``Keeper``."""
        look = self._now.look(segment)
        return segment.rows - look.others - look.kept if look is not None and look.held else 0

    def _note(self, segment: Segment, after_ns: int, seen: Seen) -> None:
        """Keep what was seen of a segment, which is looked at again past an age."""
        next_ns = newest_ns(segment) + after_ns + 1 if after_ns < NEVER_NS else NEVER_NS
        self._store.note(segment.id, Look(self._now.digest, next_ns, seen.others, seen.kept, frozenset(seen.held)))
        self._now = replace(self._now, looks=self._store.looks())

    def is_rest(self, segment: Segment) -> bool:
        """See ``Keeper``."""
        look = self._now.look(segment)
        return look is not None and not look.others

    def is_held(self, segment: Segment) -> bool:
        """See ``Keeper``."""
        look = self._now.look(segment)
        return look is not None and not look.others and not look.kept

    def forget(self, held: Mapping[Signal, Sequence[Segment]]) -> None:
        """See ``Keeper``."""
        there = {segment.id for segments in held.values() for segment in segments}
        self._store.forget(self._store.looks().keys() - there)
        self._store.forget_taken([(s.min_time_ns - _REACH_NS, s.max_time_ns + _REACH_NS) for s in held[Signal.SPANS]])
