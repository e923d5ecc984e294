"""How long health checks were up and down, by the minute, from the changes of their status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from spanglass_server.slo.counting.minutes import Minutes
from spanglass_server.slo.model import MINUTE_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_UNKNOWN: Final = "unknown"
_DOWN: Final = "unhealthy"


class Change(Protocol):
    """A change of a status, at ``time_ns``, to ``status``."""

    @property
    def time_ns(self) -> int:
        """When it was."""

    @property
    def status(self) -> str:
        """What it is since then."""


def minutes_of(changes: Sequence[Change], at_start: str, first: int, last: int, now_ns: int) -> Minutes:
    """Of each minute the part in which a status was known, and the part in which it was unhealthy.

    ``changes`` are those from the minute ``first`` on, oldest first; ``at_start`` is the status before them.
    """
    start_ns = first * MINUTE_NS
    times = [start_ns, *(max(start_ns, change.time_ns) for change in changes), max(now_ns, start_ns)]
    statuses = [at_start, *(str(change.status) for change in changes)]
    at = np.minimum(np.maximum.accumulate(np.array(times, np.int64)), max(now_ns, start_ns))
    edges = np.minimum(np.arange(first, last + 1, dtype=np.int64) * MINUTE_NS, at[-1])
    known, down = (
        np.array([(status == _DOWN) if is_down else (status != _UNKNOWN) for status in statuses])
        for is_down in (False, True)
    )
    return Minutes(first, _parts(at, known, edges), _parts(at, down, edges))


def _parts(at: NDArray[np.int64], holds: NDArray[np.bool_], edges: NDArray[np.int64]) -> NDArray[np.float64]:
    """How much of the time between each two edges something holds, in minutes."""
    reached = np.concatenate(([0], np.cumsum(np.diff(at) * holds)))
    parts: NDArray[np.float64] = np.diff(np.interp(edges - at[0], at - at[0], reached)) / MINUTE_NS
    return parts
