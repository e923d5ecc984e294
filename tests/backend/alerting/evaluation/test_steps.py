"""What a rule says at a step depends on what is stored up to it, and on nothing else that is asked for."""

from __future__ import annotations

import numpy as np
from rule_series import MadeSeries, evaluator, rule

from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.baselines.baselines import Baselines
from spanglass_server.alerting.evaluation.evaluator import RuleEvaluator
from spanglass_server.alerting.model import Readings
from spanglass_server.promql.engine import Options
from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.promql.stored.discovery.kinds import MetricKind
from spanglass_server.promql.stored.source import StoredSeries

STEP_MS, STEPS = 15_000, 32
START_MS = 1_800_000_000_000 // STEP_MS * STEP_MS
CONDITIONS = [
    "error_rate > 5%",
    "p95(response_time) by (span_name) > 300ms",
    "request_rate < 1 and not error_rate > 10%",
    "error_rate > 2 * error_rate offset 3m",
    "response_time > 1.1 * baseline or request_rate > baseline + 3 * spread",
    "depth > 50",
    "max(depth) by (queue) over 2m > 60 and cpu_usage > 10%",
    "rate(jobs_total) by (queue) > 1",
    "cpu_usage over 3m > 45%",
    "absent(depth) over 2m",
    "absent(request_rate) over 3m",
    "absent(cpu_usage) over 2m",
    'promql("max_over_time(sum by (queue) (rate(jobs_total[1m]))[5m:30s])") > 1',
    'present(promql("depth > 80"))',
    "sum(depth) by (queue) / sum(depth) > 40%",
]
RULES = [rule(text, uid=text, severity=Severity.WARNING) for text in CONDITIONS] + [
    rule("error_rate > 5%", uid="levels", error=0.1, critical=0.2),
    rule("depth > 50", uid="few samples", min_samples=8),
]


def random_series(seed: int) -> MadeSeries:
    """Counters with resets and gauges with gaps and ends, sampled irregularly, from an hour before the first step."""
    random = np.random.default_rng(seed)
    rows, times, values = [], [], []

    def add(labels, *, is_counter, largest):
        size = int(random.integers(200, 300))
        time_ms = START_MS - 3_600_000 + np.sort(random.choice(4_200_000, size, replace=False))
        gap = random.integers(0, size)
        kept = np.ones(size, bool)
        kept[gap : gap + 40] = False
        value = np.round(random.random(size) * largest, 3)
        if is_counter:
            value = np.cumsum(np.round(value))
            value[size // 2 :] -= value[size // 2] if random.random() < 0.5 else 0
        rows.append(labels)
        times.append(time_ms[kept])
        values.append(value[kept])

    for service in "ab":
        span = {"service_name": service, "span_kind": "server", "span_name": "GET /"}
        for status in ("unset", "error"):
            add({"__name__": "spans_total", "status_code": status, **span}, is_counter=True, largest=40)
        for part in ("count", "sum"):
            add({"__name__": f"span_duration_seconds_{part}", **span}, is_counter=True, largest=40)
        for le in ("0.1", "1", "+Inf"):
            add({"__name__": "span_duration_seconds_bucket", "le": le, **span}, is_counter=True, largest=9)
        add({"__name__": "jobs_total", "queue": service}, is_counter=True, largest=90)
        add({"__name__": "system.cpu.utilization", "state": "idle", "host_name": service}, is_counter=False, largest=1)
        for shard in "12":
            add({"__name__": "depth", "queue": service, "shard": shard}, is_counter=False, largest=100)
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in times])])
    samples = Samples(LabelSets.of(rows), offsets, np.concatenate(times), np.concatenate(values))
    kinds = {"depth": MetricKind("gauge", ""), "jobs_total": MetricKind("counter", "")}
    return MadeSeries(samples, known=kinds)


def cells(found: Readings, first: int = 0) -> dict[tuple[object, ...], tuple[object, ...]]:
    """What is said of each key at each step at which it has a value."""
    assert isinstance(found, Readings), found
    places = zip(*np.nonzero(~np.isnan(found.values)), strict=True)
    return {
        (first + step, found.keys[row]): (
            found.values[row, step],
            found.levels[row, step],
            found.recovered[row, step],
            found.holding[row, step],
        )
        for row, step in places
    }


