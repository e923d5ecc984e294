"""Policies of retention where segments are judged early, hold odd times, or share traces."""

from __future__ import annotations

import numpy as np
import pytest
from aged import DAY_NS, FAILED, NOW_NS, SLOW, Attic, ids, of_place, request
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanglass_server.query.comparing.operations import compare_operations, figures
from spanglass_server.query.issues.releases import _requests
from spanglass_server.query.monitoring.measurements import Choice, list_measurements
from spanglass_server.query.records import match_records
from spanglass_server.retention import usual
from spanglass_server.retention.form import read_yaml
from spanglass_server.retention.pace import bytes_a_day, bytes_at_pace
from spanglass_server.retention.sampling import Looked
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Part, Window

MANY = range(1000)
WHEN = ("now", "before")
P99 = "policies: [{name: slow, keep: slow, slower_than: p99, age: 60d}]\nordinary: {after: 1h, keep_one_in: 10}"


def moved(body: bytes, by_ns: int) -> bytes:
    """The same spans at another time."""
    sent = ExportTraceServiceRequest.FromString(body)
    for resource in sent.resource_spans:
        for span in resource.scope_spans[0].spans:
            span.start_time_unix_nano += by_ns
            span.end_time_unix_nano += by_ns
    return sent.SerializeToString()


def test_slow_traces_stay_where_ordinary_ones_are_thinned_the_same_day(tmp_path):
    """By a bound of a day that is not over nothing is thinned; what was slow in it is kept for its age."""
    attic = Attic(tmp_path / "data", P99)
    attic.put(request(MANY), request(MANY, 1))
    end_of_day = (DAY_NS - NOW_NS % DAY_NS) / DAY_NS
    assert end_of_day > 1.2 / 24  # the clock of tests stands well before it
    attic.age(1.1 / 24)
    assert len(attic.traces()) == len(MANY)
    for days in (end_of_day, 3, 31):
        attic.age(days)
        assert ids(of_place(MANY, SLOW)) <= attic.traces().keys(), days
    assert len(attic.traces()) < 20
    attic.close()


