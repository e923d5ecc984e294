"""Relations hold exactly the columns asked for, and pruning never loses a row."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stored_spans import Bench, table, trace_id

from spanglass_server.signals import FIXED_COLUMNS, AttributeColumn, Signal, ValueType, sql_type
from spanglass_server.store.ports import ALL_TIME, Window
from spanglass_server.store.segment_files.catalog import Change

A, B, C = "span.a:str", "span.b:int", "resource.c:str"


def test_a_column_that_a_segment_lacks_is_null(bench):
    """Segments and memory with other columns fill in; one that nothing has is null throughout."""
    bench.write(table([{"n": 1, A: "x"}]))
    bench.write(table([{"n": 2, B: 5}]))
    bench.buffer(table([{"n": 3, A: "y", C: "z"}]))

    assert bench.select([A, B, C, "span.never:bool"]) == [
        {A: "x", B: None, C: None, "span.never:bool": None},
        {A: None, B: 5, C: None, "span.never:bool": None},
        {A: "y", B: None, C: "z", "span.never:bool": None},
    ]


def test_whole_rows_lie_on_disk_and_in_memory(bench):
    """Half of a trace is in a segment, half is not yet, and there texts are dictionaries: the rows are one table."""
    rows = [table([{"n": number, C: "web"}]) for number in (1, 2)]
    bench.write(rows[0])
    bench.buffer(rows[1].set_column(rows[1].column_names.index(C), C, rows[1][C].dictionary_encode()))

    def ask(session):
        return session.whole_rows(Signal.SPANS, ALL_TIME, "true")

    found = bench.engine.run_here(ask)
    assert (sorted(found["name"].to_pylist()), found[C].to_pylist()) == (["1", "2"], ["web", "web"])


def test_whole_rows_are_found_by_columns_that_some_parts_lack(bench):
    """A column that no row of a segment or of memory has is NULL there, in a condition too."""
    for add in (bench.write, bench.buffer):
        rows = table([{"n": 1, C: "web"}, {"n": 2, C: "web"}])
        add(rows.drop_columns(["status_message"]) if "status_message" in rows.column_names else rows)

    def ask(session, where):
        found = session.whole_rows(Signal.SPANS, ALL_TIME, where, ["1"])
        return found["name"].to_pylist() if found.num_columns else []

    assert bench.engine.run_here(lambda session: ask(session, "name = ? AND status_message IS NULL")) == ["1", "1"]
    assert bench.engine.run_here(lambda session: ask(session, "name = ? AND status_message = 'x'")) == []


def test_the_probability_of_sampled_spans_is_projected(bench):
    """Segments with sampled spans, those without, their merger and memory answer together; has_column knows where."""
    kept = "span.spanglass.sampling.probability:double"
    service = "resource.service.name:str"
    bench.write(table([{"n": 1, service: "web"}]))
    bench.write(table([{"n": 2, service: "web", kept: 0.1}, {"n": 3, service: "web"}]))
    bench.buffer(table([{"n": 4, service: "web", kept: 0.5}]))
    expected = [{"name": str(number), kept: value} for number, value in enumerate((None, 0.1, None, 0.5), 1)]
    assert bench.select(["name", kept]) == expected
    for number in (5, 6):
        bench.write(table([{"n": number, service: "web"}]))
    assert bench.store.compact() == 4
    assert bench.select(["name", kept])[:4] == expected

    def which(session):
        return [session.has_column(Signal.SPANS, window, kept) for window in (ALL_TIME, Window(1, 2), Window(4, 5))]

    # the merged segment reaches over all of them
    assert bench.engine.run_here(which) == [True, True, True]
    assert not bench.engine.run_here(lambda session: session.has_column(Signal.LOGS, ALL_TIME, kept))


@pytest.mark.parametrize("signal", list(Signal))
def test_an_empty_store_has_every_column(bench, signal):
    """With nothing stored a relation has no rows, and its columns have the types that the vocabulary says."""

    def ask(session):
        source = session.relation(signal, ALL_TIME, [*FIXED_COLUMNS[signal], "point.k:double"])
        return session.rows(f"DESCRIBE SELECT * FROM {source}")  # noqa: S608

    described = {row["column_name"]: row["column_type"] for row in bench.engine.run_here(ask)}

    assert described == {**FIXED_COLUMNS[signal], "point.k:double": "DOUBLE"}


def test_stored_columns_have_the_types_of_the_vocabulary(bench):
    """What comes back from Parquet has the declared type, lists, unsigned numbers and bytes included."""
    types = {
        "flags": pa.uint32(),
        "kind": pa.uint8(),
        "event_time_ns": pa.list_(pa.int64()),
        "event.k:bytes": pa.list_(pa.binary()),
    }
    row = {"n": 1, "flags": 2**32 - 1, "kind": 255, "event_time_ns": [2**62], "event.k:bytes": [b"\0"]}
    bench.write(table([row], **types))

    def ask(session):
        source = session.relation(Signal.SPANS, ALL_TIME, types)
        return session.rows(f"DESCRIBE SELECT * FROM {source}"), session.rows(f"SELECT * FROM {source}")  # noqa: S608

    described, rows = bench.engine.run_here(ask)

    assert {d["column_name"]: d["column_type"] for d in described} == {
        name: sql_type(Signal.SPANS, name) for name in types
    }
    assert rows == [{name: row[name] for name in types}]


def test_no_columns_still_have_rows(bench):
    """A relation without columns has a row for each record: counting needs none."""
    bench.write(table([{"n": 1}, {"n": 2}]))
    bench.buffer(table([{"n": 3}]))

    def ask(session):
        return session.rows(f"SELECT count(*) AS rows FROM {session.relation(Signal.SPANS, ALL_TIME, [])}")  # noqa: S608

    assert bench.engine.run_here(ask) == [{"rows": 3}]


def test_columns_are_counted_with_their_rows(bench):
    """Attribute columns come with the rows of the segments and chunks that have them, within the window."""
    bench.write(table([{"n": 1, A: "x"}, {"n": 2}]))
    bench.buffer(table([{"n": 30, A: "x", B: 1}]))

    def ask(session):
        return session.columns(Signal.SPANS), session.columns(Signal.SPANS, Window(0, 30)), session.columns(Signal.LOGS)

    assert bench.engine.run_here(ask) == ({A: 3, B: 1}, {A: 2}, {})


NAMES = [
    *("Key", "key", "KEY", 'qu"ote', "it's", "semi;colon", "a.b.c", "a:b", "sp ace", "ümläut", "ÜMLÄUT", "日本", "🙈"),
    *("^", "^k", "select", "x" * 256, "%s", "{}", "$1", "?", "--", "", "[*]", "\u212a", "K"),
]


def test_any_name_is_a_column(bench):
    """Keys with quotes, dots, capitals, other scripts and hundreds of characters are columns that keep apart."""
    names = [AttributeColumn("span", key, ValueType.STR).name for key in NAMES]
    bench.write(table([{"n": number, name: NAMES[number]} for number, name in enumerate(names)]))
    bench.buffer(table([{"n": 100 + number, name: NAMES[number]} for number, name in enumerate(names)]))
    rows = bench.select(names)
    single = [bench.select([name], window=Window(number, number + 1)) for number, name in enumerate(names)]

    assert [{k: v for k, v in row.items() if v is not None} for row in rows] == [
        {name: key} for name, key in zip(names, NAMES, strict=True)
    ] * 2
    assert single == [[{name: key}] for name, key in zip(names, NAMES, strict=True)]
    assert [AttributeColumn.parse(name).key for name in names] == NAMES


ROWS = st.lists(
    st.fixed_dictionaries(
        {"n": st.integers(0, 40)}, optional={A: st.sampled_from("xy"), B: st.integers(0, 2), C: st.just("z")}
    ),
    min_size=1,
    max_size=4,
)
NUMBERS = st.integers(0, 41)


def test_pruning_never_loses_a_row(tmp_path):
    """For any segments, chunks, windows, required columns and trace ids: all rows that match, and none twice."""
    opened = Bench(tmp_path / "data", threads=1)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(ROWS, max_size=4),
        st.lists(ROWS, max_size=2),
        st.tuples(NUMBERS, NUMBERS).map(sorted),
        st.lists(st.sampled_from([A, B, C]), unique=True),
        st.lists(NUMBERS, max_size=2),
    )
    def prune(on_disk, in_memory, ends, require, traces):
        for rows in on_disk:
            opened.write(table(rows))
        for rows in in_memory:
            opened.buffer(table(rows))
        window = Window(*ends)
        wanted = [
            row
            for rows in (*on_disk, *in_memory)
            for row in rows
            if window.start_ns <= row["n"] < window.end_ns
            and (not require or any(row.get(name) is not None for name in require))
            and (not traces or row["n"] in traces)
        ]
        found = opened.select(
            [A, B, C, "trace_id"], window=window, require=require, trace_ids=[trace_id(number) for number in traces]
        )
        matching = [
            row
            for row in found
            if (not require or any(row[name] is not None for name in require))
            and (not traces or int.from_bytes(row["trace_id"], "big") in traces)
        ]
        for generation in range(1, opened.generation + 1):
            opened.flush(generation)
        opened.store._commit(Change(remove=[held.id for held in opened.catalog.segments()]))

        assert sorted(map(_key, matching), key=repr) == sorted(
            (_key({**row, "trace_id": trace_id(row["n"])}) for row in wanted), key=repr
        )

    try:
        prune()
    finally:
        opened.close()


def _key(row):
    return tuple(row.get(name) for name in ("trace_id", A, B, C))


def test_zeros_of_older_versions_are_no_parent(bench):
    """A parent id of zeros is null in relations, in segments and in memory; whole rows have it as it was stored."""
    rows = table([{"n": 1, "parent_span_id": bytes(8)}, {"n": 2, "parent_span_id": b"\1" * 8}])
    bench.write(rows)
    bench.buffer(rows)

    assert [row["parent_span_id"] for row in bench.select(["parent_span_id"])] == [None, None, b"\1" * 8, b"\1" * 8]
    whole = bench.engine.run_here(lambda session: session.whole_rows(Signal.SPANS, ALL_TIME, "true"))
    assert whole["parent_span_id"].to_pylist() == [bytes(8), b"\1" * 8] * 2


MINUTE = 60_000_000_000


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(1, 5), st.sampled_from([0, 1]) | st.integers(0, 30_000)), min_size=1, max_size=6
        ),
        max_size=4,
    )
)
def test_windows_of_traces_leave_out_no_span(tmp_path_factory, batches):
    """Every span of a trace begins in one of its windows: in segments, merged ones, those of a month, and in memory."""
    bench = Bench(tmp_path_factory.mktemp("store") / "data")
    for place, batch in enumerate(batches):
        rows = table([{"n": trace} for trace, _ in batch])
        starts = pa.array([minute * MINUTE for _, minute in batch])
        rows = rows.set_column(rows.column_names.index("start_time_ns"), "start_time_ns", starts)
        (bench.buffer if place == 3 else bench.write)(rows)
    found = bench.engine.run_here(lambda session: session.trace_windows([trace_id(number) for number in (1, 2, 3)]))

    for trace, minute in (span for batch in batches for span in batch if span[0] <= 3):
        inside = [one for of, one in found if of == trace_id(trace) and one.start_ns <= minute * MINUTE < one.end_ns]
        assert inside, (trace, minute)
    bench.engine.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(1, 5), st.sampled_from([0, 1]) | st.integers(0, 30_000)), min_size=1, max_size=6
        ),
        max_size=4,
    ),
    st.integers(0, 30_000),
)
def test_no_trace_with_spans_outside_is_left_out(tmp_path_factory, batches, first):
    """Traces with spans that begin around some minutes, but not in them, are told: from segments, and from memory.

    None is told where nothing is asked about.
    """
    bench = Bench(tmp_path_factory.mktemp("store") / "data")
    for place, batch in enumerate(batches):
        rows = table([{"n": trace} for trace, _ in batch])
        starts = pa.array([minute * MINUTE for _, minute in batch])
        rows = rows.set_column(rows.column_names.index("start_time_ns"), "start_time_ns", starts)
        (bench.buffer if place == 3 else bench.write)(rows)
    near, around = (Window(first * MINUTE, (first + more) * MINUTE) for more in (5, 20_000))
    asked = [trace_id(number) for number in (1, 2, 3)]
    found = bench.engine.run_here(lambda session: session.traces_outside(asked, near, around))

    spans = [(trace_id(trace), minute) for batch in batches for trace, minute in batch if trace <= 3]
    assert {trace for trace, minute in spans if first + 5 <= minute < first + 20_000} <= set(found)
    everywhere = Window(min([near.start_ns, *(minute * MINUTE for _, minute in spans)]), near.end_ns)
    before = bench.engine.run_here(lambda session: session.traces_outside(asked, ALL_TIME, everywhere))
    assert set(before) == set()
    bench.engine.close()


def test_segments_with_the_time_itself_are_read(bench):
    """Their filters, whose minutes let others through, are not asked: one trace of two reaches further, and is told."""
    bench.write(table([{"n": number} for number in (1, 2, 2 + 5 * MINUTE)]))
    rows = table([{"n": 1}, {"n": 2}])
    starts = pa.array([MINUTE, 9 * MINUTE])
    bench.write(rows.set_column(rows.column_names.index("start_time_ns"), "start_time_ns", starts))
    near = Window(0, 3 * MINUTE)
    found = bench.engine.run_here(lambda session: session.traces_outside([trace_id(1), trace_id(2)], near, ALL_TIME))
    assert found == {trace_id(2)}


@pytest.mark.parametrize("rows", [0, 3, 2048, 5000])
def test_an_answer_is_whole_and_in_one_piece(bench, rows):
    """Whatever batches DuckDB gives it in: readers of columns look at one array."""
    sql = f"SELECT i, 'v' || i AS text FROM range({rows}) t(i) ORDER BY i"  # noqa: S608 - a number

    found = bench.engine.run_here(lambda session: session.execute(sql))

    assert found["i"].to_pylist() == list(range(rows))
    assert found["text"].to_pylist() == [f"v{number}" for number in range(rows)]
    assert {column.num_chunks for column in found.columns} <= {0, 1}
