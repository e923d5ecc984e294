"""What rules say: each form of a condition on made-up series, with values worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rule_series import MINUTE_MS, Counting, evaluator, made, reading, rule, told

from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.evaluation.evaluator import is_about_absence
from spanglass_server.alerting.model import Failure
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.promql.stored.discovery.kinds import MetricKind

#: A value a minute for twenty minutes. Service a: 1 request a second, a tenth fails, each takes 1.5 s; b: 1 a second.
SPANS = {
    'spans_total{service_name="a", span_kind="server", status_code="unset"}': "0+54x20",
    'spans_total{service_name="a", span_kind="server", status_code="error"}': "0+6x20",
    'spans_total{service_name="b", span_kind="server", status_code="unset"}': "0+60x20",
    'span_duration_seconds_sum{service_name="a", span_kind="server"}': "0+90x20",
    'span_duration_seconds_count{service_name="a", span_kind="server"}': "0+60x20",
}
HOSTS = {
    f'{{"system.filesystem.utilization", host_name="{host}", system_filesystem_state="used"}}': f"{share}x20"
    for host, share in (("x", 0.95), ("y", 0.5))
}
METRICS = {
    '{"process.memory.usage", service_name="a"}': "2000000000x20",
    '{"queue.delay", service_name="a", messaging_destination_name="q1"}': "1500x20",
    'depth{queue="q1", shard="1"}': "70x20",
    'depth{queue="q1", shard="2"}': "30x20",
    'depth{queue="q2", shard="1"}': "0+10x20",
    'jobs_total{queue="q1"}': "0+120x20",
    'jobs_total{queue="q2"}': "0+60x20",
    'wait_seconds_sum{queue="q1"}': "0+30x20",
    'wait_seconds_count{queue="q1"}': "0+60x20",
    'wait_seconds_bucket{queue="q1", le="0.5"}': "0+30x20",
    'wait_seconds_bucket{queue="q1", le="1"}': "0+60x20",
    'wait_seconds_bucket{queue="q1", le="+Inf"}': "0+60x20",
    "stopped": "1x5",
}
SERIES = made(
    SPANS | HOSTS | METRICS,
    {
        "process.memory.usage": MetricKind("gauge", "By"),
        "queue.delay": MetricKind("gauge", "ms"),
        "depth": MetricKind("gauge", ""),
        "jobs_total": MetricKind("counter", ""),
        "wait_seconds": MetricKind("classic", "s"),
        "stopped": MetricKind("gauge", ""),
    },
)
NONE, WARNING, CRITICAL = 0, 2, 4
LOUD = (0.1, WARNING, False)
ZERO = (0, NONE, True)
QUIET = {("q1", "1"): (70, NONE, True), ("q1", "2"): (30, NONE, True)}
GROWN = {("q1",): (100, NONE, True), ("q2",): (100, WARNING, False)}
GROWING = {("q2", "1"): (100, WARNING, False)}
#: Condition, more of the rule, and for each key: value, level, whether it has recovered.
CASES = [
    ("error_rate > 0.05", {}, {("a",): (0.1, WARNING, False), ("b",): (0.0, NONE, True)}),
    ("error_rate > 5%", {"severity": Severity.CRITICAL}, {("a",): (0.1, CRITICAL, False), ("b",): (0.0, NONE, True)}),
    ("avg_response_time > 1000ms", {}, {("a",): (1.5, WARNING, False)}),
    ("disk_usage > 90%", {}, {("x",): (0.95, WARNING, False), ("y",): (0.5, NONE, True)}),
    ('error_rate{service="a"} > 0.2', {}, {("a",): (0.1, NONE, True)}),
    ("error_rate by (all) > 4%", {}, {(): (0.05, WARNING, False)}),
    ("error_rate > 5%", {"by": ("all",)}, {(): (0.05, NONE, False)}),
    ("request_rate by (status_code) > 1", {}, {("error",): (0.1, NONE, True), ("unset",): (1.9, WARNING, False)}),
    # metrics by name: a key for each series, unless they are grouped
    ("process.memory.usage > 1GB", {}, {("a",): (2e9, WARNING, False)}),
    ('queue.delay{queue="q1"} by (queue) > 1s', {}, {("q1",): (1.5, WARNING, False)}),
    ("depth > 100", {}, QUIET | {("q2", "1"): (100, NONE, False)}),
    ("sum(depth) by (queue) >= 100", {}, {("q1",): (100, WARNING, False), ("q2",): (100, WARNING, False)}),
    ("max(depth) > 99", {}, {(): (100, WARNING, False)}),
    ("max(depth) by (queue) over 5m > 95", {}, {("q1",): (70, NONE, True), ("q2",): (100, WARNING, False)}),
    ("rate(jobs_total) by (queue) < 2/s", {}, {("q1",): (2, NONE, False), ("q2",): (1, WARNING, False)}),
    ("count(jobs_total) over 5m > 500", {}, {(): (900, WARNING, False)}),
    ("avg(wait_seconds) > 400ms", {}, {(): (0.5, WARNING, False)}),
    ("p50(wait_seconds) by (queue) > 1s", {}, {("q1",): (0.5, NONE, True)}),
    ("rate(wait_seconds) > 1", {}, {(): (1, NONE, False)}),
    ('promql("sum by (queue) (depth)") > 3', {}, {("q1",): (100, WARNING, False), ("q2",): (100, WARNING, False)}),
    ('promql("time() / 60") > 9', {}, {(): (10, WARNING, False)}),
    ('present(promql("depth > 90"))', {}, {("q2", "1"): (100, WARNING, False)}),
    # counts of records: 0 where there are none
    ('count(spans "status:error") over 5m > 10', {}, {(): (0, NONE, True)}),
    ('rate(logs "severity:error") < 1', {}, {(): (0, WARNING, False)}),
    # levels, recovery
    ("0.05 < error_rate", {"critical": 0.1}, {("a",): (0.1, WARNING, False), ("b",): (0, NONE, True)}),
    ("error_rate >= 5%", {"critical": 0.1}, {("a",): (0.1, CRITICAL, False), ("b",): (0, NONE, True)}),
    ("max(depth) > 104", {}, {(): (100, NONE, False)}),
    ("max(depth) > 106", {}, {(): (100, NONE, True)}),
    ("max(depth) > 104", {"hysteresis": 0.0}, {(): (100, NONE, True)}),
    ("max(depth) > 200", {"recovery": 90}, {(): (100, NONE, False)}),
    ("min(depth) < 20", {"recovery": 30}, {(): (30, NONE, True)}),
    ("max(depth) == 100", {}, {(): (100, WARNING, False)}),
    # and, or, not: guards of other keys
    ("request_rate > 0.5 and not error_rate > 1%", {}, {("a",): (1, NONE, True), ("b",): (1, WARNING, False)}),
    ("error_rate > 1% and disk_usage > 90%", {}, {("a",): (0.1, WARNING, False), ("b",): (0, NONE, True)}),
    ("error_rate > 1% and disk_usage > 99%", {}, {("a",): (0.1, NONE, False), ("b",): (0, NONE, True)}),
    ("error_rate > 1% and disk_usage >= 1", {"hysteresis": 0.01}, {("a",): (0.1, NONE, True), ("b",): (0, NONE, True)}),
    ("error_rate > 50% or avg_response_time > 1.4", {"min_samples": 200}, {("a",): LOUD, ("b",): ZERO}),
    ("error_rate > 1% and max(depth) by (queue) > 99", {}, {("a",): (0.1, WARNING, False), ("b",): (0, NONE, True)}),
    ("avg_response_time > 5s or request_rate >= 1", {}, {("a",): (1.5, WARNING, False), ("b",): (1, WARNING, False)}),
    ("error_rate > 1% and cpu_usage > 0", {}, {("a",): (0.1, NONE, True), ("b",): (0, NONE, True)}),
    ("error_rate > 1% and not cpu_usage > 0", {}, {("a",): (0.1, NONE, True), ("b",): (0, NONE, True)}),
    ("not (request_rate > 2)", {}, {("a",): (1, WARNING, False), ("b",): (1, WARNING, False)}),
    # arithmetic, other times
    ("request_rate * error_rate > 0.05", {}, {("a",): (0.1, WARNING, False), ("b",): (0, NONE, True)}),
    ("-request_rate / 4 < -1 / 5", {}, {("a",): (-0.25, WARNING, False), ("b",): (-0.25, WARNING, False)}),
    ("sum(depth) by (queue) > 2 * sum(depth) offset 9m by (queue)", {}, GROWN),
    ("depth > depth offset 1m", {}, {("q1", "1"): (70, NONE, False), ("q1", "2"): (30, NONE, False)} | GROWING),
    # absence: of keys that had data, and of the only key there can be
    ("absent(depth) over 5m", {}, {("q1", "1"): ZERO, ("q1", "2"): ZERO, ("q2", "1"): ZERO}),
    ("absent(stopped) over 3m", {}, {(): (1, WARNING, False)}),
    ("absent(stopped) over 8m", {}, {(): (0, NONE, True)}),
    ("absent(request_rate)", {}, {("a",): (0, NONE, True), ("b",): (0, NONE, True)}),
    ('absent(request_rate{service="z"}) over 10m', {}, {("z",): (1, WARNING, False)}),
    ('absent(promql("stopped")) over 3m', {}, {(): (1, WARNING, False)}),
    ("absent(cpu_usage)", {}, {}),
    ('absent(count(spans "name:backup")) over 1h', {}, {(): (1, WARNING, False)}),
    # few samples: not enough to fire, and no recovery either
    ("error_rate > 5%", {"min_samples": 121}, {("a",): (0.1, NONE, False), ("b",): (0, NONE, True)}),
    ("error_rate > 5%", {"min_samples": 120}, {("a",): (0.1, WARNING, False), ("b",): (0, NONE, True)}),
    ("max(depth) > 5", {"min_samples": 7}, {(): (100, NONE, False)}),
    ("max(depth) > 5", {"min_samples": 6}, {(): (100, WARNING, False)}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "more", "expected"), CASES, ids=[f"{text} {more or ''}" for text, more, _ in CASES]
)
def test_a_condition_says_what_was_worked_out(condition, more, expected):
    """Each form of a condition has the keys, values, levels and recovery worked out by hand."""
    assert told(reading(SERIES, condition, **more)) == expected


WRONG = [
    ("disk_usage > 90", {}, 14, "disk_usage is a share of 1, which 90 is not; write 90%"),
    ("disk_usage > 90%", {"critical": 95}, 0, "critical: disk_usage is a share of 1, which 95 is not; write 95%"),
    ("process.memory.usage > 1s", {}, 24, "process.memory.usage is bytes, and this number is seconds; "),
    ("active_requests > 5%", {}, 19, "active_requests is a plain number, and this number is a share of 1; "),
    ("error_rate > request_rate", {}, 1, "a share of 1 and a rate can't be subtracted; "),
    ("jobs_total > 5", {}, 1, "jobs_total is a counter, which only rises; write rate(jobs_total) for "),
    ("wait_seconds > 5", {}, 1, "wait_seconds is a histogram; write p95(wait_seconds), avg(wait_seconds), "),
    ("rate(depth) > 5", {}, 1, 'depth is no counter, so it has no rate; for its change write promql("deriv(...)")'),
    ("rate(error_rate) > 5", {}, 1, "rate(error_rate) is not possible; write promql(...) for that"),
    ("p95(avg_response_time) > 5s", {}, 1, "p95 of avg is not possible; leave one of them out"),
    ('error_rate > 1% and promql("sum(") > 1', {}, 33, "parse error: unclosed left parenthesis"),
    ('promql("depth @ 5") > 1', {}, 9, "a rule can't look at a fixed time; leave out @, or use offset"),
    ('promql("rate(x[5m] offset -1m)") > 1', {}, 14, "a rule can't look into the future; write an offset above 0"),
    ('promql("sum(depth) + end()") > 1', {}, 22, "end() has no meaning in a rule; write time() or a number"),
    ('promql("depth[5m]") > 1', {}, 9, 'invalid expression type "range vector"'),
    ('count(spans "service:a and") > 1', {}, 27, "expected a key"),
    ("error_rate >", {}, 13, "the condition ends too early"),
    ("error_rate > 5%", {"critical": 0.01}, 0, "critical at 0.01 comes before warning at 0.05: exchange them"),
    ("error_rate > 5%", {"recovery": 0.06}, 0, "recovery at 0.06 is on the bad side of the lowest threshold, 0.05"),
    ("error_rate > baseline", {"critical": 0.1}, 0, "critical: levels replace the number that a condition compares "),
    ("error_rate > baseline", {}, 14, "there are no baselines here; compare with a number"),
    ('promql("depth") > 1', {"min_samples": 5}, 0, "min_samples: what this condition compares has no samples "),
    ("sum(depth) by (queue) / sum(depth) by (shard) > 1", {}, 1, "several keys of the one side belong to several of "),
]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "more", "column", "message"), WRONG, ids=[f"{text} {more or ''}" for text, more, *_ in WRONG]
)
def test_what_is_wrong_is_told_with_its_place(condition, more, column, message):
    """A rule that can't be evaluated is a failure of its own, with column and what to do; others are evaluated."""
    bad, good = rule(condition, uid="bad", **more), rule("max(depth) > 5", uid="good")
    found = evaluator(SERIES).evaluate(None, [bad, good], Steps(10 * MINUTE_MS, 0, 1))

    assert isinstance(found["bad"], Failure)
    assert found["bad"].column == column
    assert found["bad"].message.startswith(message)
    assert told(found["good"]) == {(): (100, WARNING, False)}


