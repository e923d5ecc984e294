"""Bounds of operations: twice of what they are, or what objectives and rules say; and which of them are told of."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from spanglass_core.alerting.rule import Rule
from spanglass_server.trends.board import Board, Wanted
from spanglass_server.trends.found import find
from spanglass_server.trends.history import WEEKS, History
from spanglass_server.trends.quantities import BY_NAME
from spanglass_server.trends.shaping import capacity_list, trend_list
from spanglass_server.trends.thresholds import Threshold, thresholds_of

LAST = 472_200
DAYS = np.arange(672) / 24


def objective(spans: str, **more: object) -> SimpleNamespace:
    """An objective of the service ``shop``."""
    return SimpleNamespace(
        **{"name": "quick", "enabled": True, "spans": spans, "latency_ns": 3 * 10**8, "of_service": "shop", **more}
    )


def rule(condition: str, **more: object) -> Rule:
    """A rule with a condition."""
    return Rule(uid="r", name="slow", condition=condition, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("objectives", "rules", "told"),
    [
        ([objective("service:shop")], [], [("", 0.3)]),
        ([objective('service:shop and name = "GET /a" and kind = server')], [], [("GET /a", 0.3)]),
        ([objective("service:shop and http.route = /a")], [], []),
        ([objective('service:shop and not name = "GET /a"')], [], []),
        ([objective("service:shop", latency_ns=0), objective("service:shop", enabled=False)], [], []),
        ([], [rule("p95(response_time) > 2s"), rule("p95(response_time{service=")], []),
        ([], [rule('p95(response_time{service="shop", operation="a\\"b"}) > 500ms or up < 1')], [('a"b', 0.5)]),
        ([], [rule('p95(response_time{service="shop", host="h"}) > 1s')], []),
        ([], [rule('p99(response_time{service="shop"}) > 1s')], []),
        (
            [objective("service:shop")],
            [rule('p95(response_time{service="shop"}) > 100ms'), rule('p95(response_time{service="shop"}) < 1s')],
            [("", 0.3), ("", 0.1)],
        ),
    ],
)  # fmt: skip
def test_thresholds(objectives: list[SimpleNamespace], rules: list[Rule], told: list[tuple[str, float]]) -> None:
    """Those that are of a service or an operation as a whole, objectives first; nothing of others."""
    assert [(one.operation, one.value) for one in thresholds_of(objectives, rules)] == told


def put(board: Board, name: str, series: dict[str, np.ndarray], thresholds: tuple[Threshold, ...] = ()) -> None:
    """Put series of operations of ``shop`` onto a board."""
    history, random = History(WEEKS, LAST), np.random.default_rng(5)
    labels = [(("service_name", "shop"), ("span_name", each)) for each in series]
    history.put(LAST - 671, labels, np.array([each * (1 + random.normal(0, 0.004, 672)) for each in series.values()]))
    board.put(find(BY_NAME[name], history, thresholds))


def test_operations_with_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that rise are told of with when they meet their bound, the most used; steady and daily ones are not."""
    board, day = Board(), 2 + np.sin(2 * np.pi * DAYS)
    put(
        board, "requests", {"grows": 1 + 0.12 * DAYS, "steady": np.full(672, 5.0), "daily": day, "less": 9 - 0.2 * DAYS}
    )
    thresholds = Threshold("shop", "steady", 0.12, "objective quick"), Threshold("other", "", 0.01, "rule")
    put(board, "duration", {"steady": 0.05 + 0.002 * DAYS, "grows": np.full(672, 0.1)}, thresholds)
    told = capacity_list(board, board.capacity(Wanted("all")), 10)["capacity"]
    assert [(one["quantity"], one["labels"]["span_name"], one["bound_of"]) for one in told] == [
        ("duration", "steady", "objective quick"),
        ("requests", "grows", "twice of now"),
    ]
    assert told[0]["bound"] == 0.12
    assert told[0]["met"] is not None
    assert str(told[0]["met"]["expected_time"])[:10] == "2023-11-21"  # 0.106 now, 0.002 a day: after a week
    assert told[1]["bound"] == pytest.approx(2 * 4.35, rel=0.02)
    assert all(one["bound"] is None for one in trend_list(board, board.trends(Wanted("all")), 9)["trends"])
    monkeypatch.setattr("spanglass_server.trends.board.MOST_OPERATIONS", 1)
    assert [one.found.quantity.name for one in board.capacity(Wanted("all"))] == [
        "duration"
    ]  # of "steady", the most used
