"""Stored records as one Parquet file, most of it copied from storage."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stored_spans import table

from spanglass_server.query.exporting import copying, running
from spanglass_server.query.exporting.records import Wanted
from spanglass_server.query.exporting.running import Written, begin_export, next_bytes
from spanglass_server.signals import Signal
from spanglass_server.store.batches import whole_rows
from spanglass_server.store.ports import QueryError, Window
from spanglass_server.store.segment_files import segments


def rows_from(start, count, **more):
    """Spans whose times and names are numbers, with a parent of zeros among the last ten."""
    old = start + count - 3
    numbers = range(start, start + count)
    return table([{"n": n, "parent_span_id": bytes(8) if n == old else b"p" * 8, **more} for n in numbers])


def exported(bench, window):
    """A file of the spans of a window, and how many bytes came at a time."""
    wanted = Wanted(Signal.SPANS, window)
    place = bench.engine.run_here(lambda session: begin_export(session, wanted, Written("parquet")))
    parts = []
    while place is not None:
        content, place = bench.engine.run_here(lambda session, at=place: next_bytes(session, at))
        parts.append(content)
    return b"".join(parts), [len(part) for part in parts]


def test_row_groups_inside_a_range_are_copied(bench, monkeypatch):
    """Each row is there once, with all columns; only what is cut, small, old or in memory is written anew."""
    for module, name, value in (
        (segments, "ROW_GROUP_ROWS", 16),
        (whole_rows, "_LEAST_COPIED", 16),
        (copying, "_SENT_BYTES", 1),
        (running, "_COPIED_BYTES", 1 << 20),
    ):
        monkeypatch.setattr(module, name, value)
    bench.write(rows_from(0, 70, **{"span.a:str": "x"}))
    bench.write(rows_from(70, 48, **{"span.b:int": 5}))
    bench.buffer(rows_from(118, 20))
    content, sizes = exported(bench, Window(5, 130))
    rows = pq.read_table(pa.BufferReader(content)).to_pylist()
    assert sorted(row["start_time_ns"] for row in rows) == [*range(5, 130)]
    assert {row["start_time_ns"] for row in rows if row["parent_span_id"] is None} == {67, 115}
    assert [sum(row[name] is not None for row in rows) for name in ("span.a:str", "span.b:int")] == [65, 48]
    copied = [
        (file.metadata.row_group(number).num_rows, _first_chunk(path, file, number) in content)
        for path in map(bench.data_dir.joinpath, bench.files())
        for file in [pq.ParquetFile(path)]
        for number in range(file.num_row_groups)
    ]
    # the first is cut, the last of each segment has the parent of zeros or is small
    assert copied == [(16, False), (16, True), (16, True), (16, True), (6, False), (16, True), (16, True), (16, False)]
    assert len(sizes) == 6  # five row groups as they are, all others in one
    monkeypatch.setattr(running, "_COPIED_BYTES", 1)  # as many questions as can be
    again = pq.read_table(pa.BufferReader(exported(bench, Window(5, 130))[0]))
    assert sorted(again.to_pylist(), key=lambda row: row["start_time_ns"]) == sorted(
        rows, key=lambda row: row["start_time_ns"]
    )


def _first_chunk(path, file, number):
    """The bytes of the ids of a row group."""
    group = file.metadata.row_group(number)
    start = group.column(0).dictionary_page_offset or group.column(0).data_page_offset
    size = sum(group.column(leaf).total_compressed_size for leaf in range(group.num_columns))
    return path.read_bytes()[start : start + size]


def test_what_came_meanwhile_or_is_damaged_is_an_error(bench):
    """A record with a column that the file does not have is not left out, nor what can't be read."""
    bench.write(rows_from(0, 3))
    wanted = Wanted(Signal.SPANS, Window(0, 100))
    place = bench.engine.run_here(lambda session: begin_export(session, wanted, Written("parquet")))
    bench.buffer(rows_from(3, 3, **{"span.new:str": "x"}))
    with pytest.raises(QueryError, match="new columns"):
        bench.engine.run_here(lambda session: next_bytes(session, place))
    damaged = bench.data_dir / bench.files()[0]
    content = io.BytesIO(damaged.read_bytes())
    damaged.write_bytes(content.getvalue()[:50] + content.getvalue()[-8:])
    with pytest.raises(QueryError, match="could not be read"):
        exported(bench, Window(0, 100))