def test_what_may_not_be_meant_is_warned_of():
    """A number without its unit, and a name of which nothing is stored, are told beside the readings."""
    assert reading(SERIES, "avg_response_time > 1000").warnings == (
        "1000 is taken as seconds: write a unit, such as 500ms or 2s",
    )
    assert reading(SERIES, "eror_rate > 1").warnings == (
        "nothing is stored of a metric eror_rate; did you mean error_rate?",
    )
    checked = evaluator(SERIES)
    assert checked.check(rule("eror_rate > 1")) is None
    assert checked.check(rule("error_rate > 1s")).column == 14
    assert checked.warnings(rule("response_time > 1")) == ("1 is taken as seconds: write a unit, such as 500ms or 2s",)
    assert is_about_absence(rule("error_rate > 1% and absent(cpu_usage)"))
    assert not is_about_absence(rule("error_rate > 1%"))


def test_nothing_to_count_is_no_lack_of_data():
    """Rules over what is counted say so: without a key nothing happened; rules over what is measured do not."""
    counted = ["error_rate > 5%", 'count(spans "x") by (name) > 5', "new_issue", "log_errors > 1 and disk_usage > 90%"]
    measured = ["disk_usage > 90%", "depth > 5", "absent(depth)", 'present(promql("depth"))', "depth / task_rate > 5"]

    assert [reading(SERIES, text).is_counted for text in counted + measured] == [True] * 4 + [False] * 5


