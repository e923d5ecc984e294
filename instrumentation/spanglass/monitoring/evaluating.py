"""Rules over figures: one state for each rule and set of labels, advanced by every check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanglass_core.alerting.conditions.nodes import Absent, walk
from spanglass_core.alerting.machine import advance, is_at_rest, policy_of
from spanglass_core.alerting.states import INITIAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spanglass.monitoring.rules import AlertRule
    from spanglass_core.alerting.compare import Comparer
    from spanglass_core.alerting.states import Policy, State, Transition

__all__ = ["Evaluated", "Key", "RuleStates"]

Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What one check says of one rule; ``compares`` if its value is a figure, and not 1 for true."""

    rule: AlertRule
    key: Key
    state: State
    transitions: tuple[Transition, ...]
    compares: bool


@dataclass(slots=True)
class _Kept:
    rule: AlertRule
    comparer: Comparer
    policy: Policy
    is_about_absence: bool
    states: dict[Key, State] = field(default_factory=dict)


class RuleStates:
    """The rules of a manager by name, with their states."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def put(self, rule: AlertRule, prepared: Comparer) -> None:
        """Add a rule, or replace the one of its name; its states begin anew."""
        absence = any(isinstance(node, Absent) for node in walk(prepared.condition))
        # applications check when they like: however long ago the last check was, it was the last one
        self._kept[rule.name] = _Kept(rule, prepared, policy_of(prepared.rule, 0), absence)

    def remove(self, name: str) -> None:
        """Forget a rule; nothing happens if there is none of this name."""
        self._kept.pop(name, None)

    def rules(self) -> dict[str, AlertRule]:
        """The rules by name."""
        return {name: kept.rule for name, kept in self._kept.items()}

    def renew(self) -> None:
        """Begin all states anew."""
        for kept in self._kept.values():
            kept.states.clear()

    def evaluate(
        self, numbers: Mapping[str, float | None], labels: Mapping[str, str], time_ns: int, now_ns: int
    ) -> Iterator[Evaluated]:
        """Check each enabled rule that is about one of these numbers, or about the absence of any."""
        key: Key = tuple(sorted(labels.items()))
        for kept in self._kept.values():
            if not kept.rule.enabled or not (kept.is_about_absence or kept.comparer.is_about(numbers)):
                continue
            sample = kept.comparer.sample(numbers, time_ns, labels)
            state, transitions = advance(kept.states.get(key, INITIAL), sample, kept.policy, now_ns)
            if is_at_rest(state):
                kept.states.pop(key, None)
            else:
                kept.states[key] = state
            yield Evaluated(kept.rule, key, state, transitions, kept.comparer.main is not None)
