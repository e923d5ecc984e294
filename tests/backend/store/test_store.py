"""Memory becomes segments, small ones become large ones, old ones go: without losing or doubling a row."""

from __future__ import annotations

import itertools

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stored_spans import Bench, table, trace_id

from spanglass_server.signals import Signal
from spanglass_server.store import store
from spanglass_server.store.contents import Chunk
from spanglass_server.store.ports import ALL_TIME
from spanglass_server.store.segment_files import segments
from spanglass_server.store.segment_files.catalog import Change, Digests
from spanglass_server.store.segment_files.retention import RetentionLimits
from spanglass_server.store.segment_files.segments import ROW_GROUP_ROWS

HOUR_NS = 3600 * 10**9


def numbered(*numbers, **values):
    """A table of numbered spans that all have these attributes."""
    return table([{"n": number, **values} for number in numbers])


def test_memory_and_segments_are_one(bench):
    """Rows of a segment, of a generation being flushed and of one in memory are in the answer, each once."""
    bench.write(numbered(1, 2))
    bench.buffer(numbered(3))
    bench.buffer(numbered(4, 5))
    before = bench.numbers()
    bench.flush(2)

    assert before == bench.numbers() == [1, 2, 3, 4, 5]
    assert len(bench.files()) == 2


def test_a_commit_that_fails_keeps_its_rows(bench, monkeypatch):
    """Rows stay in memory; the files stay until it is sure that no crash brings the commit back, and no more come."""
    bench.buffer(numbered(1, 2))

    def full(change):
        del change
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(bench.catalog, "commit", full)
        for _ in range(3):
            with pytest.raises(OSError, match="no space left"):
                bench.flush()
    after_failures = bench.numbers(), len(bench.files())
    bench.flush()

    assert after_failures == ([1, 2], 1)
    assert bench.numbers() == [1, 2]
    assert (len(bench.files()), bench.strays()) == (1, [])


def test_a_flush_that_fails_for_one_signal_leaves_no_file(bench, monkeypatch):
    """Segments and projections of the signals before it are deleted, at each try; nothing is lost by it."""
    bench.buffer(numbered(1))
    points = pa.table({"time_ns": [1], "metric_name": ["m"], "count": pa.array([1], pa.uint64())})
    bench.store.append({Signal.METRICS: Chunk.of(bench.generation, Signal.METRICS, points, 0)})
    write, left = store.write_segment, []

    def failing(chunks, schema, new, *place):
        if new.signal is Signal.METRICS:
            raise RuntimeError("as a defect would")
        return write(chunks, schema, new, *place)

    with monkeypatch.context() as patched:
        patched.setattr(store, "write_segment", failing)
        for _ in range(3):
            with pytest.raises(RuntimeError, match="as a defect would"):
                bench.flush()
            left += bench.all_files()
    bench.flush()

    assert left == []
    assert (bench.numbers(), len(bench.select(["count"], Signal.METRICS))) == ([1], 1)
    assert bench.strays() == []


def test_segments_that_cant_be_merged_hinder_no_others(bench, monkeypatch):
    """After three merges that fail, and not for the disk, the segments stay as they are and the next are merged."""
    for number in range(4):
        bench.write(numbered(number, **{"span.bad:int": 1}))
    schema = store.merged_schema

    def failing(schemas):
        merged = schema(schemas)
        if "span.bad:int" in merged.names:
            raise RuntimeError("as a defect would")
        return merged

    monkeypatch.setattr(store, "merged_schema", failing)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="as a defect would"):
            bench.store.compact()
    for number in range(4, 8):
        bench.write(numbered(number))

    assert bench.store.compact() == 4
    assert bench.numbers() == list(range(8))
    assert (len(bench.files()), bench.strays()) == (5, [])


def test_a_file_that_cant_be_written_leaves_nothing(bench):
    """Where the folder of segments can't be made, the flush raises OSError and rows stay in memory."""
    bench.buffer(numbered(1))
    (bench.data_dir / "segments").write_text("in the way")
    with pytest.raises(OSError, match="segments"):
        bench.flush()

    assert bench.numbers() == [1]


def test_segments_are_found_after_a_restart(bench):
    """What was flushed is there when the directory is opened again, and how far the journal was read."""
    bench.write(numbered(1, 2))
    bench.close()
    again = Bench(bench.data_dir)
    found = again.numbers(), again.catalog.journal_start()
    again.close()

    assert found == ([1, 2], 2)


