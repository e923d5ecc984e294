"""Backtests and live evaluation: the same transitions over the same series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rule_series import evaluator, made, rule

from spanglass_core.alerting.machine import is_at_rest, policy_of
from spanglass_core.alerting.severity import Severity
from spanglass_core.alerting.states import Transition
from spanglass_server.alerting.backtest import walking
from spanglass_server.alerting.backtest.ticks import Ticks
from spanglass_server.alerting.backtest.walking import Task, walk
from spanglass_server.alerting.running.keys import Limits, feed
from spanglass_server.alerting.running.reading import Piece
from spanglass_server.promql.series.vectors import Steps

if TYPE_CHECKING:
    import pytest
    from numpy.typing import NDArray

STEP_MS, TICKS = 15_000, 200
SECOND_NS = 10**9
NO_SESSION: Any = None
RULES = (
    rule("depth > 50", uid="plain"),
    rule("depth > 50", uid="for", for_ns=60 * SECOND_NS, keep_firing_for_ns=45 * SECOND_NS),
    rule("depth > 40", uid="levels", error=60, critical=80, hysteresis=0.1, for_ns=30 * SECOND_NS),
    rule("depth < 30 and sum(depth) > 60", uid="low", recovery=45, severity=Severity.CRITICAL),
    rule("depth > 70", uid="alert", no_data="alert", for_ns=30 * SECOND_NS),
    rule("depth > 70", uid="ok", no_data="ok"),
    rule("max(depth) over 1m > 65 or depth < 10", uid="or"),
    rule("absent(depth) over 2m", uid="absent"),
)


def depths(seed: int) -> dict[str, str]:
    """Queues whose depth walks to and fro, with gaps; the last one ends early."""
    random = np.random.default_rng(seed)
    series = {}
    for queue in "abc":
        walks = np.clip(50 + np.cumsum(random.normal(0, 9, TICKS)), 0, 100).round(1)
        texts = [f"{value}" for value in walks]
        for start in random.integers(0, TICKS, 3):
            texts[start : start + random.integers(5, 40)] = ["_"] * len(texts[start : start + 20])
        series[f'depth{{queue="{queue}"}}'] = " ".join(texts[: 60 if queue == "c" else TICKS])
    return series


def came_in(_: object, steps: Steps) -> NDArray[np.bool_]:
    """Nothing came in around some of the ticks."""
    return (steps.start_ms // STEP_MS + steps.step_ms // STEP_MS * np.arange(steps.size)) % 50 < 42


def live_transitions(checked: Any, one: Any) -> dict[Any, list[Transition]]:
    """What the alerter's function says, tick by tick, its states handed on as the store would."""
    states: dict[Any, Any] = {}
    told: dict[Any, list[Transition]] = {}
    policy = policy_of(one)
    for tick in range(1, TICKS):
        steps = Steps(tick * STEP_MS, STEP_MS, 1)
        piece = Piece(steps, checked.evaluate(NO_SESSION, [one], steps)[one.uid])
        fed = feed(states, [piece], Limits(policy, 1000, tick * STEP_MS * 10**6), came_in(None, steps))
        for key, change in fed.changes.items():
            told.setdefault(key, []).extend(each for each in change.moves if isinstance(each, Transition))
            states[key] = change.after
            if is_at_rest(change.after) and policy.no_data != "alert":
                del states[key]
    return {key: moves for key, moves in told.items() if moves}


def test_a_backtest_has_the_transitions_of_live_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every transition of every key is the same, with its time, level and value, for rules of many kinds."""
    monkeypatch.setattr(walking, "piece_size", lambda _: 37)
    checked = evaluator(made(depths(3), step_ms=STEP_MS))
    kinds = set()
    for one in RULES:
        ticks = Ticks(STEP_MS * 10**6, STEP_MS * 10**6, TICKS - 1)
        task = Task(NO_SESSION, checked, one, ticks, lambda: True, came_in)
        found = walk(task, policy_of(one), lambda *_: None)
        tested = {key: each.replay.transitions for key, each in found.watched.items() if each.replay.transitions}
        live = live_transitions(checked, one)
        assert tested == live, one.uid
        kinds |= {move.kind for moves in live.values() for move in moves}
    assert {"fired", "resolved", "pending", "cancelled", "raised", "lowered", "no_data", "data_again"} <= kinds