def test_one_failed_request_is_no_alarm():
    """By default a share of requests needs three that failed, and a mean of requests five of them."""

    def of(failed, succeeded):
        return made(
            {
                f'spans_total{{service_name="a", span_kind="server", status_code="{status}"}}': f"0x9 {number}"
                for status, number in (("error", failed), ("unset", succeeded))
            }
            | {
                'span_duration_seconds_sum{service_name="a", span_kind="server"}': f"0x9 {9 * (failed + succeeded)}",
                'span_duration_seconds_count{service_name="a", span_kind="server"}': f"0x9 {failed + succeeded}",
            }
        )

    def level(series, condition):
        return told(reading(series, condition, window_ns=10**9 * 120))["a",][1]

    # two minutes hold one minute of growth here, and what is extrapolated to the other one
    assert [level(of(failed, 1), "error_rate > 5%") for failed in (0, 1, 2, 3)] == [NONE, NONE, NONE, WARNING]
    assert [level(of(0, number), "avg_response_time > 1s") for number in (4, 5)] == [NONE, WARNING]
    assert level(of(1, 1), "error_rate > 5% and request_rate > 0") == NONE
    assert level(of(2, 9), "response_time > 99s or error_rate > 5%") == NONE
    assert level(of(3, 9), "response_time > 99s or error_rate > 5%") == WARNING


