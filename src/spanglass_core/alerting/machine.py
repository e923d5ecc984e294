"""The state machine of one key of one rule: ``advance(state, sample, policy, now_ns) -> (state, transitions)``.

Pure: the same samples give the same transitions, live, in a backtest, and after a restart in between. Times are those
of samples, and never of a clock. The names and times are Prometheus':

| phase | what the sample says | phase after it | transition |
| --- | --- | --- | --- |
| inactive | holds, ``for`` is 0 | firing | fired |
| inactive | holds | pending | pending |
| pending | holds, since less than ``for`` | pending | |
| pending | holds, since ``for`` or longer | firing | fired |
| pending | holds no more | inactive | cancelled |
| firing, keep firing | holds at a higher level | firing | raised |
| firing, keep firing | holds at a lower level, or has recovered from the higher ones | firing | lowered |
| firing | holds no more, has not recovered | firing | |
| firing | has recovered, ``keep_firing_for`` is 0 | inactive | resolved |
| firing | has recovered | keep firing | |
| keep firing | holds | firing | |
| keep firing | does not hold, since ``keep_firing_for`` or longer | inactive | resolved |
| any | the evaluation failed | the same | failed, once |
| any | no data, ``ok`` | as if it had recovered | no data, once |
| any | no data, ``alert`` | as if it held | no data, once |
| any | no data, ``alert``, since ``gone_ns`` or longer | inactive | resolved, or cancelled |
| inactive, pending, firing | no data, ``keep`` | the same | no data, once |
| pending | no data, ``keep``, since ``no_data_ns`` or longer | inactive | cancelled |
| firing, keep firing | no data, ``keep``, since ``no_data_ns`` or longer | inactive | resolved |

- Health stands beside the phase; the first sample with data after failures or none adds *works again* or *data again*.
- Only time in which the condition is known to hold counts towards ``for``: failures, missing data (``keep``) and gaps
  between samples longer than ``max_gap_ns`` do not. Missed evaluations up to that count as if they had held.
- A level is raised at once, without another ``for``.
- A sample that is not newer than the last one changes nothing. Where the clock itself was set back by more than
  ``CLOCK_SET_BACK_NS``, the times of the state are moved back with it: nothing waits until it is that late again.

Most keys are inactive, and stay so. ``advance`` need not be called for a key whose state is at rest (``is_at_rest``)
and whose sample is quiet (``is_quiet``: a value, no level, no error); over arrays, these are the keys of level 0 with a
value, without a state that is kept. Nor need such a state be kept: ``INITIAL`` does as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spanglass_core.alerting.severity import SEVERITIES, Severity
from spanglass_core.alerting.states import Health, Kind, Phase, Policy, Sample, State, Transition
from spanglass_core.units import format_duration

if TYPE_CHECKING:
    from spanglass_core.alerting.rule import Rule

#: A clock that was set back by less catches up meanwhile: samples that are that late are only late.
CLOCK_SET_BACK_NS = 600 * 10**9
#: How many evaluations may be missed before what was pending begins anew.
GAP_INTERVALS = 10
DEFAULT_INTERVAL_NS = 15 * 10**9

Step = tuple[State, tuple[Transition, ...]]

_ACTIVE = (Phase.FIRING, Phase.KEEP_FIRING)


def policy_of(rule: Rule, interval_ns: int = DEFAULT_INTERVAL_NS) -> Policy:
    """What the state machine needs of a rule; ``interval_ns`` is that of rules that name none."""
    return Policy(
        for_ns=rule.for_ns,
        keep_firing_for_ns=rule.keep_firing_for_ns,
        no_data=rule.no_data,
        no_data_severity=rule.severity,
        max_gap_ns=GAP_INTERVALS * (rule.interval_ns or interval_ns),
    )


def is_at_rest(state: State) -> bool:
    """Whether nothing of a state is worth keeping: inactive, and the last evaluation had data."""
    return state.phase is Phase.INACTIVE and state.health is Health.OK


def is_forgettable(state: State, policy: Policy) -> bool:
    """Whether ``INITIAL`` does as well from now on; keys that come and go would else be kept for ever.

    A key without data that is inactive comes back or does not. Where no data is an alert, that a key was seen matters,
    until it is gone for good.
    """
    if state.phase is not Phase.INACTIVE or state.health is Health.ERROR:
        return False
    return state.health is Health.NO_DATA or policy.no_data != "alert"


def is_quiet(sample: Sample) -> bool:
    """Whether a sample leaves a state at rest: there is data, and the condition does not hold."""
    return sample.level is None and sample.value is not None and not sample.error


def advance(state: State, sample: Sample, policy: Policy, now_ns: int) -> Step:
    """The state after one more sample, and what changed; several transitions are in their order.

    ``now_ns`` is what the clock says, and only tells a late sample from a clock that was set back.
    """
    if sample.time_ns <= state.evaluated_ns:
        if state.evaluated_ns - now_ns <= CLOCK_SET_BACK_NS:
            return state, ()
        state = _set_back(state, sample.time_ns)
    if is_at_rest(state) and is_quiet(sample):
        return State(evaluated_ns=sample.time_ns, value=sample.value), ()
    if sample.error:
        return _failed(state, sample)
    if sample.level is state.severity is not None and state.phase is Phase.FIRING and state.health is Health.OK:
        return _unchanged(state, sample), ()
    if sample.value is None and sample.level is None:
        return _without_data(state, sample, policy)
    health = () if state.health is Health.OK else (_transition(_AGAIN[state.health], sample, state.severity),)
    known = replace(state, health=Health.OK, no_data_ns=0, error="", value=sample.value)
    return _then(health, _judged(known, sample, policy))


def _unchanged(state: State, sample: Sample) -> State:
    """Still firing at the same level: ten times as quick as the long way, and what most firing keys do."""
    return State(
        phase=Phase.FIRING,
        severity=state.severity,
        pending_ns=state.pending_ns,
        fired_ns=state.fired_ns,
        held_ns=sample.time_ns,
        evaluated_ns=sample.time_ns,
        value=sample.value,
    )


_AGAIN = {Health.NO_DATA: Kind.DATA_AGAIN, Health.ERROR: Kind.WORKS_AGAIN}


def _failed(state: State, sample: Sample) -> Step:
    after = replace(_waiting(state, sample), health=Health.ERROR, error=sample.error)
    if state.health is Health.ERROR:
        return after, ()
    return after, (_transition(Kind.FAILED, sample, state.severity, sample.error),)


def _without_data(state: State, sample: Sample, policy: Policy) -> Step:
    told: tuple[Transition, ...] = ()
    if state.health is Health.ERROR:
        told += (_transition(Kind.WORKS_AGAIN, sample, state.severity),)
    if state.health is not Health.NO_DATA:
        told += (_transition(Kind.NO_DATA, sample, state.severity),)
    since_ns = state.no_data_ns or sample.time_ns
    after = replace(state, health=Health.NO_DATA, no_data_ns=since_ns, error="", value=None)
    lasted = f"no data for {format_duration(sample.time_ns - since_ns)}"
    if policy.no_data == "alert":
        if sample.time_ns - since_ns >= policy.gone_ns:
            return _then(told, _over(after, sample, lasted))
        severity = policy.no_data_severity or state.severity or Severity.WARNING
        level = severity if state.severity is None or severity.rank > state.severity.rank else state.severity
        return _then(told, _judged(after, replace(sample, level=level), policy, "no data"))
    if policy.no_data == "ok":
        return _then(told, _judged(after, replace(sample, level=None, recovered=True), policy, "no data"))
    if state.phase is not Phase.INACTIVE and sample.time_ns - since_ns >= policy.no_data_ns:
        return _then(told, _over(after, sample, lasted))
    return _waiting(after, sample), told


def _judged(state: State, sample: Sample, policy: Policy, reason: str = "") -> Step:
    """What a sample that can tell does to the phase."""
    if sample.level is not None:
        if state.phase in _ACTIVE:
            return _held(replace(state, phase=Phase.FIRING, keeping_ns=0), sample)
        return _begun(state, sample, sample.level, policy, reason)
    if state.phase is Phase.FIRING and not sample.recovered:
        return _held(state, sample)
    if state.phase in _ACTIVE:
        since_ns = state.keeping_ns or sample.time_ns
        if sample.time_ns - since_ns < policy.keep_firing_for_ns:
            keeping = replace(state, phase=Phase.KEEP_FIRING, keeping_ns=since_ns, evaluated_ns=sample.time_ns)
            return keeping, ()
    return _over(state, sample, reason)


def _begun(state: State, sample: Sample, level: Severity, policy: Policy, reason: str) -> Step:
    """Pending, or firing if it was so for long enough."""
    is_gap = 0 < policy.max_gap_ns < sample.time_ns - state.evaluated_ns
    was_pending = state.phase is Phase.PENDING
    since_ns = state.pending_ns if was_pending and not is_gap else sample.time_ns
    fires = sample.time_ns - since_ns >= policy.for_ns
    after = replace(
        state,
        phase=Phase.FIRING if fires else Phase.PENDING,
        severity=level,
        pending_ns=since_ns,
        fired_ns=sample.time_ns if fires else 0,
        held_ns=sample.time_ns,
        evaluated_ns=sample.time_ns,
    )
    if was_pending and not fires:
        return after, ()
    return after, (_transition(Kind.FIRED if fires else Kind.PENDING, sample, level, reason),)


def _held(state: State, sample: Sample) -> Step:
    """Still firing, perhaps at another level: lower only than those that the value has recovered from."""
    before, crossed, holding = map(_rank, (state.severity, sample.level, sample.holding))
    rank = max(crossed, min(before, holding)) or before
    severity = SEVERITIES[rank - 1] if rank else None
    after = replace(state, severity=severity, held_ns=sample.time_ns, evaluated_ns=sample.time_ns)
    if rank == before:
        return after, ()
    return after, (_transition(Kind.RAISED if rank > before else Kind.LOWERED, sample, severity),)


def _rank(severity: Severity | None) -> int:
    return 0 if severity is None else severity.rank


def _over(state: State, sample: Sample, reason: str) -> Step:
    """Inactive: what was pending is cancelled, what fired is resolved."""
    after = State(health=state.health, no_data_ns=state.no_data_ns, evaluated_ns=sample.time_ns, value=state.value)
    if state.phase is Phase.INACTIVE:
        return after, ()
    kind = Kind.CANCELLED if state.phase is Phase.PENDING else Kind.RESOLVED
    return after, (_transition(kind, sample, state.severity, reason),)


def _waiting(state: State, sample: Sample) -> State:
    """The same phase at a later time, which does not count towards ``for``."""
    passed_ns = sample.time_ns - state.evaluated_ns
    pending_ns = state.pending_ns + passed_ns if state.phase is Phase.PENDING else state.pending_ns
    return replace(state, pending_ns=pending_ns, evaluated_ns=sample.time_ns)


def _set_back(state: State, time_ns: int) -> State:
    """The state as if all of it had been that much earlier, so that ``time_ns`` is new to it."""
    earlier_ns = state.evaluated_ns - time_ns + 1
    times = ("pending_ns", "fired_ns", "held_ns", "no_data_ns", "keeping_ns", "evaluated_ns")
    return replace(state, **{name: max(getattr(state, name) - earlier_ns, 0) for name in times})


def _then(told: tuple[Transition, ...], step: Step) -> Step:
    state, more = step
    return state, (*told, *more)


def _transition(kind: Kind, sample: Sample, severity: Severity | None, reason: str = "") -> Transition:
    return Transition(kind, sample.time_ns, severity, sample.value, reason)