def test_strays_are_removed_at_start(bench):
    """Files in the segments' folders that no catalog knows are deleted; the others stay."""
    bench.write(numbered(1))
    known = bench.files()
    bench.close()
    folder = bench.data_dir / "segments" / "spans"
    (folder / "000000000099.parquet").write_bytes(b"never committed")
    (folder / "000000000100.partial").write_bytes(b"never finished")
    again = Bench(bench.data_dir)
    found = again.files(), again.strays(), again.numbers()
    again.close()

    assert found == (known, [], [1])


def test_compaction_keeps_every_row_of_every_schema(bench):
    """Segments with different columns become one with all of them; a row lacks what it lacked."""
    bench.write(numbered(1, **{"span.a:str": "x"}))
    bench.write(table([{"n": 2, "span.b:int": 5, "event.e:str": ["y", None]}]))
    bench.write(numbered(3))
    bench.write(numbered(4, **{"span.a:str": "z", "span.c:bytes": b"\0"}))
    columns = ["name", "span.a:str", "span.b:int", "event.e:str", "span.c:bytes"]
    before = bench.select(columns)
    merged = bench.store.compact()

    assert merged == 4
    assert bench.select(columns) == before
    assert before[1] == {
        "name": "2",
        "span.a:str": None,
        "span.b:int": 5,
        "event.e:str": ["y", None],
        "span.c:bytes": None,
    }
    assert len(bench.files()) == 1
    assert bench.strays() == []
    assert bench.numbers(trace_ids=[trace_id(3)]) == [1, 2, 3, 4]


def test_compaction_of_other_signals_leaves_spans_alone(bench):
    """Each signal is merged for itself, up to its own number of segments."""
    for number in range(4):
        points = pa.table({"time_ns": [number], "metric_name": ["m"], "count": pa.array([number], pa.uint64())})
        bench.write(points, Signal.METRICS)
    for number in range(3):
        bench.write(numbered(number))
    merged = bench.store.compact()

    assert merged == 4
    assert [row["count"] for row in bench.select(["count"], Signal.METRICS)] == [0, 1, 2, 3]
    assert [path.split("/")[1] for path in bench.files()] == ["metrics", "spans", "spans", "spans"]


def test_a_large_segment_has_blocks_sorted_within(bench):
    """A segment of more rows than a block holds has several row groups, each sorted by service, name and instance."""
    count = ROW_GROUP_ROWS + 100
    service, instance = "resource.service.name:str", "resource.service.instance.id:str"
    spans = [
        {"n": at, "name": f"n{at % 2}", service: f"s{at % 3}", instance: f"i{at % 3}{at % 5}"} for at in range(count)
    ]
    bench.write(table(spans))
    with pq.ParquetFile(bench.data_dir / bench.files()[0]) as file:
        groups = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
        rows = file.read_row_group(0, ["start_time_ns", service, "name", instance]).to_pylist()

    assert groups == [ROW_GROUP_ROWS, 100]
    assert rows == sorted(rows, key=lambda row: (row[service], row["name"], row[instance], row["start_time_ns"]))
    assert [row["start_time_ns"] for row in bench.select(["start_time_ns"])] == list(range(count))


def test_spans_of_one_name_that_are_alike_stand_together(bench):
    """Each row group has few runs of a column of few values, in a block of its own too; no row is lost."""
    count, zone, user = 2 * ROW_GROUP_ROWS, "span.zone:str", "span.user:str"
    spans = [{"n": at, "name": "a", zone: f"z{at % 7}", user: f"u{at % 5}" if at % 3 else None} for at in range(count)]
    bench.write(table(spans))
    with pq.ParquetFile(bench.data_dir / bench.files()[0]) as file:
        groups = [file.read_row_group(number, [zone, user]).to_pylist() for number in range(file.num_row_groups)]

    for rows in groups:
        both = [(row[zone], row[user]) for row in rows]
        assert sum(here != before for here, before in itertools.pairwise(both)) == 7 * 6 - 1
    read = sorted(bench.select(["start_time_ns", zone, user]), key=lambda row: row["start_time_ns"])
    assert [(row[zone], row[user]) for row in read] == [(span[zone], span[user]) for span in spans]