def test_rules_that_differ_in_a_service_are_evaluated_together():
    """Rules of one shape need one evaluation for all of them, and each says what it says alone."""
    http = "http_server_request_duration_seconds_count"
    others = {  # c sends metrics only, a sends both: of a its spans count
        f'{http}{{service_name="a", http_response_status_code="500"}}': "0+99x20",
        f'{http}{{service_name="c", http_response_status_code="200"}}': "0+30x20",
        f'{http}{{service_name="c", http_response_status_code="503"}}': "0+30x20",
        '{"db.client.connection.count", service_name="a", host_name="x", db_client_connection_state="used"}': "3x20",
        '{"system.network.connections", service_name="c", host_name="x", state="ESTABLISHED"}': "7x20",
    }  # fmt: skip
    conditions = [
        *(f'error_rate{{service="{service}"}} > 1%' for service in "abcz"),
        *(f'request_rate{{service="{service}"}} by (operation) > 1' for service in "abc"),
        *(f'avg_response_time{{service="{service}"}} > 1s' for service in "abz"),
        *(f'active_connections{{service="{service}"}} by (host) > 1' for service in "abc"),
        *(f'sum(depth{{queue="{queue}"}}) > 1' for queue in ("q1", "q2")),
        *(f'request_rate{{service="{service}", status_code="unset"}} by (span_kind) > 1' for service in "ab"),
        *(f'absent(request_rate{{service="{service}"}})' for service in "az"),
        'error_rate{service="a"} by (status_code) > 1%',
        "error_rate > 1%",
    ]
    rules = [rule(text, uid=text) for text in conditions]
    steps = Steps(5 * MINUTE_MS, MINUTE_MS, 5)
    counting = Counting(replace(SERIES, samples=made(SPANS | METRICS | others).samples))
    together = evaluator(counting).evaluate(None, rules, steps)
    reads = counting.reads
    alone = {one.uid: evaluator(counting).evaluate(None, [one], steps)[one.uid] for one in rules}

    assert reads < (counting.reads - reads) / 2
    for text in conditions:
        assert together[text].keys == alone[text].keys, text
        np.testing.assert_array_equal(together[text].values, alone[text].values)
        np.testing.assert_array_equal(together[text].levels, alone[text].levels)
    assert [together[f'error_rate{{service="{service}"}} > 1%'].values[:, -1].tolist() for service in "abcz"] == [
        [0.1],
        [0.0],
        [0.5],
        [],
    ]
    assert [together[f'active_connections{{service="{service}"}} by (host) > 1'].values.size for service in "abc"] == [
        5,
        0,
        5,
    ]


