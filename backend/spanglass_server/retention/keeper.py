"""Policies as the store asks them: which segment is due, and what stays of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from spanglass_server.retention.finding import around, named
from spanglass_server.retention.form import digest_of
from spanglass_server.retention.judging import HELD, NEVER_NS, OTHERS, Classes, Terms
from spanglass_server.retention.store import Look
from spanglass_server.retention.usual import UsualDurations
from spanglass_server.signals import Signal
from spanglass_server.store.segment_files.retention import newest_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from spanglass_server.retention.answers import Standing
    from spanglass_server.retention.book import PolicyBook
    from spanglass_server.retention.model import Policies
    from spanglass_server.retention.store import RetentionStore
    from spanglass_server.store.keeping.ports import Decided, Squeeze
    from spanglass_server.store.ports import QuerySession
    from spanglass_server.store.segment_files.segments import Segment


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
            return newest_ns(segment) + first_ns + 1
        return 0 if look.held and not look.held <= kept() else look.next_ns


class PolicyKeeper:
    """A ``store.keeping.ports.Keeper``. ``evidence`` are traces that alerts show; until it is set nothing is ready."""

    def __init__(
        self, book: PolicyBook, store: RetentionStore, ages_ns: Mapping[Signal, int], clock_ns: Callable[[], int]
    ) -> None:
        self._book = book
        self._store = store
        self._ages_ns = ages_ns
        self._usual = UsualDurations(store, clock_ns)
        self._ask: Asking | None = None
        self.evidence: Callable[[], frozenset[bytes]] | None = None
        self._pinned: frozenset[bytes] = frozenset()
        self._now = self._in_force()

    def ask_by(self, ask: Asking) -> None:
        """Have storage asked so; before anything is judged."""
        self._ask = ask

    @property
    def is_ready(self) -> bool:
        """Whether segments can be judged: not before it is known which traces are evidence."""
        return self._book.policies.is_empty or self.evidence is not None

    def begin(self, pinned: frozenset[bytes]) -> bool:
        """See ``Keeper``."""
        self._pinned = pinned
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
        window = around(segment.min_time_ns, segment.max_time_ns)
        policies = self._now.policies.policies
        found = self._ask(partial(named, policies=policies, window=window, bounds=self._usual.bounds))
        terms, age_ns = self._now.terms(segment.signal), now_ns - newest_ns(segment)
        return PolicyJudgement(Classes(self._held(), found), terms, squeeze, age_ns, self._note)

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


class Seen:
    """What stays of a segment: rows that no policy keeps, rows that one does, the traces that are held."""

    def __init__(self) -> None:
        self.others = 0
        self.kept = 0
        self.held: set[bytes] = set()
        self.classes: set[int] = set()


class PolicyJudgement:
    """A ``store.keeping.ports.Judgement`` of rows of one age."""

    def __init__(
        self,
        classes: Classes,
        terms: Terms,
        squeeze: Squeeze,
        age_ns: int,
        note: Callable[[Segment, int, Seen], None],
    ) -> None:
        self._classes = classes
        self._terms = terms
        self._age_ns = age_ns
        self._ages = terms.ages_of(squeeze)
        self._note = note
        self._seen = Seen()

    def decide(self, trace_ids: Any, one_in: NDArray[Any]) -> Decided:
        """See ``Judgement``."""
        classes = self._classes.of(trace_ids)
        decided = self._terms.decide(classes, trace_ids, one_in, self._ages, self._age_ns)
        left = classes[decided.stays]
        seen = self._seen
        seen.others += int((left == OTHERS).sum())
        seen.kept += int((left >= 0).sum())
        seen.classes.update(np.unique(left).tolist())
        if HELD in seen.classes:
            seen.held.update(trace_ids.filter(pa.array(decided.stays & (classes == HELD))).unique().to_pylist())
        return decided

    def noted(self, segment: Segment) -> None:
        """See ``Judgement``."""
        self._note(segment, self._next_age_ns(), self._seen)

    def _next_age_ns(self) -> int:
        """The age at which something becomes of what is left."""
        ages = [self._terms.ages_ns[place] for place in self._seen.classes if place >= 0]
        if OTHERS in self._seen.classes:
            ages.append(self._terms.others_ns)
            ages.append(self._terms.thinning.after_ns if self._terms.thinning else 0)
        return min((age for age in ages if age and age >= self._age_ns), default=NEVER_NS)