def test_a_span_of_a_wrong_clock_costs_a_day_of_its_own_and_no_more(tmp_path, monkeypatch):
    """Storage is asked of days in which spans lie, once for all segments, and bounds of these days alone are kept."""
    asked = []

    def measure(session, window):
        asked.append(window)
        return found(session, window)

    found = usual.measure_bounds
    monkeypatch.setattr(usual, "measure_bounds", measure)
    attic = Attic(tmp_path / "data", P99)
    for first in (0, 100):
        attic.put(moved(request([900 + first]), DAY_NS - NOW_NS) + request(range(first, first + 100)))
    attic.age(3)
    assert sum(window.end_ns - window.start_ns for window in asked) <= 3 * DAY_NS
    assert len(asked) <= 2
    known = attic.node.real.retention._file.bounds_of(range(NOW_NS // DAY_NS + 3))
    assert known.keys() == {1, NOW_NS // DAY_NS}
    attic.close()


def test_what_is_left_of_a_trace_goes_with_the_span_that_named_it(tmp_path):
    """A trace in two segments goes from both by a shorter age, although a policy names it by a span of one."""
    short = "policies: [{name: probes, keep: matching, filter: 'name = \"/health 0\"', age: 2d}]"
    attic = Attic(tmp_path / "data", short)
    attic.put(request(MANY))
    attic.clock.now_ns += DAY_NS  # the others come a day later, and are due a day later
    attic.put(request(MANY, 1))
    attic.age(2.1)
    assert sum(attic.traces().values()) == 1900
    attic.close()
    attic = Attic(tmp_path / "data")
    attic.age(3.1)
    assert attic.traces() == dict.fromkeys(ids(MANY) - ids(of_place(MANY, *range(90, 100))), 2)
    attic.age(31)
    assert attic.traces() == {}
    attic.age(31)
    with attic.node.real.retention._file._file.read() as connection:
        assert connection.execute("SELECT count(*) FROM taken").fetchone() == (0,)
    attic.close()


def test_traces_that_are_held_have_a_limit_with_policies_too(tmp_path):
    """Past ``max_pinned_bytes`` they go with the others, and that is told."""
    attic = Attic(tmp_path / "data", P99, max_pinned_bytes=1)
    attic.evidence = frozenset(ids([3]))
    attic.put(request([3] * 1000))
    attic.age(31)
    assert attic.traces() == {}
    assert any("max_pinned_bytes" in problem for problem in attic.node.real.problems)
    attic.close()


def test_evidence_that_comes_while_a_segment_is_judged_is_kept(tmp_path, monkeypatch):
    """The segment is judged anew with it."""
    attic = Attic(tmp_path / "data", "ordinary: {after: 1d, keep_one_in: 10000}")
    attic.put(request(range(100)))
    keeper = attic.node.real.retention.keeper
    judge = keeper.judge

    def judge_late(*asked):
        judged = judge(*asked)
        attic.evidence = frozenset(ids([3, 5]))
        return judged

    monkeypatch.setattr(keeper, "judge", judge_late)
    attic.age(31)
    assert attic.traces() == dict.fromkeys(ids([3, 5]), 1)
    attic.close()


def test_making_room_stops_after_any_segment(tmp_path):
    """One segment a step: what is left is squeezed by later looks."""
    attic = Attic(tmp_path / "data", "ordinary: {after: 9d, keep_one_in: 10}", max_bytes=1)
    attic.put(*(request(range(first, first + 50)) for first in range(0, 200, 50)))
    for left in (150, 100):
        attic.store.retain(NOW_NS + 10**9, lambda: False)
        assert len(attic.traces()) == left
    attic.close()


def test_what_senders_say_of_thinning_is_taken_with_a_probability_alone(tmp_path):
    """Spans that claim to stand for 10,000 are thinned as all others, unless their probability says so too."""
    body = ExportTraceServiceRequest.FromString(request(MANY))
    for resource in body.resource_spans:
        for place, span in enumerate(resource.scope_spans[0].spans):
            span.attributes.add(key="spanglass.retention.one_in").value.int_value = 10_000
            if place % 2:
                span.attributes.add(key="spanglass.sampling.probability").value.double_value = 0.5 / 10_000
    attic = Attic(tmp_path / "data", "ordinary: {after: 1h, keep_one_in: 10}")
    attic.put(body.SerializeToString())
    attic.age(1)
    assert 500 < len(attic.traces()) < 600
    attic.close()


def counts_of(attic, window):
    """What questions that count spans answer: comparisons, measurements, releases."""
    half_ns = NOW_NS + 1000 * 1000

    def ask(session):
        records = match_records(session, Signal.SPANS, window)
        now, before = figures(session, records, half_ns)
        operations = {one["operation"]: one for one in compare_operations(session, records, half_ns)}
        page = list_measurements(session, Choice(window, "", "shop", ""), limit=100, cursor=None)
        measured = {one["metric_type"]: one["value"] for one in page["metrics"]}
        (released,) = (count for place, count in _requests(session, window, "shop").items())
        pay = operations["/pay 0"]
        return {
            "spans": [now["spans"], before["spans"], pay["now"]["spans"], pay["before"]["spans"]],
            "requests": [measured["request"], released[0]],
            "errors": [now["errors"] + before["errors"], sum(pay[when]["errors"] for when in WHEN), released[1]],
            "p95": [now["p95_ns"], before["p95_ns"], pay["now"]["p95_ns"], pay["before"]["p95_ns"]],
            "mean": [measured["response_time"], measured["error_rate"]],
        }

    return attic.ask(ask)


def test_all_that_counts_spans_counts_right_after_thinning(tmp_path):
    """Errors are those that were there; the number of spans agrees to four standard errors, durations to chance."""
    policies = "policies: [{name: failed, keep: errors, age: 90d}]\nordinary: {after: 1d, keep_one_in: 4}"
    attic = Attic(tmp_path / "data", policies)
    body = ExportTraceServiceRequest.FromString(request(range(2000)))
    for place, span in enumerate(body.resource_spans[0].scope_spans[0].spans):
        span.status.code = 2 if place % 90 == FAILED else 0
    attic.put(body.SerializeToString())
    window = Window(NOW_NS - DAY_NS, NOW_NS + DAY_NS)
    before = counts_of(attic, window)
    attic.age(2)
    after = counts_of(attic, window)
    assert len(attic.traces()) < 700
    assert after["errors"] == before["errors"] == [20, 20, 20]
    for kind, off in (("spans", 0.25), ("requests", 0.2), ("p95", 0.02), ("mean", 0.3)):
        assert after[kind] == pytest.approx(before[kind], rel=off), kind
    attic.close()


def test_what_is_thinned_already_is_not_thinned_twice_in_the_long_run():
    """A segment of which one in ten is left tells the same pace as the whole one."""
    policies = read_yaml("ordinary: {after: 1d, keep_one_in: 10}")

    def at_pace(rows):
        part = Part(("a", 1), Signal.SPANS, rows, NOW_NS - 3 * DAY_NS, NOW_NS, frozenset(), bytes=rows)
        looked = Looked(part, ["shop"], np.array([[0], [rows]]), np.array([0, 1000]), np.zeros(1), np.zeros(2))
        a_day = bytes_a_day([part], [looked], [0, 30 * DAY_NS], NOW_NS)
        return a_day.tolist(), bytes_at_pace(a_day, policies, 30 * DAY_NS)

    assert at_pace(1000)[1] == pytest.approx(1000 / 3 * (1 + 29 / 10))
    assert at_pace(100) == at_pace(1000)