def test_a_projection_is_sorted_by_service_and_name_then_by_time(bench):
    """Percentiles that DuckDB estimates depend on the order of rows: durations of a name stand as they came."""
    service = "resource.service.name:str"
    spans = [
        {"n": at, "name": f"n{at % 3}", service: "s", "duration_ns": at * 37 % 101 if at else None} for at in range(90)
    ]
    bench.write(table(spans))
    path = str(bench.data_dir / bench.files()[0]).replace("segments", "projections")
    rows = pq.read_table(path, columns=["name", "start_time_ns", "duration_ns"]).to_pylist()

    assert [row["name"] for row in rows] == [f"n{at // 30}" for at in range(90)]
    for name in ("n0", "n1", "n2"):
        times = [row["start_time_ns"] for row in rows if row["name"] == name]
        assert times == sorted(times)
    assert [row["duration_ns"] for row in rows[:30]] == [at * 37 % 101 if at else None for at in range(0, 90, 3)]


def test_segments_sorted_as_older_versions_did_are_read_and_merged(bench, monkeypatch):
    """Rows stay the same when such a segment is merged with one of today; what is merged is sorted as today's."""
    zone, count = "span.zone:str", 3000
    spans = [{"n": at, "name": "a", zone: f"z{at % 20}", "span.user:str": f"u{at % 7}"} for at in range(2 * count)]
    with monkeypatch.context() as older:
        older.setattr(segments, "alike_columns", lambda *_: [])
        bench.write(table(spans[:count]))
    bench.write(table(spans[count:]))
    runs = [_runs(bench.data_dir / file, zone) for file in bench.files()]
    before = bench.select(["start_time_ns", zone, "span.user:str"])
    bench.write(numbered(2 * count))
    bench.write(numbered(2 * count + 1))
    bench.store.compact()

    assert runs == [count, 20]
    assert len(bench.files()) == 1
    assert _runs(bench.data_dir / bench.files()[0], zone) <= 22
    assert bench.select(["start_time_ns", zone, "span.user:str"])[: 2 * count] == before
    assert [row[zone] for row in before] == [span[zone] for span in spans]


def _runs(path, column):
    """How many runs of equal values a column has."""
    values = pq.read_table(path, columns=[column])[column].to_pylist()
    return len(list(itertools.groupby(values)))


def test_the_footer_tells_of_columns_by_which_row_groups_are_told_apart(bench):
    """Extremes are written of times, numbers, spans' ids, texts of few values; not of texts of many, nor of lists."""
    spans = [
        {"n": at, "span_id": bytes([at] * 8), "span.zone:str": f"z{at % 3}", "span.user:str": f"u{at}",
         "span.size:int": at, "event.message:str": [f"m{at}"], "resource.service.name:str": f"s{at}"}
        for at in range(1, 40)
    ]  # fmt: skip
    bench.write(table(spans))
    group = pq.read_metadata(bench.data_dir / bench.files()[0]).row_group(0)
    columns = [group.column(place) for place in range(group.num_columns)]

    assert {column.path_in_schema for column in columns if column.is_stats_set} == {
        *("start_time_ns", "span.zone:str", "span.size:int", "resource.service.name:str", "name", "span_id")
    }
    assert sorted(row["span.user:str"] for row in bench.select(["span.user:str"])) == sorted(
        f"u{at}" for at in range(1, 40)
    )


def test_failed_spans_stand_first_in_their_block(bench):
    """In a segment failed spans come first, sorted among themselves, in the projection not; ids are as they were."""
    service = "resource.service.name:str"
    ids = [number.to_bytes(8, "big") for number in range(9)]
    spans = [
        {"n": number, service: f"s{number % 3}", "status_code": number % 4 or None, "span_id": ids[number]}
        for number in range(9)
    ]
    bench.write(table(spans, status_code=pa.uint8()))
    path = bench.data_dir / bench.files()[0]
    written = pq.read_table(path, columns=["status_code", service, "span_id"]).to_pylist()
    projected = pq.read_table(str(path).replace("segments", "projections")).to_pylist()

    failed = [row["status_code"] == 2 for row in written]
    assert failed == sorted(failed, reverse=True)
    for share in ([row for row in written if row["status_code"] == 2], written[sum(failed) :]):
        assert [row[service] for row in share] == sorted(row[service] for row in share)
    assert [row[service] for row in projected] == sorted(row[service] for row in projected)
    assert [row["span_id"] for row in bench.select(["span_id"])] == ids


