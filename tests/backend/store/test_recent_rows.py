"""Rows of segments that were just written are found without it."""

from __future__ import annotations

import pyarrow as pa
import pytest
from stored_spans import Bench, table, trace_id

from spanglass_server.signals import Signal
from spanglass_server.store.disk import Disk
from spanglass_server.store.ports import ALL_TIME, OfTraces, QueryError
from spanglass_server.store.segment_files import segments
from spanglass_server.store.traces.recent_rows import RecentRows

SERVICE = "resource.service.name:str"


def spans(first, count=40):
    """Spans of five traces, with texts that repeat, texts that do not, failed ones and lists."""
    rows = [
        {
            "n": row % 5,
            "span_id": row.to_bytes(8, "big"),
            "status_code": 2 if row % 7 == 0 else None,
            SERVICE: f"service {row % 3}",
            "span.long:str": f"a text that is long {row % 2}" if row % 4 else None,
            "span.number:int": row if row % 3 else None,
            "event_time_ns": [row] if row % 6 == 0 else None,
        }
        for row in range(first, first + count)
    ]
    made = table(rows, status_code=pa.uint8(), event_time_ns=pa.list_(pa.int64()))
    return made.set_column(made.column_names.index(SERVICE), SERVICE, made[SERVICE].dictionary_encode())


def flushed(bench):
    """Flush two chunks of one generation, the second without a column of the first."""
    bench.buffer(spans(0))
    bench.generation -= 1
    bench.buffer(spans(40).drop_columns("span.number:int"))
    bench.flush()


def found(bench, number=3):
    """The rows of a trace, whole, without what is null."""
    rows = bench.engine.run_here(lambda s: s.trace_rows(Signal.SPANS, ALL_TIME, OfTraces([trace_id(number)])))
    for parts in ({("a part", 0)}, set()):
        bench.engine.kept.forget_all_but(parts)  # nothing is kept for the next question
    found = [{name: value for name, value in sorted(row.items()) if value is not None} for row in rows.to_pylist()]
    return sorted(found, key=lambda row: row["span_id"])


def kept_files(bench):
    """The files of recent rows on disk."""
    return [path for path in bench.all_files() if path.startswith("recent/")]


def test_rows_are_those_of_the_segment(bench, monkeypatch):
    """A trace in two chunks and several row groups; without the segment's file they are found all the same."""
    monkeypatch.setattr(segments, "ROW_GROUP_ROWS", 16)
    flushed(bench)
    recent = [found(bench, number) for number in range(6)]
    path = bench.data_dir / bench.files()[0]
    held = path.read_bytes()
    path.unlink()
    assert found(bench) == recent[3]

    path.write_bytes(held)
    (bench.data_dir / kept_files(bench)[0]).unlink()
    assert [found(bench, number) for number in range(6)] == recent
    assert [len(rows) for rows in recent] == [16] * 5 + [0]
    path.unlink()
    with pytest.raises(QueryError, match="could not be read"):
        found(bench)


def test_damaged_files_are_not_asked(bench):
    """Garbage in the place of recent rows leaves the segment's."""
    flushed(bench)
    expected = found(bench)
    path = bench.data_dir / kept_files(bench)[0]
    path.write_bytes(b"\xff" * path.stat().st_size)
    assert found(bench) == expected


def test_rows_are_kept_until_the_second_look_for_small_segments(bench):
    """Nor longer than the segment, nor beyond a start."""
    for _ in range(3):
        flushed(bench)
    assert len(kept_files(bench)) == 3
    bench.store.compact()
    assert len(kept_files(bench)) == 3
    bench.store.compact()
    assert kept_files(bench) == []

    for _ in range(2):
        flushed(bench)
    expected = found(bench)
    bench.store.compact()  # five of a size are one now
    assert (kept_files(bench), len(bench.catalog.segments())) == ([], 1)
    assert len(found(bench)) == len(expected)

    flushed(bench)
    assert len(kept_files(bench)) == 1
    again = Bench(bench.data_dir)
    assert kept_files(bench) == []
    assert len(found(again)) == len(expected) + 16
    again.close()


def test_the_oldest_go_first_beyond_a_size(tmp_path, bench):
    """All files together stay below the bound; a single larger one is not kept at all."""
    flushed(bench)
    (segment,) = bench.catalog.segments()
    size = (bench.data_dir / kept_files(bench)[0]).stat().st_size
    kept = RecentRows(tmp_path, most_bytes=2 * size)
    later = [segments.Segment(**{**fields(segment), "id": number, "file": f"{number}"}) for number in range(3)]
    gone = [kept.keep(each, [spans(0), spans(40).drop_columns("span.number:int")]) for each in later]
    assert gone == [[], [], ["recent/spans/000000000000.arrows"]]
    assert kept.find(tmp_path / "0", OfTraces([trace_id(3)])) is None
    assert sum(rows.num_rows for rows in kept.find(tmp_path / "2", OfTraces([trace_id(3)]))) == 16
    assert kept.forget(later) == ["recent/spans/000000000001.arrows", "recent/spans/000000000002.arrows"]
    assert RecentRows(tmp_path, most_bytes=size - 1).keep(later[0], [spans(0), spans(40)]) != []


def fields(segment):
    """What a segment is made of."""
    return {name: getattr(segment, name) for name in segment.__slots__}


class FullDisk(Disk):
    """A disk that has room for segments and nothing else."""

    def write_streams(self, path, tables):
        """Begin, and fail."""
        path.write_bytes(f"begun with {next(iter(tables)).num_rows}".encode())
        raise OSError(28, "No space left on device", str(path))


def test_a_disk_that_fails_costs_nothing_but_time(bench, monkeypatch):
    """The segment is there, its rows are found in it, and what was begun is gone."""
    monkeypatch.setattr(bench.store.contents.recent, "_disk", FullDisk())
    flushed(bench)
    assert kept_files(bench) == []
    assert len(found(bench)) == 16
