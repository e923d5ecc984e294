"""Events of issues as a series: what is counted, by which labels, narrowed by filters."""

from __future__ import annotations

import pytest
from stored_points import START_MS, found, selector

from spanglass_server.issues.model import IssueChange, Sighting
from spanglass_server.issues.sqlite_store import SqliteIssueStore
from spanglass_server.issues.states import State
from spanglass_server.promql.engine import Options, instant
from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.ports import Selector
from spanglass_server.promql.series.labels import NAME
from spanglass_server.promql.stored.source import StoredSeries
from spanglass_server.query.issues.event_log import EventLog

#: A whole minute.
BASE_MS = START_MS // 60_000 * 60_000
BASE_NS = BASE_MS * 1_000_000
SECOND = 10**9


def seen(key, second, service="cart", release="1.0", kind="KeyError"):
    """What the deriver saw of a key at a time."""
    at = BASE_NS + second * SECOND
    title = f"{kind}: {key}"
    return Sighting(key, service, title, kind, str(key), "Stock.take", 1, (("type", kind),), at, at, release, "live")


@pytest.fixture
def store(tmp_path):
    """An issue store with two new issues, one of which came back."""
    opened = SqliteIssueStore(tmp_path / "issues", 1000)
    opened.observe([seen(1, 5)], BASE_NS + 10 * SECOND)
    opened.observe([seen(2, 50, "shop", kind="OSError")], BASE_NS + 60 * SECOND)
    opened.change(["CART-1"], IssueChange(State.RESOLVED), "me", BASE_NS + 70 * SECOND)
    yield opened
    opened.close()


def total(series, conditions, at_s=600, window="10m", by="event, issue"):
    """The increase by labels, values as they are told."""
    text = f"sum by ({by}) (increase(issue_events_total{{{conditions}}}[{window}]))"
    value = instant(series, text, BASE_MS + at_s * 1000, Options()).value
    rows = [tuple(row.values()) for row in value.labels.rows()]
    counts = {row: round(found, 2) for row, found in zip(rows, value.values[:, 0].tolist(), strict=True)}
    return {row: count for row, count in counts.items() if count}


def test_events_are_counted_as_they_come(open_tables, store):
    """New issues and regressions count at their time, in ranges that have them, also those read on later."""
    series = StoredSeries(open_tables(), events=EventLog(store))
    assert total(series, "") == {("new_issue", "CART-1"): 1, ("new_issue", "SHOP-1"): 1}
    store.observe([seen(1, 300, release="1.1")], BASE_NS + 310 * SECOND)
    assert total(series, "", window="5m") == {("regression", "CART-1"): 1}
    assert total(series, 'event="new_issue", service_name="shop"', by="title, exception_type, release") == {
        ("OSError", "1.0", "OSError: 2"): 1
    }
    assert [*total(series, 'exception_type=~"Key.*"', by="release")] == [("1.0",), ("1.1",)]
    assert total(series, "", at_s=10**6) == {}


def test_series_have_few_labels_unless_more_are_named(open_tables, store):
    """Labels are event, service, issue and type; the values are whole at the steps."""
    session = open_tables()
    assert found(session, "issue_events_total") == {}
    series = StoredSeries(session, events=EventLog(store))
    wanted = selector("issue_events_total", between=(BASE_MS, BASE_MS + 600_000))
    assert series.series([wanted])[0] == {
        NAME: "issue_events_total",
        "event": "new_issue",
        "exception_type": "KeyError",
        "issue": "CART-1",
        "service_name": "cart",
    }
    assert series.label_values(NAME, [Selector((), BASE_MS, BASE_MS + 600_000)]) == ["issue_events_total"]
    assert series.label_values(NAME, [Selector((), BASE_MS - 10, BASE_MS)]) == []


def test_filters_mean_what_an_event_knows(open_tables, store):
    """``__filter__`` is a filter over the fields of the event and its issue; others are refused with their place."""
    series = StoredSeries(open_tables(), events=EventLog(store))
    for text, issues in (
        ("service:cart", ["CART-1"]),
        ("exception.type:OSError or issue:CART-1", ["CART-1", "SHOP-1"]),
        ("not exception.message:1", ["SHOP-1"]),
        ("title:Key*", ["CART-1"]),
        ("environment:live release:1.0 culprit exists", ["CART-1", "SHOP-1"]),
        ("oserror", ["SHOP-1"]),
        ("nothing", []),
    ):
        assert sorted(total(series, f"__filter__=`{text}`", by="issue")) == [(issue,) for issue in issues], text
    for text, column in (("service:a http.route:/b", 11), ("state:new", 1), ("user:me", 1), ("(", 2)):
        with pytest.raises(
            PromqlError, match=f"expected .*at character {column}|at character {column}; expected"
        ) as wrong:
            total(series, f"__filter__=`{text}`")
        assert wrong.value.kind == "bad_data"


def test_what_nobody_counts_is_known_to_be_missing(open_tables, store):
    """Events that lie in a range, or in as long before it, may be counted; of other records there are none."""
    series = StoredSeries(open_tables(), events=EventLog(store))
    names = frozenset({"issue_events_total", "spans_total", "log_records_total", "gone"})
    others = names - {"issue_events_total"}
    assert series.lacking(names, BASE_MS, BASE_MS + 600_000) == others
    assert series.lacking(names, BASE_MS + 600_000, BASE_MS + 1_200_000) == others
    assert series.lacking(names, BASE_MS + 3_600_000, BASE_MS + 3_700_000) == names
    assert StoredSeries(open_tables()).lacking(names, BASE_MS, BASE_MS + 600_000) == names


def test_spans_and_log_records_may_be_counted_where_there_are_any(open_tables):
    """What is counted of a signal is missing while there is no record of it."""
    names = frozenset({"spans_total", "span_duration_seconds_count", "log_records_total"})
    of_logs = frozenset({"log_records_total"})
    span = {"start_time_ns": BASE_NS, "duration_ns": 5, "name": "GET", "kind": 2}
    log = {"time_ns": BASE_NS}
    for tables, missing in (({"spans": [span]}, of_logs), ({"logs": [log]}, names - of_logs)):
        assert StoredSeries(open_tables(**tables)).lacking(names, BASE_MS - 60_000, BASE_MS + 60_000) == missing
