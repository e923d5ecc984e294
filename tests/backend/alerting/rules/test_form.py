"""What holds for the written form of alert rules."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanglass_core.alerting.rule import Rule
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.rules.form.spec import RULES

SECOND_NS = 10**9

WHOLE = """
monitoring:
  alerting: {enabled: true}
  alert_rules:
    - name: High response time
      condition: avg_response_time > 1000ms
      severity: warning
      channels: [email, slack]
    - name: Disk
      uid: full-disk
      condition: disk_usage > 80%
      warning: 80%
      error: 0.9
      critical: 97.5%
      recovery: 78%
      hysteresis: 2%
      for: 5m
      keep_firing_for: 1h
      interval: 1m
      delay: 10s
      window: 10m
      min_samples: 3
      no_data: alert
      by: host
      labels: {team: ops}
      title: "{{ $labels.host_name }} is full"
      description: "{{ $value | humanizePercentage }}"
      channels: [pager]
      responses: restart-worker
      runbook: https://wiki.example/disk
      owner: ops
      enabled: false
      annotations: {note: none}
"""


def test_all_keys():
    """Requirement C3's form as it stands there, and every key of a rule with the units that people write."""
    read = RULES.read_settings_yaml(WHOLE, "spanglass.yaml")

    assert read.problems == ()
    assert [line for _, line in read.found] == [5, 9]
    assert [rule for rule, _ in read.found] == [
        Rule(
            uid="high-response-time",
            name="High response time",
            condition="avg_response_time > 1000ms",
            severity=Severity.WARNING,
            channels=("email", "slack"),
        ),
        Rule(
            uid="full-disk",
            name="Disk",
            condition="disk_usage > 80%",
            warning=0.8,
            error=0.9,
            critical=0.975,
            recovery=0.78,
            hysteresis=0.02,
            for_ns=300 * SECOND_NS,
            keep_firing_for_ns=3600 * SECOND_NS,
            interval_ns=60 * SECOND_NS,
            delay_ns=10 * SECOND_NS,
            window_ns=600 * SECOND_NS,
            min_samples=3,
            no_data="alert",
            by=("host",),
            labels={"team": "ops"},
            title="{{ $labels.host_name }} is full",
            description="{{ $value | humanizePercentage }}",
            channels=("pager",),
            responses=("restart-worker",),
            runbook="https://wiki.example/disk",
            owner="ops",
            enabled=False,
            annotations={"note": "none"},
        ),
    ]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("condition: x >> 3", "3:17: alert_rules[0].condition: > can't stand here; expected: a measure"),
        ('condition: "x > 5% or"', "3:24: alert_rules[0].condition: the condition ends too early; expected: a cond"),
        ("condition: |\n    x >\n    or 3", "3:14: alert_rules[0].condition: or can't stand here (at character"),
        ("condition: x > 1\n  seveirty: error", "4:3: alert_rules[0].seveirty: unknown key 'seveirty'; did you mean"),
        ("condition: x > 1\n  severity: warn", "4:13: alert_rules[0].severity: 'warn' is not one of the choices; did"),
        ("condition: x > 1s\n  critical: 5", "4:13: alert_rules[0].critical: critical has no unit, and the condition"),
        ("condition: x > 1s\n  critical: 5%", "4:13: alert_rules[0].critical: critical is in another unit than the"),
        ("condition: x > 1\n  critical: 5 apples", "4:13: alert_rules[0].critical: apples is no unit; there are ns"),
        ("condition: x > 5\n  critical: 4", "4:13: alert_rules[0].critical: critical is reached before warning;"),
        ("condition: x < 5\n  critical: 6", "4:13: alert_rules[0].critical: critical is reached before warning;"),
        ("condition: x < 5\n  recovery: 4", "4:13: alert_rules[0].recovery: an alert would resolve while it still"),
        ("condition: new_issue\n  critical: 6", "4:13: alert_rules[0].critical: critical replaces no number of the"),
        ("condition: x > 1\n  title: '{{ $lables.a }}'", "4:13: alert_rules[0].title: the variable $lables is unk"),
        ("condition: x > 1\n  for: 5", "4:8: alert_rules[0].for: expected a duration, not '5'; write a number and"),
        ("condition: x > 1\n  runbook: 'javascript:x'", "4:12: alert_rules[0].runbook: 'javascript:x' can't be"),
        ("condition: x > 1\n  runbook: 'https://[x'", "4:12: alert_rules[0].runbook: 'https://[x' can't be a link; be"),
        ("condition: x > 1\n  labels: {1a: b}", "4:12: alert_rules[0].labels.1a: '1a' is not possible here; use"),
        ("condition: x > 1\n- name: ONE\n  condition: y > 1", "4:3: alert_rules[1]: two rules have the uid 'one', the"),
        ("severity: error", "2:3: alert_rules[0]: condition is missing"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(keys, problem):
    """Each mistake is told with file, line and column, mistakes within a condition at their own column."""
    read = RULES.read_yaml(f"alert_rules:\n- name: One\n  {keys}\n", "rules.yaml")

    assert [str(each)[: len(problem) + 11] for each in read.problems] == [f"rules.yaml:{problem}"]


def test_the_right_rules_of_a_file_count():
    """What is wrong with one rule leaves the others; all problems are told at once."""
    text = "alert_rules:\n- {name: A, condition: x >}\n- {name: B, condition: y > 1}\n- {name: C}\nalert_rulez: 1\n"
    read = RULES.read_yaml(text, "f.yaml")

    assert [rule.name for rule, _ in read.found] == ["B"]
    assert [(each.line, each.column) for each in read.problems] == [(5, 1), (2, 27), (4, 3)]
    assert read.problems[0].hint == "did you mean 'alert_rules'?"


def test_json_is_in_base_units():
    """The API's form of a rule has every key, and its numbers without units are seconds, bytes, shares."""
    rule = Rule(uid="a", name="A", condition="response_time > 1s", critical=2.5)
    written = RULES.to_json(rule)

    assert (written["critical"], written["for"], written["by"]) == (2.5, "0s", [])
    assert RULES.read_json(written).found == ((rule, 0),)
    assert RULES.to_json(rule, full=False) == {
        "name": "A",
        "condition": "response_time > 1s",
        "severity": "warning",
        "critical": "2.5s",
    }


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20).filter(lambda text: "{{" not in text)
NAMES = TEXTS.filter(lambda text: text.strip())
DURATIONS_NS = st.integers(1, 10**6).map(lambda number: number * SECOND_NS) | st.just(0)
CONDITIONS = st.sampled_from(
    ["x > 0.05", "avg_response_time > 1000ms", "disk_usage >= 90%", "m > 1GB", "r > 5/s", 'present(promql("up\n== 0"))']
)


