"""A trace folded by path, as the API shows it."""

from __future__ import annotations

from spanglass_server.query.trace_views import paths
from spanglass_server.query.trace_views.paths import show_paths

TRACE_ID = b"\x01" * 16
NOW_NS = 10**18


def span(number, parent=None, *, start=0, duration=100, service="web", **more):
    """Make a stored span of the trace; times in nanoseconds after a second."""
    return {
        "trace_id": TRACE_ID,
        "span_id": number.to_bytes(8, "big"),
        "parent_span_id": parent.to_bytes(8, "big") if parent else None,
        "resource.service.name:str": service,
        "name": f"span {number}",
        "start_time_ns": 1_700_000_000_000_000_000 + start,
        "duration_ns": duration,
        **more,
    }


def query(number, start, table, **more):
    """Make a span of a database call below the root."""
    call = {
        "name": "SELECT",
        "kind": 3,
        "span.db.system.name:str": "x",
        "span.db.collection.name:str": table,
    }
    return span(number, 1, start=start, duration=20, **call, **more)


def test_equal_calls_are_one_path(open_tables):
    """Calls that say what they go to are told apart by it; figures are sums, and say what the trace waited for."""
    session = open_tables(spans=[span(1), query(2, 10, "a"), query(3, 40, "b", status_code=2), query(4, 70, "a")])
    answer = show_paths(session, TRACE_ID, NOW_NS)
    assert (answer["span_count"], answer["paths_left_out"]) == (4, 0)
    shown = [
        (path["depth"], path["name"], path["target"], path["spans"], path["errors"], path["self_time_ns"],
         path["work_ns"], path["critical_ns"], path["longest"])
        for path in answer["paths"]
    ]  # fmt: skip
    assert shown == [
        (0, "span 1", "", 1, 0, 40, 100, 40, f"{1:016x}"),
        (1, "SELECT", "a", 2, 0, 40, 40, 40, f"{2:016x}"),
        (1, "SELECT", "b", 1, 1, 20, 20, 20, f"{3:016x}"),
    ]


def test_the_lightest_paths_are_left_out(open_tables, monkeypatch):
    """Where every span has a name of its own, the answer is bounded, and says so."""
    monkeypatch.setattr(paths, "MOST_PATHS", 2)
    session = open_tables(spans=[span(1), span(2, 1, duration=10), span(3, 1, start=50, duration=30)])
    answer = show_paths(session, TRACE_ID, NOW_NS)
    assert [path["name"] for path in answer["paths"]] == ["span 1", "span 3"]
    assert answer["paths_left_out"] == 1
