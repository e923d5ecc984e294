"""What holds for unit tests of rules: they say what promtool says, and what the server would do."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from spanglass_server.alerting.rules.testing.running import run_tests

RULES = r"""
groups:
  - name: shop
    rules:
      - record: job:errors:rate5m
        expr: sum by (job) (rate(errors_total[5m]))
        labels: {team: shop}
      - alert: ManyErrors
        expr: job:errors:rate5m > 0.5
        for: 2m
        labels: {severity: page, how_many: '{{ if gt $value 5.0 }}lots{{ else }}some{{ end }}'}
        annotations:
          summary: "{{ $labels.job }} has {{ $value | humanize }} errors a second"
          up: '{{ range query "up" | sortByLabel "job" }}{{ .Labels.job }}={{ .Value }} {{ end }}'
          number: '{{ $value }} {{ printf "%.3f" $value }} {{ humanizePercentage $value }} {{ humanizeDuration 65.0 }}'
          words: '{{ reReplaceAll "(.)x" "$1-" "axbx" }} {{ title "a b" }} {{ stripPort "h:80" }} {{ 1234567.5 }}'
      - alert: Down
        expr: up == 0
      - alert: Third
        expr: (gauge + 1) / 3
        annotations: {value: "{{ $value }}"}
      - alert: Early
        expr: gauge >= 0
        for: 1m
      - alert: Flaps
        expr: gauge > 10
        for: 1m
        keep_firing_for: 3m
        annotations: {value: "{{ $value }}"}
      - record: gone:count
        expr: count by (job) (gauge > 10)
      - record: steps:sum
        expr: steps:sum + 1 or vector(0)
"""
SERIES = """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'errors_total{job="a"}', values: 0+60x20}
      - {series: 'errors_total{job="b"}', values: 0+6x20}
      - {series: 'up{job="a", instance="x"}', values: 1x5 0x3 1x10}
      - {series: 'up{job="b"}', values: 1x5 _x4 stale}
      - {series: 'gauge{job="g"}', values: 0x4 20x3 5x2 30 5x9}
"""
DOWN = "{eval_time: %s, alertname: Down, exp_alerts: [{exp_labels: {job: a, instance: x}}]}"
MANY = """- eval_time: %s
        alertname: ManyErrors
        exp_alerts:
          - exp_labels: {job: a, team: shop, severity: page, how_many: some}
            exp_annotations:
              summary: a has 1 errors a second
              up: "%s"
              number: 1 1.000 100%% 1m 5s
              words: a-b- A B h 1.2345675e+06"""
#: What is asked of the series, and whether it is so; promtool says the same.
ASKED = {
    f"alert_rule_test: [{DOWN % '6m'}]": True,
    f"alert_rule_test: [{DOWN % '6m59s'}]": True,
    f"alert_rule_test: [{DOWN % '5m'}]": False,
    f"alert_rule_test: [{DOWN % '10m'}]": False,
    "alert_rule_test: [{eval_time: 10m, alertname: Down}]": True,
    "alert_rule_test: [{eval_time: 7m, alertname: Down}]": False,
    f"alert_rule_test:\n      {MANY % ('5m', 'a=1 b=1 ')}": True,
    f"alert_rule_test:\n      {MANY % ('10m', 'a=1 ')}": True,
    f"alert_rule_test:\n      {MANY % ('10m', 'a=0 ')}": False,
    "alert_rule_test: [{eval_time: 2m, alertname: ManyErrors}]": True,
    "alert_rule_test: [{eval_time: 5m, alertname: Flaps}]": True,
    "alert_rule_test: [{alertname: Third, exp_alerts: "
    "[{exp_labels: {job: g}, exp_annotations: {value: '0.3333333333333333'}}]}]": True,
    "alert_rule_test: [{eval_time: 0, alertname: Early}, "
    "{eval_time: 1m, alertname: Early, exp_alerts: [{exp_labels: {job: g}}]}]": True,
    **{
        f"alert_rule_test: [{{eval_time: {minute}m, alertname: Flaps, "
        f"exp_alerts: [{{exp_labels: {{job: g}}, exp_annotations: {{value: '{value}'}}}}]}}]": True
        for minute, value in ((6, 20), (9, 20), (11, 20), (12, 30), (15, 30))
    },
    "alert_rule_test: [{eval_time: 16m, alertname: Flaps}]": True,
    "promql_expr_test: [{expr: 'job:errors:rate5m > 0.5', eval_time: 10m, exp_samples: "
    '[{labels: \'job:errors:rate5m{job="a", team="shop"}\', value: 1}]}]': True,
    "promql_expr_test: [{expr: 'job:errors:rate5m', eval_time: 10m, exp_samples: "
    '[{labels: \'job:errors:rate5m{job="a", team="shop"}\', value: 1}]}]': False,
    "promql_expr_test: [{expr: 'gone:count', eval_time: 8m, exp_samples: "
    "[{labels: 'gone:count{job=\"g\"}', value: 1}]}, {expr: 'gone:count', eval_time: 9m}]": True,
    "promql_expr_test: [{expr: 'steps:sum', eval_time: 9m, exp_samples: [{labels: 'steps:sum', value: 9}]}]": True,
    "promql_expr_test: [{expr: 'scalar(gauge)', eval_time: 1m, exp_samples: [{labels: '{}', value: 0}]}]": True,
    "promql_expr_test: [{expr: 'absent(nothing)', eval_time: 1m, exp_samples: [{labels: '{}', value: 0x2}]}]": False,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The rules, and a file of tests for each question."""
    path = tmp_path_factory.mktemp("rules")
    (path / "rules.yml").write_text(RULES)
    for place, asked in enumerate(ASKED):
        (path / f"{place:02}.yml").write_text(f"{SERIES}    {asked}\n")
    return path