@st.composite
def made_rules(draw):
    """Rules of all shapes; thresholds lie above what conditions compare with, each above the one before."""
    condition = draw(CONDITIONS)
    has_number = not condition.startswith("present")
    floor = 10.0**10
    levels = {}
    for name in ("error", "critical") if has_number else ():
        if draw(st.booleans()):
            floor = levels[name] = floor * draw(st.floats(1.001, 1e3))
    if has_number and draw(st.booleans()):
        levels["recovery"] = draw(st.floats(-1e12, 0.04))
    return Rule(
        uid=draw(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)),
        name=draw(NAMES),
        condition=condition,
        **levels,
        for_ns=draw(DURATIONS_NS),
        window_ns=draw(DURATIONS_NS),
        min_samples=draw(st.integers(0, 100)),
        no_data=draw(st.sampled_from(["keep", "ok", "alert"])),
        by=tuple(draw(st.lists(NAMES, max_size=2))),
        labels=draw(st.dictionaries(st.from_regex(r"[a-z][a-z_.]{0,9}", fullmatch=True), TEXTS, max_size=2)),
        description=draw(TEXTS | st.just("a\nb\n")),
        channels=tuple(draw(st.lists(NAMES, max_size=2))),
        responses=tuple(draw(st.lists(NAMES, max_size=2))),
        owner=draw(TEXTS),
        enabled=draw(st.booleans()),
        hysteresis=draw(st.sampled_from([0.0, 0.05, 0.1])),
    )


@settings(max_examples=60, deadline=None)
@given(rule=made_rules())
def test_every_rule_reads_back(rule):
    """YAML and JSON of a rule read as the very same rule, and its version stays."""
    read = RULES.read_yaml(RULES.to_yaml([rule]))
    assert (read.problems, [each for each, _ in read.found]) == ((), [rule])
    assert [each for each, _ in RULES.read_json(RULES.to_json(rule)).found] == [rule]
    assert RULES.version_of(read.found[0][0]) == RULES.version_of(rule)
