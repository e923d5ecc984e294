"""What holds for recording rules of a server: what they give is stored as series, in order, and ends when it does."""

from __future__ import annotations

import logging

import pytest

from spanglass_server.alerting.ports import RecordingStatus
from spanglass_server.alerting.rules.recording.recorder import GroupRecorder
from spanglass_server.alerting.rules.recording.results import reads_later_ones
from spanglass_server.alerting.rules.sources.files import read_file
from spanglass_server.ingest.prometheus.requests import WriteRequest
from spanglass_server.process.parts.recording import IngestSink
from spanglass_server.process.storage_node import StorageNode
from spanglass_server.promql.engine import range_query
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.self_metrics.registry import Telemetry
from spanglass_server.settings.settings import load
from spanglass_server.store.part_cache import PartCache

START_MS = 1_700_000_040_000
STEP_MS = 60_000

RULES = """
groups:
  - name: sums
    interval: 1m
    limit: 2
    rules:
      - {record: "job:x:sum", expr: sum by (job) (x), labels: {team: shop}}
      - {record: "x:total", expr: "sum(job:x:sum)"}
      - {record: "x:many", expr: x}
      - {record: "x:ticks", expr: "x:ticks + 1 or vector(1)"}
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A server's storage with series: two of job a, one of job b which ends after three minutes."""
    directory = tmp_path_factory.mktemp("data")
    settings = load(overrides={"data.dir": str(directory), "storage.min_free_disk_bytes": "0"})
    opened = StorageNode(settings, Telemetry(), lambda: (START_MS + 3_600_000) * 10**6)
    request = WriteRequest()
    for job, instance, last in (("a", "1", 7), ("a", "2", 7), ("b", "1", 3)):
        key = (("__name__", "x"), ("instance", instance), ("job", job))
        series = request.add(key, None)
        for step in range(last + 1):
            series.samples.add(value=float(step), timestamp=START_MS + step * STEP_MS)
        if last == 3:
            request.end([key], START_MS + 4 * STEP_MS)
    assert IngestSink(opened.ingest).store(request.body()) == ""
    yield opened
    opened.close()


def values(node, promql, *, steps=8):
    """The values of an expression, by labels, one a minute, None where there is none."""

    def ask(session):
        source = StoredSeries(session, PartCache(0), max_samples=10_000)
        return range_query(source, promql, Steps(START_MS, STEP_MS, steps)).value

    found = node.engine.run_here(ask)
    return {
        tuple(value for name, value in sorted(row.items()) if name != "instance"): [
            number if is_present else None for number, is_present in zip(line, present, strict=True)
        ]
        for row, line, present in zip(found.labels.rows(), found.values.tolist(), found.present.tolist(), strict=True)
    }


def recorder_of(node, text, sink=None):
    """The recorder of a file of rules."""
    read = read_file(text, "r.yml")
    assert read.problems == ()

    def ask(work):
        return node.engine.run_here(lambda session: work(StoredSeries(session, PartCache(0), max_samples=10_000)))

    clock = iter(range(0, 10**9, 500))
    sink = sink or IngestSink(node.ingest)
    return GroupRecorder(lambda: list(read.standing), ask, sink, 15 * 10**9, lambda: next(clock))


def test_results_are_series(node, caplog):
    """Each rule sees what those before it gave at the same time; several ticks give what they would one by one."""
    recorder = recorder_of(node, RULES)
    assert recorder.groups() == {"r.yml;sums": 60 * 10**9}
    caplog.set_level(logging.INFO)
    for step in range(4):
        recorder.record("r.yml;sums", Steps(START_MS + step * STEP_MS, STEP_MS, 1))
    recorder.record("r.yml;sums", Steps(START_MS + 4 * STEP_MS, STEP_MS, 4))
    recorder.record("none", Steps(START_MS, STEP_MS, 1))

    assert values(node, "job:x:sum") == {
        ("job:x:sum", "a", "shop"): [0, 2, 4, 6, 8, 10, 12, 14],
        ("job:x:sum", "b", "shop"): [0, 1, 2, 3, None, None, None, None],
    }
    assert values(node, "x:total") == {("x:total",): [0, 3, 6, 9, 8, 10, 12, 14]}
    assert values(node, "x:ticks") == {("x:ticks",): [1, 2, 3, 4, 5, 6, 7, 8]}
    assert values(node, "x:many") == {("x:many", "a"): [None, None, None, None, 4, 5, 6, 7]}
    told = "recording rule x:many of r.yml;sums"
    assert [record.message for record in caplog.records if "recording" in record.message] == [
        f"{told}: x:many: 3 series are more than the group's limit of 2",
        f"{told} works again",
    ]
    assert recorder.problems() == []
    first, *others = recorder.status()
    assert first == RecordingStatus(
        file="r.yml",
        group="sums",
        interval_ns=60 * 10**9,
        limit=2,
        record="job:x:sum",
        expr="sum by (job) (x)",
        labels={"team": "shop"},
        line=7,
        last_ns=(START_MS + 7 * STEP_MS) * 10**6,
        duration_ns=500,
    )
    assert [each.record for each in others] == ["x:total", "x:many", "x:ticks"]


def test_what_fails_is_told(node):
    """A rule that can't be evaluated or stored is told of, and leaves those behind it as they are."""

    class Full:
        def store(self, body):
            return "not stored: the disk is full" if b"other" in body else ""

    text = """
groups:
  - name: g
    rules:
      - {record: "bad", expr: "x + on(job) group_left x"}
      - {record: "same", expr: "x", labels: {instance: "", job: ""}}
      - {record: "other", expr: "vector(1)"}
      - {record: "good", expr: "vector(1)"}
"""
    recorder = recorder_of(node, text, Full())
    recorder.record("r.yml;g", Steps(START_MS, STEP_MS, 1))
    bad, same, other = recorder.problems()
    assert "recording rule bad of r.yml;g: bad: " in bad
    assert same.endswith("same: two series have the same labels once those of the rule are theirs")
    assert other.endswith("not stored: the disk is full")


@pytest.mark.parametrize(
    ("exprs", "late"),
    [(("x", "a"), False), (("a", "x"), True), (("b", "x"), True), (("x", "sum(rate(a[5m]))"), False)],
)
def test_which_groups_go_step_by_step(exprs, late):
    """Groups in which a rule reads what it or a later one records, as of the step before."""
    rules = "".join(f"  - {{record: {name}, expr: '{expr}'}}\n" for name, expr in zip("ab", exprs, strict=True))
    (group,) = read_file(f"groups:\n- name: g\n  rules:\n{rules}", "r.yml").standing
    assert reads_later_ones(group.recordings) is late
