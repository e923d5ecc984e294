"""Traces compared, as the API shows them."""

from __future__ import annotations

import pytest

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.trace_views import comparing
from spanglass_server.query.trace_views.comparing import Side, compare_traces
from spanglass_server.store.ports import ALL_TIME, Window

SECOND = 10**9
START = 1_700_000_000 * SECOND
NOW_NS = START + 3600 * SECOND


def trace(number, query_ns, *, calls=1, release="1"):
    """Make the stored spans of a request with some queries."""
    own = {"trace_id": number.to_bytes(16, "big"), "resource.service.name:str": "web"}
    start = START + number * SECOND
    root = {**own, "span_id": b"\x01" * 8, "name": "GET /", "start_time_ns": start, "duration_ns": 1000,
            "span.release:str": release}  # fmt: skip
    queries = [
        {**own, "span_id": bytes([2 + call]) * 8, "parent_span_id": b"\x01" * 8, "name": "SELECT",
         "start_time_ns": start + call * query_ns, "duration_ns": query_ns, "status_code": 2 * (call == 1)}
        for call in range(calls)
    ]  # fmt: skip
    return [root, *queries]


@pytest.fixture
def session(open_tables):
    """Two requests of one release, one of another whose query takes longer and is run twice."""
    return open_tables(spans=[*trace(1, 100), *trace(2, 200), *trace(3, 400, calls=2, release="2")])


def compared(session, first, second, window=ALL_TIME, window_b=ALL_TIME, limit=50):
    """Compare two sides."""
    return compare_traces(session, (Side("a", first, window), Side("b", second, window_b)), limit, NOW_NS)


def test_two_traces_by_their_ids(session):
    """Figures of each path on both sides, and what became of it."""
    answer = compared(session, f"{1:032x}", f"{3:032x}")
    assert answer["a"] == {"trace_ids": [f"{1:032x}"], "not_found": [], "traces": 1, "duration_ns": 1000,
                           "work_ns": 1000, "spans": 2, "errors": 0}  # fmt: skip
    root, query = answer["paths"]
    assert (root["change"], root["self_difference_ns"], root["work_difference_ns"]) == ("same", -700, 0)
    assert (query["name"], query["change"], query["self_difference_ns"]) == ("SELECT", "slower", 700)
    longest = {"trace_id": f"{3:032x}", "key": "02" * 8}
    assert query["b"] == {"traces": 1, "spans": 2, "errors": 1, "self_time_ns": 800, "work_ns": 800, "call_ns": 400,
                          "longest": longest}  # fmt: skip


def test_two_groups_by_filters_and_times(session):
    """A filter stands for the newest traces that match; a side may have a range of its own."""
    answer = compared(session, "release = 1", 'release = "2"')
    assert [answer[side]["traces"] for side in "ab"] == [2, 1]
    assert [path["self_difference_ns"] for path in answer["paths"]] == [-650, 650]
    assert compared(session, "release = 1", "release = 1", limit=1)["a"]["trace_ids"] == [f"{2:032x}"]
    early, late = Window(0, START + 2 * SECOND), Window(START + 3 * SECOND, NOW_NS)
    answer = compared(session, "", "", early, late)
    assert [answer[side]["trace_ids"] for side in "ab"] == [[f"{1:032x}"], [f"{3:032x}"]]


def test_what_cannot_be_compared_says_which_side(session, monkeypatch):
    """A filter that is broken, one that finds nothing, a trace that is not stored, too many ids."""
    for text, said in (("release = (", "at character"), ("release = 9", "no trace matches")):
        with pytest.raises(BadQuestionError, match=said) as caught:
            compared(session, "", text)
        assert caught.value.field == "b"
    with pytest.raises(BadQuestionError, match="no span of trace") as caught:
        compared(session, f"{9:032x}", "")
    assert caught.value.field == "a"
    some = compared(session, f"{9:032x}, {1:032x}", "")["a"]
    assert (some["trace_ids"], some["not_found"]) == ([f"{1:032x}"], [f"{9:032x}"])
    monkeypatch.setattr(comparing, "MOST_TRACES", 1)
    with pytest.raises(BadQuestionError, match="too many") as caught:
        compared(session, f"{1:032x}, {2:032x}", "")
    assert caught.value.field == "a"


def test_large_groups_are_bounded(session, monkeypatch):
    """Past so many spans no further trace is read, and of many paths the lightest are left out."""
    monkeypatch.setattr(comparing, "MOST_SPANS", 1)
    monkeypatch.setattr(comparing, "MOST_PATHS", 1)
    answer = compared(session, "", "release = 1")
    assert answer["a"]["traces"] == 1
    assert [path["name"] for path in answer["paths"]] == ["GET /"]
    assert answer["paths_left_out"] == 1
