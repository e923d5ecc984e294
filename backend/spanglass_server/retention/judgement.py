"""What policies say of one segment, row group by row group, and what is kept of having said it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.retention.judging import HELD, NEVER_NS, OTHERS, Classes, Terms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from spanglass_server.store.keeping.ports import Decided, Squeeze
    from spanglass_server.store.segment_files.segments import Segment


class Seen:
    """What stays of a segment: rows that no policy keeps, rows that one does, rows and traces that are held.

    ``taken`` are the traces that go although other rows of them may stay elsewhere, by the place of their policy.
    """

    def __init__(self) -> None:
        self.others = 0
        self.kept = 0
        self.held_rows = 0
        self.held: set[bytes] = set()
        self.classes: set[int] = set()
        self.taken: dict[int, set[bytes]] = {}


@dataclass(frozen=True, slots=True)
class Keeps:
    """What becomes of a judgement: all in the thread that judges; ``OSError``."""

    note: Callable[[Segment, int, Seen], None]  # what is left of a segment, looked at again at an age
    take: Callable[[Mapping[int, set[bytes]]], None]  # traces of policies, of which some rows go
    is_current: Callable[[frozenset[bytes]], bool]  # whether no other traces are held by now
    give_up: Callable[[int], None]  # so many rows of held traces, for which there is no room


class PolicyJudgement:
    """A ``store.keeping.ports.Judgement`` of rows of one age."""

    def __init__(self, classes: Classes, terms: Terms, squeeze: Squeeze, age_ns: int, keeps: Keeps) -> None:
        self._classes = classes
        self._terms = terms
        self._age_ns = age_ns
        self._ages = terms.ages_of(squeeze)
        self._keeps = keeps
        self._seen = Seen()
        self._held = classes.held

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
            seen.held_rows += int((left == HELD).sum())
            seen.held.update(trace_ids.filter(pa.array(decided.stays & (classes == HELD))).unique().to_pylist())
        for place in self._terms.sooner:
            gone = (classes == place) & ~decided.stays
            if gone.any():
                seen.taken.setdefault(place, set()).update(trace_ids.filter(pa.array(gone)).unique().to_pylist())
        return decided

    @property
    def held_rows(self) -> int:
        """See ``Judgement``."""
        return self._seen.held_rows

    def give_up_held(self) -> None:
        """See ``Judgement``."""
        self._keeps.give_up(self._seen.held_rows)
        self._seen = Seen()
        self._classes = replace(self._classes, held=frozenset())

    def prepare(self) -> None:
        """See ``Judgement``."""
        if self._seen.taken:
            self._keeps.take(self._seen.taken)

    def is_current(self) -> bool:
        """See ``Judgement``."""
        return self._keeps.is_current(self._held)

    def noted(self, segment: Segment) -> None:
        """See ``Judgement``."""
        self._keeps.note(segment, self._next_age_ns(), self._seen)

    def _next_age_ns(self) -> int:
        """The age at which something becomes of what is left."""
        ages = [self._terms.ages_ns[place] for place in self._seen.classes if place >= 0]
        if OTHERS in self._seen.classes:
            ages.append(self._terms.others_ns)
            ages.append(self._terms.thinning.after_ns if self._terms.thinning else 0)
        return min((age for age in ages if age and age >= self._age_ns), default=NEVER_NS)