def retained(tmp_path, limits):
    """A bench with retention and segments of three signals, an hour apart; the last one is the largest."""
    tmp_path.mkdir(exist_ok=True)
    bench = Bench(tmp_path / "kept", limits)
    for hour, signal in enumerate((Signal.SPANS, Signal.LOGS, Signal.METRICS), 1):
        time = "start_time_ns" if signal is Signal.SPANS else "time_ns"
        bench.write(pa.table({time: pa.array([hour * HOUR_NS], pa.int64()), "name": ["x" * 100 * hour]}), signal)
    return bench


def test_retention_by_age_deletes_files(tmp_path):
    """A signal's segments go once the newest of record and arrival is past its age; age 0 keeps a signal for ever."""
    ages = {Signal.SPANS: HOUR_NS, Signal.LOGS: 2 * HOUR_NS, Signal.METRICS: 0, Signal.OCCURRENCES: HOUR_NS}
    bench = retained(tmp_path, RetentionLimits(ages))
    left = []
    for now_ns in (2 * HOUR_NS, 2 * HOUR_NS + 1, 4 * HOUR_NS, 4 * HOUR_NS + 1, 10**6 * HOUR_NS):
        bench.store.retain(now_ns)
        left.append([path.split("/")[1] for path in bench.files()])
    known, strays = [held.signal for held in bench.catalog.segments()], bench.strays()
    bench.close()

    assert left == [["logs", "metrics", "spans"], ["logs", "metrics"], ["logs", "metrics"], ["metrics"], ["metrics"]]
    assert known == [Signal.METRICS]
    assert strays == []


def test_records_that_came_late_are_kept_from_then_on(tmp_path):
    """Data of long ago that arrived just now is as young as its arrival."""
    bench = Bench(tmp_path / "kept", RetentionLimits({Signal.SPANS: HOUR_NS}))
    bench.write(numbered(1), arrived_ns=100 * HOUR_NS)
    bench.store.retain(101 * HOUR_NS)
    kept = bench.numbers()
    bench.store.retain(101 * HOUR_NS + 1)
    gone = bench.numbers(), bench.all_files()
    bench.close()

    assert (kept, gone) == ([1], ([], []))


def test_retention_by_bytes_deletes_the_oldest(tmp_path):
    """Past the bytes the oldest segments of any signal go, no more of them than needed, and disk shows it."""
    probe = retained(tmp_path / "probe", RetentionLimits({}))
    sizes = [held.bytes for held in probe.catalog.segments()]
    on_disk = probe.bytes_on_disk()
    probe.close()
    bench = retained(tmp_path, RetentionLimits({}, max_bytes=sizes[1] + sizes[2]))
    bench.store.retain(0)
    left = bench.files(), [held.signal for held in bench.catalog.segments()]
    size, strays = bench.bytes_on_disk(), bench.strays()
    bench.close()

    assert on_disk == sum(sizes)
    assert [path.split("/")[1] for path in left[0]] == ["logs", "metrics"]
    assert left[1] == [Signal.LOGS, Signal.METRICS]
    assert size == sizes[1] + sizes[2]
    assert strays == []


def test_what_queries_read_is_not_deleted_under_them(bench):
    """A query that began before a merge reads its files to the end; they are gone once it is done."""
    for number in range(4):
        bench.write(numbered(number))
    old = bench.files()

    def ask(session):
        source = session.relation(Signal.SPANS, ALL_TIME, ["name"])
        bench.store.compact()
        during = bench.files()
        return [row["name"] for row in session.rows(f"SELECT name FROM {source} ORDER BY name")], during  # noqa: S608

    names, during = bench.engine.run_here(ask)

    assert names == ["0", "1", "2", "3"]
    assert set(old) < set(during)
    assert len(bench.files()) == 1


def test_an_empty_generation_moves_the_journal_on(bench):
    """A generation without rows adds no segment, and its journal may go."""
    bench.store.flush(7, Digests(7, 0, frozenset()), 0)
    bench.catalog.commit(Change())

    assert bench.catalog.journal_start() == 8
    assert bench.files() == []
