"""Occurrences in a real store: derived once, found again after a crash, grouped anew, deleted by retention."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest
from errors import exception, log_request, occurrences, span_request

from spanglass_server.settings.table import Retention
from spanglass_server.signals import Signal

sys.path.insert(0, str(Path(__file__).parents[1] / "ingest"))

from nodes import NOW_NS, Clock, Node

SECOND_NS = 10**9


@pytest.fixture
def node(tmp_path):
    """A storage node over an empty directory, closed at the end."""
    retention = Retention(traces_ns=3600 * SECOND_NS, logs_ns=60 * SECOND_NS)
    node = Node(tmp_path / "data", Clock(), {}, {}, retention=retention)
    yield node
    node.real.close()


def counts(node):
    """Return how many occurrences each issue has that the issue store knows, by its title."""
    rows = occurrences(node)
    node.errors.tracker.observe()
    by_key = node.errors.issues.snapshot().by_key
    return Counter(by_key[row["issue_key"]].title for row in rows)


def flush(node):
    """Write all that is in memory to segments."""
    node._generations.seal()
    node._flushing.wait_for_room(1, 60)


def regroup(node):
    """Regroup, and return the last progress."""
    node.errors.regrouping.ask()
    node.errors.regrouping.step()
    return node.errors.regrouping.progress


def test_one_exception_on_both_signals_is_one_occurrence_of_one_issue(node):
    """A span event and a log record of one failure, in requests of their own, count once."""
    node.submit(span_request(exception(), time_ns=NOW_NS))
    node.submit(log_request(exception(), time_ns=NOW_NS), signal=Signal.LOGS)
    node.submit(log_request(exception("no coffee", line=99), trace=2, time_ns=NOW_NS), signal=Signal.LOGS)
    assert counts(node.real) == {"KeyError: no tea": 2}


def test_the_telling_counts_that_reaches_the_application(node):
    """A client span knows only the frames of its library, and ends before the span around it that knows the caller."""
    library = """  File "/usr/lib/python3.11/site-packages/httpx/_client.py", line 9, in send
    raise KeyError(name)
"""
    around = """  File "/srv/shop/stock.py", line 31, in take
    httpx.get(url)
