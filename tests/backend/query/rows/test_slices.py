"""Cutting tables by what their rows take once they are written."""

from __future__ import annotations

import pyarrow as pa

from spanglass_server.query.exporting import running
from spanglass_server.query.exporting.records import Wanted
from spanglass_server.query.exporting.running import Written, begin_export, next_bytes
from spanglass_server.query.otlp_bytes.requests import requests_of
from spanglass_server.query.rows.slices import row_bytes, slices
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME


def test_a_text_that_rows_share_counts_in_each():
    """Dictionaries, lists of them, nulls, numbers and slices: each row has the bytes of its own values."""
    shared = pa.DictionaryArray.from_arrays(pa.array([0, None, 1, 0], pa.int32()), ["abc", "d"])
    lists = pa.ListArray.from_arrays([0, 1, 1, 2, 4], shared)
    table = pa.table({"t": shared, "l": lists, "b": [b"", None, b"xy", b"x"], "n": [1, 2, 3, 4], "e": pa.nulls(4)})
    assert row_bytes(table).tolist() == [3 + 3 + 8, 8, 1 + 2 + 8, 3 + 1 + 3 + 1 + 8]
    assert row_bytes(table.slice(2)).tolist() == row_bytes(table).tolist()[2:]
    assert [each.num_rows for each in slices(table, 3, 24)] == [2, 1, 1]
    assert [each.num_rows for each in slices(table, 3, 1)] == [1, 1, 1, 1]
    assert [each.num_rows for each in slices(table, 3, 1_000)] == [3, 1]
    assert pa.concat_tables(slices(table, 3, 24)).to_pydict() == table.to_pydict()


def test_large_records_are_read_and_written_a_few_at_a_time(open_tables, monkeypatch):
    """Of logs with large bodies, alike or not, no piece of a file and no request of an import is large."""
    monkeypatch.setattr(running, "_READ_BYTES", 40_000)
    monkeypatch.setattr(running, "_WRITTEN_BYTES", 20_000)
    end_ns = ALL_TIME.end_ns
    bodies = [f"{n % 2 * n:05d}" * 500 for n in range(64)]
    rows = [{"time_ns": end_ns // 64 * n, "body": body, "arrival_order": n} for n, body in enumerate(bodies)]
    session = open_tables(logs=rows)
    for form, most in (("arrow", 30_000), ("ndjson", 30_000), ("otlp", 30_000)):
        export = begin_export(session, Wanted(Signal.LOGS, ALL_TIME), Written(form, framed=True))
        sizes, records = [], 0
        while export is not None:
            content, export = next_bytes(session, export)
            sizes.append(len(content))
            records += int.from_bytes(content[4:8]) if content else 0
        assert (records, len(sizes) > 8, max(sizes) < most) == (64, True, True), (form, sizes)
    body = pa.DictionaryArray.from_arrays(pa.array([0] * 64, pa.int32()), ["x" * (1 << 20)])
    sent = list(requests_of(Signal.LOGS, pa.table({"time_ns": list(range(64)), "body": body})))
    assert (len(sent), sum(count for _, count in sent)) == (5, 64)
    assert max(len(content) for content, _ in sent) < 18 << 20
