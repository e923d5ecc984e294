"""Operations of a service now and before."""

from __future__ import annotations

from spanglass_server.query.comparing.operations import compare_operations
from spanglass_server.query.records import match_records
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Window

START_NS = 1_700_000_000 * 10**9
MS = 1_000_000


def span(number, name, offset_s, *, ms=10, kind=2, failed=False):
    """Make a span so long after the time that parts now from before."""
    return {
        "trace_id": number.to_bytes(16),
        "span_id": number.to_bytes(8),
        "name": name,
        "kind": kind,
        "start_time_ns": START_NS + offset_s * 10**9,
        "duration_ns": ms * MS,
        "status_code": 2 if failed else 0,
    }


def test_names_with_ids(open_tables):
    """Those that took most time now are compared; quantiles, 16 kB for each name, are asked only of them."""
    ids = [span(number, f"process order {number}", 1) for number in range(1, 1_000)]
    buy = [
        span(2_000 + place, "buy", place, ms=400 if place >= 0 else 100, failed=place == 0) for place in range(-2, 2)
    ]
    session = open_tables(spans=[*ids, *buy, span(3_000, "gone", -5, ms=900), span(3_001, None, 5, ms=50, kind=None)])
    records = match_records(session, Signal.SPANS, Window(START_NS - 10**10, START_NS + 10**10))
    found = compare_operations(session, records, START_NS)
    assert len(found) == 200
    first, second = found[:2]
    assert (first["operation"], first["kind"]) == ("buy", "server")
    assert first["now"] == {"spans": 2, "errors": 1, "p95_ns": 400 * MS}
    assert first["before"] == {"spans": 2, "errors": 0, "p95_ns": 100 * MS}
    assert (second["operation"], second["kind"], second["now"]["p95_ns"]) == ("", "unspecified", 50 * MS)
    assert second["before"] == {"spans": 0, "errors": 0, "p95_ns": None}
    (quantiles,) = [sql for sql in session.statements if "approx_quantile" in sql]
    assert "SEMI JOIN" in quantiles