"""
    head, end = "Traceback (most recent call last):\n", "KeyError: no tea\n"
    client = {**exception(), "exception.stacktrace": f"{head}{library}{end}"}
    server = {**exception(), "exception.stacktrace": f"{head}{around}{library}{end}"}
    node.submit(span_request(client, span=2, parent=1, time_ns=NOW_NS), span_request(server, span=1, time_ns=NOW_NS))
    assert [row["culprit"] for row in occurrences(node.real)] == ["stock.take"]


def test_a_crash_neither_loses_nor_doubles_occurrences(node, tmp_path):
    """What a killed server had derived is there once after the next start, and so are its issues."""
    for number in range(5):
        node.submit(span_request(exception(kind=f"Error{number}"), trace=number + 1, time_ns=NOW_NS))
    before = counts(node.real)
    copy = tmp_path / "after the crash"
    shutil.copytree(node.data_dir, copy, ignore=shutil.ignore_patterns("lock"))
    again = Node(copy, Clock(), {}, {})
    assert counts(again.real) == before
    again.real.close()
    third = Node(copy, Clock(), {}, {})
    assert counts(third.real) == before
    third.real.close()
    assert sum(before.values()) == 5


def test_issues_are_found_again_in_stored_occurrences(node, tmp_path):
    """When the issue store is lost or was not told, each stored group has an issue after the next start."""
    node.submit(span_request(exception(), time_ns=NOW_NS, resource={"service.version": "1.2"}))
    node.submit(span_request(exception(function="put"), trace=2, time_ns=NOW_NS))
    before = counts(node.real)
    copy = tmp_path / "without issues"
    node.real.close()
    shutil.copytree(node.data_dir, copy, ignore=shutil.ignore_patterns("lock", "issues.sqlite*"))
    again = Node(copy, Clock(), {}, {})
    again.real.errors.tracker.find_stored()
    assert counts(again.real) == before
    releases = {issue.first_release for issue in again.real.errors.issues.snapshot().issues.values()}
    assert releases == {"", "1.2"}
    again.real.close()


def test_a_store_of_issues_that_cannot_be_written_loses_nothing(node, monkeypatch):
    """Records and occurrences are stored, health says what is wrong, and issues come when it can be written again."""

    def refuse(*_):
        raise OSError("no space left")

    real = node.real.errors.issues.observe
    monkeypatch.setattr(node.real.errors.issues, "observe", refuse)
    node.submit(span_request(exception(), time_ns=NOW_NS))
    rows = occurrences(node.real)
    node.real.errors.tracker.try_observe()
    assert any("issue store could not be written (no space left)" in problem for problem in node.real.problems)
    monkeypatch.setattr(node.real.errors.issues, "observe", real)
    assert (len(rows), counts(node.real)) == (1, {"KeyError: no tea": 1})
    assert node.real.errors.tracker.problem is None


@pytest.mark.parametrize("flushed", [False, True])
def test_regrouping_gives_stored_occurrences_the_keys_of_new_rules(node, flushed):
    """In memory and in segments; nothing is lost, and undoing the rule brings the groups back."""
    for number in range(6):
        told = {**exception(), "tenant": "acme" if number < 2 else "umbrella"}
        node.submit(span_request(told, trace=number + 1, time_ns=NOW_NS + number))
    node.submit(log_request(exception(function="put"), trace=99, time_ns=NOW_NS), signal=Signal.LOGS)
    before = counts(node.real)
    assert len(node.real.errors.issues.snapshot().issues) == 2
    if flushed:
        flush(node.real)
    rule = {"match": {"function": "take"}, "action": {"split_by": ["tenant"]}}
    kept = node.real.errors.issues.add_rule(rule, "ada", NOW_NS)

    progress = regroup(node.real)
    keys = Counter(row["issue_key"] for row in occurrences(node.real))
    assert (progress.error, progress.is_running, progress.moved, progress.total) == (None, False, 6, 7)
    assert sorted(keys.values()) == [1, 2, 4]
    assert regroup(node.real).moved == 0

    node.real.errors.issues.delete_rule(kept.id, "ada", NOW_NS)
    assert regroup(node.real).moved == 6
    assert counts(node.real) == before
    assert sorted(Counter(row["issue_key"] for row in occurrences(node.real)).values()) == [1, 6]


def test_occurrences_whose_record_is_deleted_keep_their_key(node):
    """A rule that would move them finds nothing to read; the others move."""
    node.submit(log_request(exception(), trace=1, time_ns=NOW_NS), signal=Signal.LOGS)
    node.submit(span_request(exception(), trace=2, time_ns=NOW_NS))
    flush(node.real)
    node.real.store.retain(NOW_NS + 120 * SECOND_NS)  # log records are kept for a minute
    node.real.errors.issues.add_rule({"match": {"type": "*"}, "action": {"join": "all"}}, "ada", NOW_NS)
    assert regroup(node.real).moved == 1
    assert len(occurrences(node.real)) == 2
    node.real.store.retain(NOW_NS + 7200 * SECOND_NS)
    assert occurrences(node.real) == []
    assert len(node.real.errors.issues.snapshot().issues) > 0


def test_rules_hold_for_what_comes_after_them(node):
    """A rule groups new exceptions at once, without regrouping."""
    node.submit(span_request(exception(), trace=1, time_ns=NOW_NS))
    counts(node.real)
    node.real.errors.issues.add_rule({"match": {"type": "*"}, "action": {"join": "all"}}, "ada", NOW_NS)
    node.real.errors.tracker.observe()
    for number in (2, 3):
        node.submit(span_request(exception(function=f"f{number}"), trace=number, time_ns=NOW_NS + number))
    assert sorted(Counter(row["issue_key"] for row in occurrences(node.real)).values()) == [1, 2]


def test_a_service_with_too_many_issues_has_one_that_says_so(tmp_path):
    """Past the limit further groups are one overflow issue; all is counted."""
    from spanglass_server.issues.occurrences.deriving import Deriver  # noqa: PLC0415
    from spanglass_server.issues.occurrences.releases_seen import ReleasesSeen  # noqa: PLC0415
    from spanglass_server.issues.occurrences.sightings import Sightings  # noqa: PLC0415
    from spanglass_server.issues.sqlite_store import SqliteIssueStore  # noqa: PLC0415

    store = SqliteIssueStore(tmp_path / "issues.sqlite", 3)
    sightings = Sightings()
    deriver = Deriver(store.route, sightings, ReleasesSeen())
    node = Node(tmp_path / "data", Clock(), {}, {})
    node.real._pending._shredding._derive = deriver.derive
    for number in range(8):
        node.submit(span_request(exception(function=f"f{number}"), trace=number + 1, time_ns=NOW_NS + number))
    keys = Counter(row["issue_key"] for row in occurrences(node.real))
    store.observe(sightings.take(), NOW_NS)
    issues = store.snapshot().by_key
    node.real.close()
    assert sum(keys.values()) == 8
    assert [keys[key] for key, issue in issues.items() if issue.is_overflow] == [5]
    assert len(keys) == 4
