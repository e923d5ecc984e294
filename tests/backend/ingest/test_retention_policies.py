"""Policies of retention over a real store: what they keep, what they thin, and that figures stay right."""

from __future__ import annotations

import math
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from aged import FAILED, NOW_NS, SLOW, Attic, ids, log_lines, of_place, request

from spanglass_server.forms.errors import ConflictError
from spanglass_server.query.matching import SpanQuestion
from spanglass_server.query.one_trace.view import show_trace
from spanglass_server.query.services.counts import count_spans
from spanglass_server.query.services.services import list_services
from spanglass_server.retention.form import read_yaml, to_json, to_yaml
from spanglass_server.retention.model import PoliciesError
from spanglass_server.signals import Signal
from spanglass_server.slo.counting.spans import count_spans as count_events
from spanglass_server.slo.form.spec import OBJECTIVES
from spanglass_server.store.ports import Window

MANY = range(2000)
FAILED_ONES, SLOW_ONES, PROBES = (of_place(MANY, *places) for places in ((FAILED,), (SLOW,), range(90, 100)))
ORDINARY = len(MANY) - len(FAILED_ONES) - len(SLOW_ONES) - len(PROBES)
KEPT_ONE_IN = 8
POLICIES = f"""
policies:
  - {{name: failed, keep: errors, age: 90d}}
  - {{name: slow, keep: slow, slower_than: 500ms, age: 60d}}
  - {{name: probes, keep: matching, services: probe, age: 2d}}
ordinary: {{after: 7d, keep_one_in: {KEPT_ONE_IN}}}
"""
FAST = OBJECTIVES.read_json(
    {"name": "fast", "target": "99%", "spans": "service:shop kind:server", "latency": "300ms"}
).values[0]
MINUTE = NOW_NS // (60 * 10**9)
WINDOW = Window(NOW_NS - 60 * 10**9, NOW_NS + 60 * 10**9)


def figures(attic):
    """Return requests, errors and quantiles of a service, its spans over time, and events of an objective."""
    listed = attic.ask(lambda session: list_services(session, WINDOW, 4))["services"]
    (shop,) = (each for each in listed if each["service"] == "shop")
    counts = attic.ask(lambda session: count_spans(session, SpanQuestion(WINDOW, service="shop"), 4))
    minutes = attic.ask(lambda session: count_events(session, [FAST], MINUTE - 1, MINUTE + 1, keeps=False))[FAST.key]
    return shop, counts, minutes


@pytest.fixture(scope="module")
def attic(tmp_path_factory):
    """Make a store of 2,000 traces in two segments each, and their log records."""
    made = Attic(tmp_path_factory.mktemp("attic") / "data", POLICIES)
    made.put(request(MANY), request(MANY, 1))
    made.put(log_lines(MANY), signal=Signal.LOGS)
    yield made
    made.close()


def test_traces_age_by_the_first_policy_that_names_them(attic):
    """Each class goes at its age, whole, in all segments; others are thinned; logs of kept ones stay."""
    before = figures(attic)
    assert attic.age(1) == 0
    attic.age(3)
    assert attic.traces() == dict.fromkeys(ids(MANY) - ids(PROBES), 2)

    attic.age(8)
    left = attic.traces()
    thinned = left.keys() - ids(FAILED_ONES) - ids(SLOW_ONES)
    assert ids(FAILED_ONES) | ids(SLOW_ONES) <= left.keys()
    assert set(left.values()) == {2}  # never a part of a trace
    error = math.sqrt(ORDINARY * (1 - 1 / KEPT_ONE_IN) / KEPT_ONE_IN)
    assert abs(len(thinned) - ORDINARY / KEPT_ONE_IN) < 4 * error
    assert attic.age(8) == 0  # nothing is judged twice
    figures_agree(before, figures(attic), spans_error=4 * 2 * error * KEPT_ONE_IN)
    marked(attic, min(thinned), KEPT_ONE_IN)

    attic.say(POLICIES.replace(f"keep_one_in: {KEPT_ONE_IN}", "keep_one_in: 32"))
    attic.age(8)
    assert attic.traces().keys() < left.keys()
    marked(attic, min(attic.traces().keys() & thinned), 32)

    assert attic.traces(Signal.LOGS).keys() == ids(MANY)
    attic.age(31)
    assert attic.traces().keys() == attic.traces(Signal.LOGS).keys() == ids(FAILED_ONES) | ids(SLOW_ONES)
    attic.age(61)
    assert attic.traces().keys() == attic.traces(Signal.LOGS).keys() == ids(FAILED_ONES)
    attic.age(91)
    assert attic.traces() == attic.traces(Signal.LOGS) == {}
    assert not attic.node.real.retention.keeper._store.looks()


