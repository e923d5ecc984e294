"""From runs to the status of a check: one odd run changes nothing, and one that comes and goes is held back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from spanglass_server.health.model import RANKS, CheckState, Run, Status

#: A check that changed so often within an hour is flapping: then it takes five times as many good runs.
FLAPPING_CHANGES: Final = 6
FLAPPING_WITHIN_NS: Final = 3600 * 10**9
FLAPPING_FACTOR: Final = 5


@dataclass(frozen=True, slots=True)
class Patience:
    """Runs in a row that change a status: so many for worse, so many for better."""

    failures: int
    successes: int


def advanced(state: CheckState, run: Run, patience: Patience) -> CheckState:
    """The state after one more run. The first good run makes a check healthy, from what was not known, at once."""
    now_ns = run.started_ns + run.latency_ns
    recent = tuple(time_ns for time_ns in state.changes_ns if time_ns > now_ns - FLAPPING_WITHIN_NS)
    state = replace(state, run=run, changes_ns=recent, flapping=len(recent) >= FLAPPING_CHANGES)
    known = state.status is not Status.UNKNOWN
    if run.status is state.status:
        return replace(state, bad=0, good=0, detail=run.detail)
    if RANKS[run.status] > RANKS[state.status]:
        state = replace(state, bad=state.bad + 1, good=0)
        return _changed(state, run, now_ns) if state.bad >= patience.failures else state
    state = replace(state, bad=0, good=state.good + 1)
    wanted = patience.successes * (FLAPPING_FACTOR if state.flapping else 1)
    return _changed(state, run, now_ns) if state.good >= wanted or not known else state


def _changed(state: CheckState, run: Run, now_ns: int) -> CheckState:
    changes = state.changes_ns if state.status is Status.UNKNOWN else (*state.changes_ns, now_ns)
    return replace(
        state,
        status=run.status,
        since_ns=now_ns,
        bad=0,
        good=0,
        changes_ns=changes,
        flapping=len(changes) >= FLAPPING_CHANGES,
        detail=run.detail,
    )
