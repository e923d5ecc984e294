"""PromQL over rollups answers what it answers over points, wherever both exist."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from nodes import NOW_NS, Clock, Node
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from spanglass_server.pace import Pace
from spanglass_server.promql.engine import range_query
from spanglass_server.promql.ports import Selector
from spanglass_server.promql.series.vectors import Steps, Vector
from spanglass_server.promql.stored.choice import shares_of
from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.rollups.windows import WINDOW_NS, window_of
from spanglass_server.signals import ROLLUPS, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECOND = 10**9
START_NS = window_of(NOW_NS - 2 * WINDOW_NS).start_ns
HOURS = 14  # two windows that are over, and two hours more
STEPS = {
    "5m": Steps(START_NS // 10**6 + 3_600_000, 300_000, 150),
    "1h": Steps(START_NS // 10**6 + 7_200_000, 3_600_000, 12),
}


def body() -> bytes:
    """A gauge, a counter that is reset at times, a histogram and deltas, every 30 s, of two series each."""
    chance = random.Random(7)  # noqa: S311 - the same in each run
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    gauge = scope.metrics.add(name="g").gauge
    counter = scope.metrics.add(name="c").sum
    counter.aggregation_temporality, counter.is_monotonic = 2, True
    delta = scope.metrics.add(name="d").sum
    delta.aggregation_temporality, delta.is_monotonic = 1, True
    histogram = scope.metrics.add(name="h").histogram
    histogram.aggregation_temporality = 2
    for series in "ab":
        total, buckets = 0, [0, 0, 0]
        for place in range(HOURS * 120):
            time_ns = START_NS + (place * 30 + 7) * SECOND + chance.randrange(10**6)
            total = 0 if chance.random() < 0.004 else total + chance.randrange(9)
            buckets = [0, 0, 0] if chance.random() < 0.004 else [each + chance.randrange(4) for each in buckets]
            facts: dict[str, Any] = {"time_unix_nano": time_ns, "start_time_unix_nano": START_NS}
            points = [
                gauge.data_points.add(as_double=chance.gauss(0, 9), **facts),
                counter.data_points.add(as_int=total, **facts),
                delta.data_points.add(
                    as_int=chance.randrange(5), time_unix_nano=time_ns, start_time_unix_nano=time_ns - 29 * SECOND
                ),
                histogram.data_points.add(
                    bucket_counts=buckets, explicit_bounds=[1, 5], count=sum(buckets), sum=2.0 * sum(buckets), **facts
                ),
            ]
            for point in points:
                point.attributes.add(key="series").value.string_value = series
    return request.SerializeToString()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Open a node whose points are stored and not rolled up yet."""
    path: Path = tmp_path_factory.mktemp("rollups")
    opened = Node(path, Clock(), {}, {})
    opened.submit(body(), signal=Signal.METRICS)
    opened.real._pending.settle()
    yield opened
    opened.real.close()


@pytest.fixture(scope="module")
def answers(node: Node) -> dict[tuple[str, str], tuple[Vector, Vector]]:
    """Ask everything of points, and again once they are rolled up."""
    before = {(text, step): _ask(node, text, STEPS[step]) for text, step in QUESTIONS}
    node.real._rollups.pace = Pace(lambda: 0.0, lambda: 0.0)  # as if it had rested
    node.real._rollups.run(lambda: False)
    return {key: (points, _ask(node, key[0], STEPS[key[1]])) for key, points in before.items()}


def _ask(node: Node, text: str, steps: Steps) -> Vector:
    answer = node.real.engine.run_here(lambda session: range_query(StoredSeries(session), text, steps))
    assert isinstance(answer.value, Vector)
    return answer.value


EXPRESSIONS = [
    "g",
    "sum(g)",
    "min_over_time(g[1h])",
    "max_over_time(g[2h])",
    "avg_over_time(g[1h])",
    "sum_over_time(g[1h])",
    "count_over_time(g[1h])",
    "last_over_time(g[1h])",
    "delta(g[1h])",
    "c_total",
    "rate(c_total[1h])",
    "increase(c_total[1h] offset 1h)",
    "resets(c_total[1h])",
    "sum by (le) (rate(h_bucket[1h]))",
    "histogram_quantile(0.9, sum by (le) (rate(h_bucket[1h])))",
    "rate(h_sum[1h]) / rate(h_count[1h])",
    "avg_over_time(h_count[1h])",
    "max_over_time(rate(c_total[1h])[4h:1h])",
    "quantile_over_time(0.5, g[1h])",
    "changes(g[1h])",
]
QUESTIONS = [(text, step) for text in EXPRESSIONS for step in STEPS]


@pytest.mark.parametrize(("text", "step"), QUESTIONS)
def test_answers_over_rollups_are_those_over_points(answers, text, step):
    """To the last digits, over windows that are rolled up, over those that are not, and where both meet."""
    points, rollups = answers[text, step]
    assert points.labels.rows() == rollups.labels.rows()
    assert points.present.any()
    np.testing.assert_array_equal(points.present, rollups.present)
    np.testing.assert_allclose(points.values[points.present], rollups.values[rollups.present], rtol=1e-12, atol=1e-12)


def test_deltas_count_the_same_over_whole_steps(node, answers):
    """What was counted in each hour; where between its ends it is counted differs by the length of a step."""
    del answers

    def ask(grid_ms: int) -> Any:
        selector = Selector((), START_NS // 10**6, START_NS // 10**6 + 12 * 3_600_000, grid_ms=grid_ms)
        return node.real.engine.run_here(lambda session: StoredSeries(session).select(selector))

    def last(samples: Any) -> dict[str, float]:
        ends = zip(samples.labels.rows(), samples.offsets[1:] - 1, strict=True)
        return {row["series"]: samples.value[end] for row, end in ends if row["__name__"] == "d_total"}

    assert last(ask(3_600_000)) == last(ask(0))


def test_rollups_are_what_is_read(node, answers):
    """At steps of an hour few of the many points, and only those of the last two hours themselves."""
    del answers
    selector = Selector((), START_NS // 10**6, NOW_NS // 10**6, grid_ms=3_600_000)

    def read(session: Any) -> list[Signal]:
        return [share.part.signal for share in shares_of(session, selector)]

    assert node.real.engine.run_here(read) == [Signal.ROLLUPS_1H, Signal.ROLLUPS_1H, Signal.METRICS]
    rows = {signal: sum(s.rows for s in node.real.store.contents.snapshot.segments[signal]) for signal in ROLLUPS}
    assert rows[Signal.ROLLUPS_1H] < rows[Signal.ROLLUPS_5M] / 6 < HOURS * 120 * 8 / 10