def figures_agree(before, after, spans_error):
    """What is estimated agrees with what was there, within four standard errors; failed ones are exact."""
    (shop, counts, minutes), (now, counts_now, minutes_now) = before, after
    assert now["errors"] == shop["errors"]
    assert abs(now["requests"] - shop["requests"]) < spans_error / 2
    assert now["sampled_share"] is not None
    assert now["p50_ns"] == pytest.approx(shop["p50_ns"], rel=0.03)
    assert sum(point["errors"] for point in counts_now["points"]) == sum(point["errors"] for point in counts["points"])
    total, total_now = (sum(point["spans"] for point in each["points"]) for each in (counts, counts_now))
    assert abs(total - total_now) < spans_error
    assert minutes_now.bad.sum() == minutes.bad.sum() == len(SLOW_ONES)
    assert abs(minutes_now.total.sum() - minutes.total.sum()) < spans_error / 2


def marked(attic, trace_id, one_in):
    """A thinned trace says for how many it stands, and with which probability it was kept."""
    shown = attic.ask(lambda session: show_trace(session, trace_id, NOW_NS))
    attributes = shown["spans"][0]["attributes"]
    assert attributes["spanglass.retention.one_in"] == one_in
    assert attributes["spanglass.sampling.probability"] == pytest.approx(1 / one_in)


def test_pinned_traces_and_evidence_are_kept_whatever_policies_say(tmp_path):
    """They outlive ages, thinning and the limit in bytes; when they are neither any more they go with the others."""
    numbers = range(200)
    attic = Attic(tmp_path / "data", "ordinary: {after: 1d, keep_one_in: 10000}", max_bytes=1)
    attic.evidence = frozenset(ids([3, 5]))
    attic.put(request(numbers), request(numbers, 1))
    attic.age(0)
    assert attic.traces() == dict.fromkeys(ids([3, 5]), 2)
    attic.age(400)
    assert attic.traces() == dict.fromkeys(ids([3, 5]), 2)
    attic.evidence = frozenset(ids([5]))
    attic.age(400)
    assert attic.traces() == dict.fromkeys(ids([5]), 2)
    attic.close()


def test_past_the_bytes_what_policies_keep_goes_last(tmp_path):
    """Others go before their age, the oldest first; only then go kept ones."""
    numbers = range(1000)
    policies = "policies: [{name: failed, keep: errors, age: 90d}]"
    attic = Attic(tmp_path / "data", policies)
    for first in (0, 400, 800):  # the failed span of each is in the second segment
        attic.put(request(range(first, min(first + 400, 1000))), request(range(first, min(first + 400, 1000)), 1))
    sizes = [segment.bytes for segment in attic.store.contents.snapshot.segments[Signal.SPANS]]
    limits = attic.store._retaining._limits
    attic.store._retaining._limits = type(limits)(limits.age_ns, sum(sizes[2:]))
    attic.age(0)
    left, failed = attic.traces().keys(), ids(of_place(numbers, FAILED))
    assert failed < left
    assert left - failed <= ids(numbers[400:])
    attic.store._retaining._limits = type(limits)(limits.age_ns, 1)
    attic.age(0)
    assert attic.traces() == {}
    attic.close()


