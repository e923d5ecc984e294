"""What the alerter watches of itself, as rules whose readings are its own figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from spanglass_core.alerting.rule import Rule
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.model import Readings
from spanglass_server.alerting.running.changes import OWN
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.alerting.model import Key
    from spanglass_server.alerting.running.texts import Told

_MINUTE_NS = 60 * NS_PER_SECOND
#: Failures in a row after which a rule that can't be evaluated is an alert.
FAILURES = 3
#: A rule that had data before, and has none for so long, is an alert.
NO_DATA_NS = 60 * _MINUTE_NS
#: The median lag of the last ticks that is too much.
LAG_S = 15.0
LAG_OVER_S = 5.0

LAG = Rule(uid=f"{OWN}lag", name="Alert rules are evaluated late", condition="", for_ns=_MINUTE_NS)
MISSED = Rule(
    uid=f"{OWN}missed", name="Alert rules were not evaluated", condition="", keep_firing_for_ns=10 * _MINUTE_NS
)
FAILING = Rule(uid=f"{OWN}failing", name="An alert rule fails", condition="")
NO_DATA = Rule(
    uid=f"{OWN}no_data", name="An alert rule has no data", condition="", severity=Severity.INFO, for_ns=NO_DATA_NS
)
SILENCE = Rule(uid=f"{OWN}silence", name="Nothing comes in", condition="", severity=Severity.CRITICAL)
WATCHES = (LAG, MISSED, FAILING, NO_DATA, SILENCE)

_TEXTS = {
    LAG.uid: "Alert rules are evaluated {value:.0f} s after they are due: the server is too busy. See /server, and "
    "rules that take long on /rules.",
    MISSED.uid: "{value:.0f} evaluations of alert rules were left out, as the server was down, or late, for longer "
    "than alerting.catch_up. What happened meanwhile raised no alerts.",
    FAILING.uid: "The rule {rule} failed {value:.0f} times in a row: {why}",
    NO_DATA.uid: "The rule {rule} has no data any more: is what it measures still sent, under the same name?",
    SILENCE.uid: "No span, log record or data point came in for {value:.0f} s. Until something does, alert rules keep "
    "the state they have.",
}


@dataclass(slots=True)
class Seen:
    """What the alerter knows of itself at one time."""

    lag_s: float = 0.0
    missed: int = 0
    evaluated: frozenset[str] = frozenset()  # uids of rules that were since the start
    failing: Mapping[str, tuple[int, str]] = field(default_factory=dict)  # by uid: failures in a row, and why
    without_data: Mapping[str, bool] = field(default_factory=dict)  # by uid: whether it had data since the start
    names: Mapping[str, str] = field(default_factory=dict)  # of rules, by uid
    silent_s: float = 0.0
    silence_s: float = 300.0  # how long is an alert


_Said = dict["Key", tuple[float, bool]]


def readings(seen: Seen, active: Mapping[str, frozenset[Key]], time_ns: int) -> dict[str, Readings]:
    """What each watch reads; ``active`` are keys that are pending or firing, by the watch's uid.

    What was known before a restart is not known after it: what still fails, is silent or has no data goes on as it was.
    """
    own: Key = ()
    failing, empty = active[FAILING.uid], active[NO_DATA.uid]
    fails: _Said = {
        _key(uid): (float(n), n >= FAILURES or _key(uid) in failing) for uid, (n, _) in seen.failing.items()
    }
    none: _Said = {_key(uid): (0.0, had or _key(uid) in empty) for uid, had in seen.without_data.items()}
    is_silent = seen.silent_s >= seen.silence_s or (own in active[SILENCE.uid] and seen.silent_s > 0)
    return {
        LAG.uid: _readings(LAG, time_ns, {own: (seen.lag_s, seen.lag_s > LAG_S)}, recovered=seen.lag_s < LAG_OVER_S),
        MISSED.uid: _readings(MISSED, time_ns, {own: (float(seen.missed), seen.missed > 0)}),
        FAILING.uid: _readings(FAILING, time_ns, _with_others(fails, failing, seen)),
        NO_DATA.uid: _readings(NO_DATA, time_ns, _with_others(none, empty, seen)),
        SILENCE.uid: _readings(SILENCE, time_ns, {own: (seen.silent_s, is_silent)}),
    }


def _key(uid: str) -> Key:
    """The key of what is watched of one rule."""
    return (("rule", uid),)


def _with_others(known: _Said, active: frozenset[Key], seen: Seen) -> _Said:
    """With keys of rules that are well again, or gone, and of those that were not evaluated since the start."""
    waiting = seen.names.keys() - seen.evaluated
    return {**{key: (0.0, key[0][1] in waiting) for key in active}, **known}


def _readings(rule: Rule, time_ns: int, said: _Said, *, recovered: bool | None = None) -> Readings:
    holds = np.array([holds for _, holds in said.values()], dtype=bool).reshape(-1, 1)
    return Readings(
        times_ns=np.array([time_ns], dtype=np.int64),
        keys=tuple(said),
        values=np.array([value for value, _ in said.values()], dtype=np.float64).reshape(-1, 1),
        levels=np.where(holds, rule.severity.rank, 0).astype(np.int8),
        recovered=~holds if recovered is None else np.full(holds.shape, recovered),
        unit="s" if rule in (LAG, SILENCE) else "",
    )


class WatchTexts:
    """Texts of alerts about the alerter."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def labels(self, told: Told) -> Mapping[str, str]:
        """The rule that it is about, if it is about one."""
        return dict(told.key)

    def title(self, told: Told) -> str:
        """What is wrong, and with which rule."""
        uid = dict(told.key).get("rule")
        return f"{told.rule.name}: {self._name(uid)}" if uid else told.rule.name

    def description(self, told: Told) -> str:
        """What is wrong, and what to do."""
        uid = dict(told.key).get("rule", "")
        _, why = self._seen.failing.get(uid, (0, told.reason))
        return _TEXTS[told.rule.uid].format(value=told.value or 0.0, rule=self._name(uid), why=why)

    def _name(self, uid: str | None) -> str:
        return self._seen.names.get(uid or "", uid or "")
