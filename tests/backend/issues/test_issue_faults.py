"""Whatever fails between records and issues: every exception is one occurrence of one issue, and health says so."""

from __future__ import annotations

import sqlite3
import sys
from collections import Counter
from pathlib import Path

import pytest
from errors import exception, log_request, occurrences, span_request

from spanglass_server.signals import Signal

sys.path.insert(0, str(Path(__file__).parents[1] / "ingest"))

from faults import PACE
from nodes import Clock, open_node

STORE_ERRORS = [sqlite3.OperationalError("database or disk is full"), OSError("disk full"), RuntimeError("a defect")]


class Failing:
    """Lets a method of something fail so many times, before or after it has done its work."""

    def __init__(self, monkeypatch, owner, name, error, *, times, after=False):
        self.left, self.failed = times, 0
        real = getattr(owner, name)

        def call(*arguments, **named):
            if after and self.left:
                real(*arguments, **named)
            if self.left:
                self.left -= 1
                self.failed += 1
                raise error
            return real(*arguments, **named)

        monkeypatch.setattr(owner, name, call)


def send(node, first, count):
    """Send exceptions that a span, its parent and a log record tell of, some in a request of their own."""
    for trace in range(first, first + count):
        told = exception(function=("take", "put", "count")[trace % 3], message=f"no {trace}")
        place = {"trace": trace, "time_ns": node.clock.now_ns}
        node.submit(span_request(told, span=2, parent=1, **place), span_request(told, span=1, **place))
        node.submit(log_request(told, span=2, **place), signal=Signal.LOGS)


def is_well(node, count):
    """All of them are stored, once and in an issue, and nothing is wrong any more."""

    def settled():
        try:
            rows = occurrences(node.real)
            return len(rows) == count and not node.real.problems
        except MemoryError:
            return False

    node.until(settled)
    rows = occurrences(node.real)
    assert Counter(row["message"] for row in rows) == Counter(f"no {trace}" for trace in range(1, count + 1))
    node.until(lambda: {row["issue_key"] for row in rows} <= set(node.real.errors.issues.snapshot().by_key))
    assert len(node.real.errors.issues.snapshot().issues) == 3


@pytest.mark.parametrize(
    ("error", "times"), [(OSError(), 1), (RuntimeError(), 1), (MemoryError(), 1), (MemoryError(), 4)]
)
def test_what_could_not_become_columns_is_counted_once_it_is(tmp_path, monkeypatch, error, times):
    """The records are tried again, together or one by one, and so are their exceptions."""
    with open_node(tmp_path, pace=PACE) as node:
        send(node, 1, 3)
        is_well(node, 3)
        failing = Failing(monkeypatch, node.real.store, "append", error, times=times)
        with node.real._pending._turn:  # so that both requests are shredded together
            for trace in (4, 5):
                node.submit(span_request(exception(function="take", message=f"no {trace}"), trace=trace))
        is_well(node, 5)
        assert failing.failed == times
    with open_node(tmp_path) as node:
        is_well(node, 5)


@pytest.mark.parametrize("error", STORE_ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_the_issue_store_may_fail(tmp_path, monkeypatch, error, after):
    """Ingest goes on, health says what is wrong, and once it can be written everything has its issue."""
    with open_node(tmp_path, Clock(), pace=PACE) as node:
        failing = Failing(monkeypatch, node.real.errors.issues, "observe", error, times=1000, after=after)
        send(node, 1, 9)
        node.until(lambda: any("issue store" in problem for problem in node.real.problems))
        node.real._generations.seal()
        node.until(lambda: not node.states())
        assert len(occurrences(node.real)) == 9
        failing.left = 0
        is_well(node, 9)
    with open_node(tmp_path) as node:
        is_well(node, 9)


@pytest.mark.parametrize("error", STORE_ERRORS, ids=lambda error: type(error).__name__)
def test_the_issue_store_may_fail_until_the_restart(tmp_path, monkeypatch, error):
    """What it was never told is found in the stored occurrences at the next start."""
    with open_node(tmp_path, pace=PACE) as node:
        Failing(monkeypatch, node.real.errors.issues, "observe", error, times=10**9)
        send(node, 1, 9)
        assert len(occurrences(node.real)) == 9
    with open_node(tmp_path) as node:
        is_well(node, 9)


def test_a_defect_of_grouping_costs_the_exceptions_it_meets_and_nothing_else(tmp_path, monkeypatch):
    """The records and all other exceptions are stored, and the counter and the log say how many were left out."""
    with open_node(tmp_path, pace=PACE) as node:
        Failing(monkeypatch, node.real.errors._deriver._grouper, "group", ValueError("a defect"), times=1)
        node.submit(*(span_request(exception(function="put", message=f"no {i}"), trace=i) for i in range(1, 4)))
        assert len(occurrences(node.real)) == 2
        assert len(node.names()) == 3


def test_a_writer_of_the_issue_store_holds_nothing_up(tmp_path):
    """While another process writes the file, exceptions are stored; afterwards they have their issues."""
    with open_node(tmp_path) as node:
        send(node, 1, 3)
        is_well(node, 3)
        other = sqlite3.connect(tmp_path / "issues.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        send(node, 4, 3)
        assert len(occurrences(node.real)) == 6
        other.execute("ROLLBACK")
        other.close()
        is_well(node, 6)
