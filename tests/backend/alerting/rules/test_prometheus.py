"""What holds for Prometheus' rule files: read as they are, and meaning what they mean there."""

from __future__ import annotations

import pytest

from spanglass_core.alerting.conditions.parse import parse_condition
from spanglass_core.alerting.rule import Rule
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.rules.prometheus.model import Recording, RecordingGroup
from spanglass_server.alerting.rules.sources.files import DirectoryRules, read_file

MINUTE_NS = 60 * 10**9
MAX_KEYS = "alerting.max_keys bounds the alerts of a rule"
ASK = "ask GET /api/monitoring/alerts/"

FILE = r"""
groups:
  - name: shop
    interval: 30s
    limit: 10
    query_offset: 1m
    labels: {team: shop}
    rules:
      - record: job:errors:rate5m
        expr: sum by (job) (rate(errors_total[5m]))
        labels: {source: rules, team: ""}
      - alert: ManyErrors
        expr: |
          job:errors:rate5m{kind="a \"b\""}
            > 0.5
        for: 1d
        keep_firing_for: 10m
        labels: {severity: page}
        annotations:
          summary: "{{ $labels.job }} fails"
          description: many errors
          runbook_url: https://wiki.example/errors
      - alert: ManyErrors
        expr: errors > 1
        annotations: {message: "{{ $value }}", runbook: "https://wiki.example/{{ $labels.job }}"}
  - name: meta
    rules:
      - alert: Watchdog
        expr: vector(1)
        labels: {severity: none}
      - alert: Late
        expr: ALERTS{alertstate="firing"} > 0
"""


def test_all_of_a_file():
    """Every key of a rule file ends where docs/rule-files.md says."""
    read = read_file(FILE, "/rules/shop.yml")

    assert read.problems == ()
    group, *rules = sorted(read.standing, key=lambda standing: isinstance(standing, RecordingGroup), reverse=True)
    assert (group.name, group.file, group.line, group.interval_ns, group.delay_ns, group.limit) == (
        *("shop", "/rules/shop.yml", 3, MINUTE_NS // 2, MINUTE_NS, 10),
    )
    assert group.recordings == (
        Recording("job:errors:rate5m", "sum by (job) (rate(errors_total[5m]))", {"team": "", "source": "rules"}, 9),
    )
    assert [(found.group, found.line, found.rule.name, found.rule.severity) for found in rules] == [
        ("shop", 12, "ManyErrors", Severity.CRITICAL),
        ("shop", 23, "ManyErrors", Severity.WARNING),
        ("meta", 28, "Watchdog", Severity.INFO),
        ("meta", 31, "Late", Severity.WARNING),
    ]
    first = rules[0].rule
    assert first == Rule(
        uid=first.uid,
        name="ManyErrors",
        condition=first.condition,
        severity=Severity.CRITICAL,
        for_ns=1440 * MINUTE_NS,
        keep_firing_for_ns=10 * MINUTE_NS,
        interval_ns=MINUTE_NS // 2,
        delay_ns=MINUTE_NS,
        no_data="ok",
        labels={"team": "shop", "severity": "page"},
        title="{{ $labels.job }} fails",
        description="many errors",
        runbook="https://wiki.example/errors",
        hysteresis=0.0,
        annotations={
            "summary": "{{ $labels.job }} fails",
            "description": "many errors",
            "runbook_url": "https://wiki.example/errors",
        },
    )
    assert parse_condition(first.condition).of.text == 'job:errors:rate5m{kind="a \\"b\\""}\n  > 0.5'
    assert (rules[1].rule.title, rules[1].rule.description, rules[1].rule.runbook) == ("", "{{ $value }}", "")
    assert [str(note) for note in read.notes] == [
        f"/rules/shop.yml:5:12: groups[0].limit: limit counts for recording rules only; {MAX_KEYS}",
        f"/rules/shop.yml:32:15: groups[1].rules[1].expr: there are no series ALERTS and ALERTS_FOR_STATE; {ASK}",
    ]


def test_uids_stay(tmp_path):
    """Alerts of one name have uids of their own, which stay when other rules come, and in files of another order."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "shop.yml").write_text(FILE)
    source = DirectoryRules(folder)
    before = [found.uid for found in source.read().found if not isinstance(found, RecordingGroup)]
    more = "      - alert: New\n        expr: up == 0\n"
    (folder / "shop.yml").write_text(FILE.replace("    rules:\n", f"    rules:\n{more}", 1))
    after = [found.uid for found in source.read().found if not isinstance(found, RecordingGroup)]

    assert len(set(before)) == 4
    assert [uid.rpartition("-")[0] for uid in before] == ["manyerrors", "manyerrors", "watchdog", "late"]
    assert after[1:] == before


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("expr: up ==", "5:16: groups[0].rules[0].expr: parse error: unexpected end of input"),
        ("expr: sum(up)[5m]", "5:18: groups[0].rules[0].expr: parse error: "),
        ("expr: up[5m]", "5:11: groups[0].rules[0].expr: the expression gives no number; put the range into"),
        ("expr: up\n    for: soon", "6:10: groups[0].rules[0].for: 'soon' is not a number; write a number and a unit,"),
        ("expr: up\n    foor: 1m", "6:5: groups[0].rules[0].foor: unknown key 'foor'; did you mean 'for'?"),
        ("expr: up\n    record: a", "4:5: groups[0].rules[0]: a rule has alert or record; give one of the two"),
        ("expr: up\n    labels: {a: '{{ $x }}'}", "6:20: groups[0].rules[0].labels.a: the variable $x is unknown; th"),
        ("expr: up\n- {name: g, rules: []}", "1:1: two groups have the name 'g'; give one of them another"),
    ],
)
def test_what_is_wrong_is_told(text, problem):
    """Mistakes are told with their place, and a file with any has no rules, as in Prometheus."""
    file = f"groups:\n- name: g\n  rules:\n  - alert: A\n    {text}\n"
    read = read_file(file, "f.yml")
    assert read.standing == ()
    assert [str(each)[: len(problem) + 6] for each in read.problems] == [f"f.yml:{problem}"]
