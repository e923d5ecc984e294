"""What the store asks of policies of retention. The contract is here; the policies are above storage."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from spanglass_server.signals import Signal
    from spanglass_server.store.segment_files.segments import Segment


class Squeeze(Enum):
    """What has to go before its age, since there is no room: nothing, what no policy keeps, what they keep too.

    Pinned traces and evidence stay.
    """

    NOTHING = 0
    OTHERS = 1
    KEPT = 2


@dataclass(frozen=True, slots=True)
class Decided:
    """What becomes of rows, in their order: which stay, and of how many traces each of these stands for one."""

    stays: NDArray[Any]
    one_in: NDArray[Any]


class Judgement(Protocol):
    """What policies say of the rows of one segment. Used by one thread."""

    def decide(self, trace_ids: Any, one_in: NDArray[Any]) -> Decided:
        """Decide of some of its rows, the same for the same rows, whenever it is asked.

        Ids are an Arrow array, null where a record has none; ``one_in`` is of how many each is one so far.
        """

    @property
    def held_rows(self) -> int:
        """How many of the rows decided of stay only since their traces are pinned, or evidence."""

    def give_up_held(self) -> None:
        """Take no traces as held: there is no room for them. All rows are decided of anew."""

    def prepare(self) -> None:
        """Make durable what later judgements need, before rows go; ``OSError``."""

    def is_current(self) -> bool:
        """Whether no traces came to be held since rows were decided of; ``OSError``."""

    def noted(self, segment: Segment) -> None:
        """Take a segment as what is left of the judged one, after all of its rows were decided of; ``OSError``."""


class Keeper(Protocol):
    """Which rows of spans and log records stay, and how long. Used by one thread; ``OSError``, ``QueryError``."""

    def begin(self, pinned: frozenset[bytes], spans: Sequence[Segment]) -> bool:
        """Take policies, pins and segments of spans as they are now; returns whether there are policies.

        ``OSError`` where these can't be read: nothing may be deleted then.
        """

    def due(self, held: Mapping[Signal, Sequence[Segment]], now_ns: int) -> Segment | None:
        """The segment to be judged next, the oldest first; None if there is none."""

    def judge(self, segment: Segment, now_ns: int, squeeze: Squeeze) -> Judgement:
        """Find out which of its traces stay."""

    def is_rest(self, segment: Segment) -> bool:
        """Whether it is known to hold only what policies keep."""

    def is_held(self, segment: Segment) -> bool:
        """Whether it is known to hold only pinned traces and evidence, which nothing deletes."""

    def held_rows(self, segment: Segment) -> int:
        """How many of its rows are known to be of pinned traces and evidence."""

    def forget(self, held: Mapping[Signal, Sequence[Segment]]) -> None:
        """Forget what was noted of segments that are gone; ``OSError``."""


class _NoPolicies:
    def begin(self, _pinned: frozenset[bytes], _spans: Sequence[Segment]) -> bool:
        return False

    def due(self, _held: Mapping[Signal, Sequence[Segment]], _now_ns: int) -> Segment | None:
        return None

    def judge(self, segment: Segment, now_ns: int, squeeze: Squeeze) -> Judgement:
        raise NotImplementedError

    def is_rest(self, _segment: Segment) -> bool:
        return False

    def is_held(self, _segment: Segment) -> bool:
        return False

    def held_rows(self, _segment: Segment) -> int:
        return 0

    def forget(self, held: Mapping[Signal, Sequence[Segment]]) -> None:
        pass


NO_POLICIES: Final = _NoPolicies()
