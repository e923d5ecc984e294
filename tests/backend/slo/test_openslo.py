"""Objectives of OpenSLO: what they become, and what can't be taken, by field."""

from __future__ import annotations

import pytest

from spanglass_server.slo.form.spec import OBJECTIVES
from spanglass_server.slo.openslo.events import of_promql
from spanglass_server.slo.openslo.reading import take_over

COUNT = "http_server_request_duration_seconds_count"
TEXT = f"""
apiVersion: openslo/v1
kind: SLO
metadata: {{name: answers, displayName: Checkout answers}}
spec:
  description: Orders are taken.
  service: checkout
  indicator:
    spec:
      ratioMetric:
        good: {{metricSource: {{type: Prometheus, spec: {{query: 'sum(rate({COUNT}{{job="shop/checkout", code!~"5..|429"}}[5m]))'}}}}}}
        total: {{metricSource: {{type: Prometheus, spec: {{query: 'sum(rate({COUNT}{{job="shop/checkout"}}[5m]))'}}}}}}
  timeWindow: [{{duration: 28d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.999}}, {{displayName: strict, targetPercent: 99.95}}]
  alertPolicies: [page]
---
- apiVersion: openslo/v1
  kind: SLI
  metadata: {{name: quick}}
  spec:
    ratioMetric:
      good: {{metricSource: {{type: prometheus, spec: {{query: 'sum(rate(http_request_duration_seconds_bucket{{service="web", le="0.3"}}[5m]))'}}}}}}
      total: {{metricSource: {{type: prometheus, spec: {{query: 'sum(rate(http_request_duration_seconds_count{{service="web"}}[5m]))'}}}}}}
- apiVersion: openslo/v1
  kind: SLO
  metadata: {{name: quick}}
  spec:
    indicatorRef: quick
    timeWindow: [{{duration: 1M, calendar: {{startTime: 2026-01-01 00:00:00, timeZone: Europe/Berlin}}, isRolling: false}}]
    objectives: [{{target: 0.99}}]
- {{apiVersion: openslo/v1, kind: Service, metadata: {{name: web}}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {{name: own}}
spec:
  indicator:
    spec:
      ratioMetric:
        bad: {{metricSource: {{type: Spanglass, spec: {{query: 'status:error'}}}}}}
        total: {{metricSource: {{type: Spanglass, spec: {{query: 'service:cart kind:server'}}}}}}
  timeWindow: [{{duration: 30d, isRolling: true}}]
  objectives: [{{target: 0.9}}]
"""  # noqa: E501 - as such files are written


def test_objectives_are_taken_over():
    """Targets, windows, queries over requests and filters become objectives; what is left out is noted."""
    taken = take_over(TEXT)

    assert taken.problems == ()
    written = [OBJECTIVES.to_json(one, full=False) for one in taken.objectives]
    codes = "http.response.status_code >= 500 and http.response.status_code < 600 or http.response.status_code = 429"
    answers = {
        "window": "28d",
        "spans": 'kind:server and http.request.method exists and service.namespace = "shop" and '
                 'service.name = "checkout"',
        "good": f"not (({codes}))",
        "service": "checkout", "description": "Orders are taken.",
    }  # fmt: skip
    assert written == [
        {"name": "Checkout answers: 1", "uid": "answers-1", "target": "99.9%", **answers},
        {"name": "Checkout answers: strict", "uid": "answers-2", "target": "99.95%", **answers},
        {"name": "quick", "target": "99%", "window": "month", "time_zone": "Europe/Berlin",
         "spans": 'kind:server and http.request.method exists and service.name = "web"', "latency": "300ms"},
        {"name": "own", "target": "90%", "spans": "service:cart kind:server", "good": "not (status:error)"},
    ]  # fmt: skip
    assert [note.path for note in taken.notes] == ["spec.alertPolicies", "[1].spec.timeWindow[0].calendar", "[2]"]


SLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: a}
spec:
  indicator: {spec: {ratioMetric: {good: GOOD, total: TOTAL}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  objectives: [{target: 0.99}]
"""
ABOVE = "spec.indicator.spec.ratioMetric.{}"
GOOD = "spec.indicator.spec.ratioMetric.good.metricSource"
TOTAL = "{metricSource: {type: Prometheus, spec: {query: 'sum(rate(http_requests_total[5m]))'}}}"


def _slo(good=TOTAL, total=TOTAL, **replaced):
    text = SLO.replace("GOOD", good).replace("TOTAL", total)
    for old, new in replaced.items():
        text = text.replace(*{"window": ("duration: 30d", new), "target": ("target: 0.99", new)}[old])
    return text


def _promql(query):
    return TOTAL.replace("sum(rate(http_requests_total[5m]))", query)


def _labels(labels):
    return _promql(f"rate(http_requests_total{{{labels}}}[5m])")


def _bucket(bound):
    return _promql(f'rate(http_request_duration_seconds_bucket{{le="{bound}"}}[5m])')


@pytest.mark.parametrize(
    ("labels", "spans"),
    [
        ('job="prod/shop"', 'service.namespace = "prod" and service.name = "shop"'),
        ('job!="prod/shop"', 'not (service.namespace = "prod" and service.name = "shop")'),
        ('job="shop"', 'service.name = "shop"'),
        ('service="a/b"', 'service.name = "a/b"'),
        ('job=~"shop|web"', 'service.name ~ "^(?:shop|web)$"'),
    ],
)
def test_jobs_are_services_of_namespaces(labels, spans):
    """The namespace of a job is asked for too; metrics of RPC are spans of RPC."""
    assert of_promql(f"rate(http_requests_total{{{labels}}}[5m])").filter == (
        f"kind:server and http.request.method exists and {spans}"
    )
    assert of_promql("rate(rpc_server_duration_count[5m])").filter == "kind:server and rpc.system exists"


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("", "", "holds no document"),
        ("a: [", "", "not valid YAML"),
        ("apiVersion: openslo/v1alpha\nkind: SLO", "apiVersion", "is openslo/v1alpha"),
        ("apiVersion: openslo/v1\nkind: Slo", "kind", "Slo is no kind"),
        (_slo().replace("spec:\n", "spec:\n  budgetingMethod: Timeslices\n"), "spec.budgetingMethod", "Timeslices"),
        (_slo(window="duration: 90d"), "spec.timeWindow[0].duration", "a window of 90d"),
        (_slo(target="value: 1"), "spec.objectives[0]", "no target"),
        (_slo(target="target: 0.1"), "spec.objectives[0]", "target: '0.1' is no target"),
        (_slo(), "spec.objectives[0]", "spans: it does not say which spans are good"),
        (_slo(_promql('sum(rate(up{a="b"}[5m]))')), f"{GOOD}.spec.query", "up"),
        (_slo(_promql('sum(rate(http_requests_total{pod="b"}[5m]))')),
         f"{GOOD}.spec.query", "the label pod"),
        (_slo(_promql("a / b")), f"{GOOD}.spec.query", "no sum"),
        (_slo(_bucket("0.1"), _bucket("0.5")), ABOVE.format("total"), "total counts only requests that are quick"),
        (_slo(_bucket("0"), _bucket("+Inf")), f"{GOOD}.spec.query", "le='0' is no bound"),
        (_slo(_bucket("0.1"), _promql("rate(http_requests_total[5m] offset 1w)")),
         f"{ABOVE.format('total')}.metricSource.spec.query", "another time"),
        (_slo(_promql("rate(http_requests_total[5m] @ 1700000000)")), f"{GOOD}.spec.query", "another time"),
        (_slo(_labels('job=~"a/b"'), _labels('job="a/b"')), f"{GOOD}.spec.query", "namespaces and services"),
        (_slo(_labels('method="POST"'), _labels('method="GET"')), ABOVE.format("good"), "and good does not"),
        (_slo(_labels('method="POST"'), _labels('method="GET"')).replace("good:", "bad:"),
         ABOVE.format("bad"), 'total asks for http.request.method = "GET", and bad does not'),
        (_slo(_labels('code=~"5.."'), _labels('job="shop"')).replace("good:", "bad:"),
         ABOVE.format("bad"), 'service.name = "shop", and bad does not'),
        (_slo(_promql("rate(rpc_server_duration_count[5m])")), ABOVE.format("good"), "http.request.method exists"),
        (_slo(TOTAL.replace("Prometheus", "Datadog")), GOOD, "Datadog"),
        (SLO.replace("indicator: {spec: {ratioMetric: {good: GOOD, total: TOTAL}}}", "indicatorRef: x"),
         "spec.indicatorRef", "there is no SLI 'x'"),
    ],
)  # fmt: skip
def test_what_can_not_be_taken_is_said_by_field(text, path, words):
    """Each keeps its objective from being taken, with the field, its line and why."""
    taken = take_over(text)

    assert taken.objectives == ()
    assert [problem.path for problem in taken.problems] == [path]
    assert words in taken.problems[0].message
