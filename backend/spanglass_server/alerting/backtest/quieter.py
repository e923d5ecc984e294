"""Rules that would have been quieter: tried on the values that were read, with what each would have missed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from spanglass_core.alerting.levels import eased
from spanglass_core.units import format_duration
from spanglass_server.alerting.backtest.fires import Fire, take
from spanglass_server.alerting.backtest.numbers import roundest, with_unit
from spanglass_server.alerting.backtest.replay import Replay
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from spanglass_core.alerting.rule import Rule
    from spanglass_core.alerting.states import Policy
    from spanglass_server.alerting.backtest.answers import MissedSpan, Suggestion
    from spanglass_server.alerting.backtest.courses import Course
    from spanglass_server.alerting.backtest.walking import Watched
    from spanglass_server.alerting.model import Key

_MINUTE_NS = 60 * NS_PER_SECOND
#: Durations that are tried for ``for`` and ``keep_firing_for``.
_DURATIONS_NS = tuple(minutes * _MINUTE_NS for minutes in (1, 2, 3, 5, 10, 15, 30, 60))
#: Thresholds are looked for that leave about these shares of the fires.
_SHARES = (0.5, 0.25, 0.1)
_CROSSES = {">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal}
_MOST = 3  # of a kind
#: A change is worth telling if it leaves so many of the fires at most.
_WORTH = 0.8
_MOST_MISSED = 5


@dataclass(frozen=True, slots=True)
class Tried:
    """The rule as it was tried: ``end_ns`` is that of the range, ``step_ns`` that of the ticks.

    ``threshold`` is that of the mildest level, None where another one can't be tried on the values alone.
    """

    rule: Rule
    policy: Policy
    watched: Sequence[Watched]
    end_ns: int
    step_ns: int
    unit: str
    threshold: float | None
    operator: str
    in_time: Callable[[], bool]

    @property
    def below(self) -> bool:
        """Whether small values are bad."""
        return self.operator in {"<", "<="}

    def fired(self) -> list[tuple[Key, Fire]]:
        """All fires of all keys."""
        return [(each.key, fire) for each in self.watched for fire in each.fires if fire.fired_ns]


@dataclass(frozen=True, slots=True)
class _Change:
    """One thing that is tried."""

    what: str
    value: float
    text: str
    policy: Policy
    alter: Callable[[Course], Course]


def quieter(tried: Tried) -> list[Suggestion]:
    """Changes with fewer fires, at least one, of each kind the ones that miss least first."""
    fired = tried.fired()
    if len(fired) <= 1:
        return []
    found: list[Suggestion] = []
    for kind in (_thresholds(tried), _longer(tried, "for"), _longer(tried, "keep_firing_for")):
        found += _best(kind, tried, len(fired))
    return found


def _best(changes: Iterable[_Change], tried: Tried, fires: int) -> list[Suggestion]:
    found: list[Suggestion] = []
    for change in changes:
        if len(found) == _MOST or not tried.in_time():
            break
        suggestion = _try(change, tried)
        if 0 < suggestion["fires"] <= _WORTH * fires:
            found.append(suggestion)
            fires = suggestion["fires"]
    return found


def _try(change: _Change, tried: Tried) -> Suggestion:
    left: dict[Key, list[Fire]] = {}
    for each in tried.watched:
        if any(fire.fired_ns for fire in each.fires):
            fires: list[Fire] = []
            take(fires, Replay(change.policy).feed(change.alter(each.course())))
            left[each.key] = [fire for fire in fires if fire.fired_ns]
    missed = [(key, fire) for key, fire in tried.fired() if not _still(fire, left[key], tried.end_ns)]
    sign = 1 if tried.below else -1
    missed.sort(key=lambda pair: (sign * (pair[1].peak(below=tried.below) or 0.0), pair[1].fired_ns))
    remaining = [fire for fires in left.values() for fire in fires]
    return {
        "what": change.what,  # type: ignore[typeddict-item]
        "value": change.value,
        "text": change.text,
        "fires": len(remaining),
        "firing_ns": sum(fire.firing_ns(tried.end_ns) for fire in remaining),
        "missed_count": len(missed),
        "missed": [_shown(key, fire, tried) for key, fire in missed[:_MOST_MISSED]],
    }


def _still(fire: Fire, left: Sequence[Fire], end_ns: int) -> bool:
    """Whether a fire is left, in whatever form: another one overlaps it."""
    return any(
        each.fired_ns <= fire.until(end_ns) and each.until(end_ns) >= fire.pending_ns for each in left
    )  # fmt: skip


def _shown(key: Key, fire: Fire, tried: Tried) -> MissedSpan:
    return {
        "labels": dict(key),
        "fired_time": format_time(fire.fired_ns),
        "firing_ns": fire.firing_ns(tried.end_ns),
        "peak": fire.peak(below=tried.below),
    }


def _thresholds(tried: Tried) -> Iterable[_Change]:
    """Thresholds between the strengths of the fires, the nearest first."""
    if tried.threshold is None:
        return
    sign = -1.0 if tried.below else 1.0
    strengths = sorted(
        _strength(sign * each.course().between(fire.pending_ns, fire.until(tried.end_ns)), tried)
        for each in tried.watched
        for fire in each.fires
        if fire.fired_ns
    )
    before, count = sign * tried.threshold, len(strengths)
    for share in (*_SHARES, 0.0):
        # as round a number as leaves about that share: of many fires the strengths lie close to each other
        keep = max(1, share * count)
        low, high = strengths[-max(1, round(1.15 * keep)) - 1], strengths[-max(1, round(0.85 * keep))]
        if not before < high or low == high:
            continue
        threshold = _between(sign * max(low, before), sign * high, tried.operator)
        if sign * threshold <= before:
            continue
        before = sign * threshold
        word = "below" if tried.below else "above"
        yield _Change(
            "threshold",
            threshold,
            f"{word} {with_unit(threshold, tried.unit)}",
            tried.policy,
            partial(_with_threshold, tried=tried, threshold=threshold),
        )


def _between(milder: float, worse: float, operator: str) -> float:
    """A round threshold that the worse of two values crosses and the milder one does not."""
    return roundest(worse, milder) if operator in {">=", "<="} else roundest(milder, worse)


def _strength(values: NDArray[np.float64], tried: Tried) -> float:
    """The highest threshold at which a fire would still have lasted for long enough."""
    values = values[~np.isnan(values)]
    wanted = min(tried.policy.for_ns // tried.step_ns + 1, len(values))
    if not wanted:
        return -np.inf
    lowest, width = values, 1  # the lowest value of each `width` ticks in a row
    while width < wanted:
        further = min(width, wanted - width)
        lowest, width = np.minimum(lowest[:-further], lowest[further:]), width + further
    return float(lowest.max())


def _with_threshold(course: Course, tried: Tried, threshold: float) -> Course:
    """What a key would have read with another threshold for all levels that have a milder one."""
    crosses = _CROSSES[tried.operator]
    recovery = tried.rule.recovery
    if recovery is None:
        recovery = eased(tried.operator, threshold, tried.rule.hysteresis)
    holds, keeps = crosses(course.values, threshold), crosses(course.values, recovery)
    return replace(
        course,
        levels=np.where(holds, course.levels, 0).astype(np.int8),
        recovered=course.recovered | ~keeps,
        holding=None if course.holding is None else np.where(keeps, course.holding, 0).astype(np.int8),
    )


def _longer(tried: Tried, what: str) -> Iterable[_Change]:
    """Longer times of ``for`` or ``keep_firing_for`` than the rule has, the shortest first."""
    policy = tried.policy
    now_ns = policy.for_ns if what == "for" else policy.keep_firing_for_ns
    for duration_ns in _DURATIONS_NS:
        if duration_ns <= now_ns:
            continue
        text = f"{what}: {format_duration(duration_ns)}"
        if what == "for":
            other = replace(policy, for_ns=duration_ns)
        else:
            other = replace(policy, keep_firing_for_ns=duration_ns)
        yield _Change(what, duration_ns, text, other, lambda course: course)