@pytest.mark.parametrize(
    ("condition", "more"), [("error_rate > 99%", 0), ("error_rate > 5%", 1), ("error_rate < 99%", 1)]
)
def test_samples_are_counted_only_where_a_comparison_holds(condition, more):
    """A healthy rule reads nothing to tell whether there are enough of them."""
    counting = Counting(SERIES)
    evaluator(counting).evaluate(None, [rule(condition, min_samples=1)], Steps(10 * MINUTE_MS, 0, 1))
    guarded, counting.reads = counting.reads, 0
    evaluator(counting).evaluate(None, [rule("error_rate > 99%")], Steps(10 * MINUTE_MS, 0, 1))
    assert (guarded > counting.reads) == more


@pytest.mark.parametrize(
    ("condition", "more"),
    [
        ("error_rate > 5% and request_rate > 100", 0),
        ("error_rate > 99% or error_rate > 5% and request_rate > 100", 0),
        ("error_rate > 5% and request_rate > 0.5", 1),
        ("error_rate > 99% or error_rate > 5% and request_rate > 0.5", 1),
        ("error_rate > 5% and not request_rate > 100", 1),
    ],
)
def test_samples_are_counted_only_where_the_whole_condition_may_hold(condition, more):
    """A comparison that holds asks for no samples while another keeps the rule from firing."""
    steps = Steps(10 * MINUTE_MS, 0, 1)
    counting = Counting(SERIES)
    said = evaluator(counting).evaluate(None, [rule(condition, min_samples=1)], steps)["rule"]
    counted, counting.reads = counting.reads, 0
    without = evaluator(counting).evaluate(None, [rule("error_rate > 99% and request_rate > 100")], steps)["rule"]
    assert (counted > counting.reads) == more
    assert said.keys == without.keys
    np.testing.assert_array_equal(said.values, without.values)
    assert said.levels.any() == more


def test_few_samples_keep_a_whole_condition_from_holding():
    """Where all comparisons hold, samples decide: 120 requests in two minutes."""
    condition = "error_rate > 5% and request_rate > 0.5"
    steps = Steps(10 * MINUTE_MS, 0, 1)
    levels = [
        evaluator(SERIES).evaluate(None, [rule(condition, min_samples=least)], steps)["rule"].levels.max()
        for least in (100, 1000)
    ]
    assert levels == [WARNING, NONE]
