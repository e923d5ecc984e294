"""What policies say of the rows of one segment: pure computing over what was found of its traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.store.keeping.ports import Decided, Squeeze
from spanglass_server.store.segment_files.trace_filter import TraceFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.retention.finding import Named
    from spanglass_server.retention.model import Thinning

#: Which class a row is of: the place of the first policy that names its trace, or one of these.
OTHERS: Final = -1
HELD: Final = -2
#: No moment is later.
NEVER_NS: Final = 2**62
_SALT: Final = np.uint64(0x9E3779B97F4A7C15)
_FULL: Final = 2.0**64


@dataclass(frozen=True, slots=True)
class Classes:
    """The class of each trace: pinned and evidence first, then the policies in their order."""

    held: frozenset[bytes]
    named: Sequence[Named]

    def of(self, trace_ids: Any) -> NDArray[np.int16]:
        """Return the class of each row by the id of its trace; null is of no trace."""
        found = np.full(len(trace_ids), OTHERS, np.int16)
        sets = [(HELD, pa.array(sorted(self.held), pa.binary()))]
        sets += [(place, one.traces) for place, one in enumerate(self.named)]
        for place, ids in sets:
            if len(ids):
                is_in = pc.fill_null(pc.is_in(trace_ids, value_set=ids), fill_value=False)
                found[is_in.to_numpy(zero_copy_only=False) & (found == OTHERS)] = place
        return found


def are_kept(trace_ids: Any, one_in: int) -> NDArray[np.bool_]:
    """Which of the traces are the one in so many that stays: by their ids alone, so always the same ones.

    Who is kept as one in 100 is kept as one in 10 too. The hash is none that samplers use: ids that one of them kept
    are not all alike.
    """
    hashes = TraceFilter.hashes(trace_ids)
    mixed = (hashes ^ _SALT) * _SALT
    mixed ^= mixed >> np.uint64(29)
    return (mixed * _SALT).astype(np.float64) < _FULL / one_in


@dataclass(frozen=True, slots=True)
class Terms:
    """How old each class of rows of a signal may become, 0 for ever; and how the others are thinned, if they are."""

    ages_ns: Sequence[int]
    others_ns: int
    thinning: Thinning | None

    @property
    def steps_ns(self) -> list[int]:
        """Ages at which something becomes of a row."""
        after = [self.thinning.after_ns] if self.thinning else []
        return sorted(age for age in (*self.ages_ns, self.others_ns, *after) if age)

    @property
    def sooner(self) -> list[int]:
        """The policies whose traces go sooner than they would if nothing told any more that a policy names them."""
        ends = [age or NEVER_NS for age in (*self.ages_ns, self.others_ns)]
        return [place for place in range(len(self.ages_ns)) if ends[place] < max(ends[place + 1 :])]

    def ages_of(self, squeeze: Squeeze) -> NDArray[np.int64]:
        """Ages by class, the others and the held ones last, so that they are found from the end."""
        squeezed = {Squeeze.NOTHING: (), Squeeze.OTHERS: (OTHERS,), Squeeze.KEPT: range(OTHERS, len(self.ages_ns))}
        ages = np.array([*self.ages_ns, 0, self.others_ns], np.int64)
        ages[ages == 0] = NEVER_NS
        ages[list(squeezed[squeeze])] = -NEVER_NS
        return ages

    def thinned(self, age_ns: int) -> int:
        """Of how many traces that no policy names one is left at an age."""
        return self.thinning.keep_one_in if self.thinning and age_ns > self.thinning.after_ns else 1

    def decide(
        self, classes: NDArray[Any], trace_ids: Any, one_in: NDArray[Any], ages: NDArray[Any], age_ns: int
    ) -> Decided:
        """Decide of rows of an age, by their classes and of how many traces each is one already."""
        stays = ages[classes] >= age_ns
        thinned = self.thinned(age_ns)
        if thinned == 1:
            return Decided(stays, one_in)
        left_ns = (classes == OTHERS) & stays & (one_in < thinned)
        chosen = np.flatnonzero(left_ns)
        kept = are_kept(trace_ids.take(pa.array(chosen)), thinned)
        stays[chosen[~kept]] = False
        now = one_in.copy()
        now[chosen] = thinned
        return Decided(stays, now)