def test_many_steps_say_what_each_says_alone():
    """Many steps at once give the same readings as as many evaluations of one step, and as every fourth step."""
    checked = evaluator(random_series(1), baselines=Baselines(Options()))
    together = checked.evaluate(None, RULES, Steps(START_MS, STEP_MS, STEPS))
    coarse = checked.evaluate(None, RULES, Steps(START_MS, 4 * STEP_MS, STEPS // 4))
    alone = {uid: {} for uid in together}
    for step in range(STEPS):
        for uid, found in checked.evaluate(None, RULES, Steps(START_MS + step * STEP_MS, 0, 1)).items():
            alone[uid] |= cells(found, step)

    for uid, found in together.items():
        assert cells(found) == alone[uid], uid
        assert {(step * 4, key): said for (step, key), said in cells(coarse[uid]).items()} == {
            place: said for place, said in alone[uid].items() if place[0] % 4 == 0
        }, uid
    assert sum(any(said[1] for said in each.values()) for each in alone.values()) > len(RULES) / 2
    assert sum(not all(said[1] for said in each.values()) for each in alone.values()) > len(RULES) / 2


def test_the_given_thresholds_fire_on_stored_spans(open_tables):
    """``error_rate > 0.05``, ``avg_response_time > 1000ms`` and ``disk_usage > 90%`` fire on what is stored."""
    seconds = range(-600, 601, 20)
    spans = [
        {
            "resource.service.name:str": service,
            "name": "GET /",
            "kind": 2,
            "status_code": 2 if service == "ill" and second % 40 == 0 and second > 0 else 0,
            "start_time_ns": START_MS * 10**6 + second * 10**9,
            "duration_ns": 10**7 * (150 if service == "ill" and second > 0 else 2),
        }
        for second in seconds
        for service in ("ill", "well")
    ]
    points = [
        {
            "metric_name": "system.filesystem.utilization",
            "metric_type": "gauge",
            "metric_unit": "1",
            "time_ns": START_MS * 10**6 + second * 10**9,
            "value_double": share if second > 0 else 0.4,
            "resource.host.name:str": host,
            "point.system.filesystem.state:str": "used",
        }
        for host, share in (("full", 0.95), ("empty", 0.2))
        for second in seconds[::2]
    ]
    session = open_tables(spans=spans, metrics=points)
    rules = [
        rule("error_rate > 0.05", uid="errors", severity=Severity.CRITICAL),
        rule("avg_response_time > 1000ms", uid="time"),
        rule("disk_usage > 90%", uid="disk", severity=Severity.CRITICAL),
        rule('count(spans "service:ill status:error") over 5m > 7', uid="count"),
        rule("my.gauge > 1", uid="none"),
        rule('absent(request_rate{service="gone"}) over 4m', uid="absent"),
    ]
    checked = RuleEvaluator(StoredSeries)
    found = checked.evaluate(session, rules, Steps(START_MS - 300_000, STEP_MS, 61))
    alone = checked.evaluate(session, rules, Steps(START_MS + 600_000, 0, 1))

    def fires(uid):
        """Which keys have which level at first, and at last."""
        some = found[uid]
        names = [key[0][1] if key else "" for key in some.keys]
        return dict(zip(names, zip(some.levels[:, 0].tolist(), some.levels[:, -1].tolist(), strict=True), strict=True))

    assert fires("errors") == {"ill": (0, 4), "well": (0, 0)}
    assert fires("time") == {"ill": (0, 2), "well": (0, 0)}
    assert fires("disk") == {"full": (0, 4), "empty": (0, 0)}
    assert found["count"].values[0, [0, -1]].tolist() == [0, 8]
    assert found["none"].warnings == ("nothing is stored of a metric my.gauge",)
    # nothing was stored before ten minutes ago: only what is missing since then is known to be missing
    at_start = checked.evaluate(session, rules, Steps(START_MS - 600_000, 15_000, 25))["absent"]
    assert np.isnan(at_start.values[0]).tolist() == [True] * 16 + [False] * 9
    assert found["absent"].levels.min() == 2
    for uid, one in alone.items():
        assert cells(one, 60) == {place: said for place, said in cells(found[uid]).items() if place[0] == 60}, uid