@pytest.mark.parametrize("place", range(len(ASKED)), ids=lambda place: f"{place:02}")
def test_what_is_so_passes(folder, place):
    """Tests pass where their expectations are met, and say what differs where they are not."""
    result = run_tests(folder / f"{place:02}.yml")

    assert result.problems == ()
    assert [bool(each.failure) for each in result.checked][-1:] == [not list(ASKED.values())[place]]
    assert result.passed is list(ASKED.values())[place], result.checked


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool (Debian: apt install prometheus)")
def test_promtool_says_the_same(folder):
    """Prometheus' own tool agrees about every one of these tests."""
    files = [str(folder / f"{place:02}.yml") for place in range(len(ASKED))]
    command = ["promtool", "test", "rules", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    said = [part.partition("\n") for part in done.stdout.split("Unit Testing:")[1:]]
    assert {file.strip(): "SUCCESS" in rest for file, _, rest in said} == dict(
        zip(files, ASKED.values(), strict=True)
    ), done.stderr


OWN = """
alert_rules:
  - name: Requests fail
    condition: error_rate > 5%
    severity: error
    critical: 50%
    for: 1m
    title: "{{ $labels.service_name }} fails"
    description: "{{ $value | humanizePercentage }} of requests"
  - name: Queue is long
    condition: queue.depth > 100
    labels: {team: shop}
evaluation_interval: 30s
tests:
  - name: one in ten fails
    input_series:
      - {series: 'spans_total{service_name="a", span_kind="server", status_code="unset"}', values: 0+54x10}
      - {series: 'spans_total{service_name="a", span_kind="server", status_code="error"}', values: 0+6x10 60+54x10}
      - {series: '{"queue.depth", queue="q"}', values: 50x5 150x20}
    metrics:
      - {name: queue.depth, type: gauge, unit: "{message}"}
    alert_rule_test:
      - eval_time: 5m
        alertname: Requests fail
        exp_alerts:
          - exp_labels: {service_name: a}
            exp_severity: error
            exp_title: a fails
            exp_description: 10% of requests
            exp_value: 0.1
      - {eval_time: 6m, alertname: Queue is long, exp_alerts: [{exp_labels: {queue: q, team: shop}, exp_value: 150}]}
      - {eval_time: 5m, alertname: Queue is long}
      - {eval_time: 6m, alertname: Queue is long, exp_alerts: [{exp_labels: {queue: q}, exp_value: 1}]}
      - {eval_time: 6m, alertname: Queue is short}
"""


DIFFERENCE = """other alerts fire:
  expected: {alertname="Queue is long", queue="q"} value 1.0
  got:      {alertname="Queue is long", queue="q", team="shop"} value 150.0"""


def test_rules_of_ours(tmp_path):
    """Rules in the file of tests itself: measures and metrics, severities, titles and values are looked at too."""
    (tmp_path / "own.yaml").write_text(OWN)
    result = run_tests(tmp_path / "own.yaml")

    assert result.problems == ()
    assert [(each.what, each.failure) for each in result.checked] == [
        ("Requests fail at 5m", ""),
        ("Queue is long at 6m", ""),
        ("Queue is long at 5m", ""),
        (
            "Queue is long at 6m",
            DIFFERENCE,
        ),
        ("Queue is short at 6m", "there is no rule 'Queue is short'; there are: Queue is long, Requests fail"),
    ]
    assert not result.passed


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rule_files: [none.yml]", ":1:14: rule_files[0]: there is no file 'none.yml'"),
        ("tests: [{input_series: [{series: 'up{', values: 1}]}]", ":1:34: tests[0].input_series[0].series:"),
        ("tests: [{input_series: [{series: up, values: 1..2}]}]", ":1:46: tests[0].input_series[0].values:"),
        ("tests: [{alert_rule_test: [{eval_tim: 1m}]}]", ":1:29: tests[0].alert_rule_test[0].eval_tim: unknown key"),
        ("alert_rules: [{name: A, condition: x >}]", ":1:39: alert_rules[0].condition: the condition ends too early"),
        ("{", ":1:2: not valid YAML"),
        ("", ": the file is empty; write tests:"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(tmp_path, text, problem):
    """Mistakes in a file of tests are told with their place, and nothing is run."""
    (tmp_path / "t.yml").write_text(text)
    result = run_tests(tmp_path / "t.yml")
    assert [str(each).removeprefix(str(tmp_path / "t.yml"))[: len(problem)] for each in result.problems][:1] == [
        problem
    ]
    assert (result.checked, result.passed) == ((), False)


def test_a_file_that_is_not_there_is_told(tmp_path):
    """So is a file that can't be read, and one without expectations does not pass."""
    assert "can't be read: No such file" in str(run_tests(tmp_path / "t.yml").problems[0])
    (tmp_path / "t.yml").write_text("tests: []")
    assert (run_tests(tmp_path / "t.yml").problems, run_tests(tmp_path / "t.yml").passed) == ((), False)