def test_slower_than_p99_has_one_bound_a_day(tmp_path):
    """The slowest of an operation are kept, by a bound that stays when others were thinned."""
    policies = (
        "policies: [{name: slow, keep: slow, slower_than: p99, age: 60d}]\nordinary: {after: 2d, keep_one_in: 10000}"
    )
    numbers = range(1000)
    attic = Attic(tmp_path / "data", policies)
    attic.put(request(numbers), request(numbers, 1))
    for _ in range(2):
        attic.age(3)
        left = attic.traces()
        assert ids(of_place(numbers, SLOW)) <= left.keys()
        assert len(left) <= 25
        assert set(left.values()) == {2}
        attic.say(policies.replace("60d", "61d"))
    attic.close()


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("policies: [{keep: errors, age: 9d}]", "policies[0]", "name is missing"),
        ("policies: [{name: a, keep: error, age: 9d}]", "policies[0].keep", "not one of the choices"),
        ("policies: [{name: a, keep: errors, age: 9}]", "policies[0].age", "duration"),
        ("policies: [{name: a, keep: errors, age: 9d, color: red}]", "policies[0].color", "unknown key"),
        ("policies: [{name: a, keep: slow, age: 9d}]", "policies[0]", "need slower_than"),
        (
            "policies: [{name: a, keep: errors, slower_than: 2s, age: 9d}]",
            "policies[0].slower_than",
            "is of keep: slow",
        ),
        ("policies: [{name: a, keep: matching, age: 9d}]", "policies[0]", "need a filter or services"),
        ("policies: [{name: a, keep: matching, filter: 'a ==', age: 9d}]", "policies[0].filter", "character"),
        ("policies: [{name: a, keep: exemplars, filter: a, age: 9d}]", "policies[0].filter", "whatever they are"),
        (
            "policies: [{name: a, keep: errors, age: 9d}, {name: a, keep: exemplars, age: 1d}]",
            "policies[1]",
            "two policies",
        ),
        ("ordinary: {after: 7d, keep_one_in: 1}", "ordinary.keep_one_in", "from 2 to 10000"),
        ("ordinary: {after: 7 days ago, keep_one_in: 9}", "ordinary.after", "a number and a unit"),
        ("policies: [", "", "not valid YAML"),
    ],
)
def test_what_is_wrong_with_policies_is_told_with_its_place(text, path, message):
    """Every mistake names its field."""
    with pytest.raises(PoliciesError) as refused:
        read_yaml(text)
    (problem,) = refused.value.problems
    assert (problem.path, message in f"{problem.message} {problem.hint}") == (path, True), problem


def test_policies_are_written_as_they_are_read(tmp_path):
    """YAML and JSON come back the same, changes are kept, and one that began with another version is refused."""
    policies = read_yaml(POLICIES)
    assert read_yaml(to_yaml(policies)) == policies
    assert to_json(policies)["ordinary"] == {"after": "7d", "keep_one_in": KEPT_ONE_IN}
    attic = Attic(tmp_path / "data", POLICIES)
    book = attic.node.real.retention.book
    (version,) = book.versions(10)
    assert (version.actor, read_yaml(version.text)) == ("Ada", policies)
    with pytest.raises(ConflictError):
        book.replace(policies, version, 0)
    attic.close()
    again = Attic(tmp_path / "data")
    assert again.node.real.retention.book.policies == policies
    again.close()


@pytest.mark.slow
def test_kept_traces_survive_kills_between_any_two_steps(tmp_path):
    """One killed while it thins has all kept traces, and ends with those of one that was not killed."""
    numbers, program = range(300), Path(__file__).parent / "killed_retention.py"
    prepared = Attic(tmp_path / "prepared", POLICIES)
    prepared.put(request(numbers), request(numbers, 1))
    prepared.close()

    def killed_at(step):
        data = shutil.copytree(tmp_path / "prepared", tmp_path / str(step))
        ended = subprocess.run([sys.executable, program, data, str(step)], check=False, timeout=120)
        again = Attic(data)
        found = again.traces()
        again.age(9)
        last = again.traces()
        again.close()
        return ended.returncode, found, last

    code, _, expected = killed_at(10**9)
    assert code == 0
    step, kept = 1, ids(of_place(numbers, FAILED, SLOW))
    while code != 0 or step == 1:
        code, found, last = killed_at(step)
        assert code in {0, -signal.SIGKILL}
        assert {trace: found.get(trace) for trace in kept} == dict.fromkeys(kept, 2)
        assert last == expected, step
        step += 6
    assert step > 12
