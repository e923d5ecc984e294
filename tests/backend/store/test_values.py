"""Filters of values never hide a record, and spare most segments that lack a value."""

from __future__ import annotations

import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored_spans import Bench, table

from spanglass_server.query.matching import SpanQuestion
from spanglass_server.query.traces.search import Page, search_traces
from spanglass_server.signals import Signal
from spanglass_server.store.disk import Disk
from spanglass_server.store.ports import ALL_TIME
from spanglass_server.store.segment_files import segments
from spanglass_server.store.segment_files.segments import NewSegment, write_segment
from spanglass_server.store.values.building import build_filter
from spanglass_server.store.values.dictionaries import places_of_texts
from spanglass_server.store.values.files import ValueFilters
from spanglass_server.store.values.filter import ValueFilter, sought

KEY, NUMBER, SHARE, TYPES = "span.key:str", "span.number:int", "span.share:double", "event.exception.type:str"
TEXT = st.text(max_size=12)
ROW = st.fixed_dictionaries(
    {},
    optional={
        KEY: TEXT,
        NUMBER: st.integers(-(2**63), 2**63 - 1),
        SHARE: st.floats(allow_nan=False),
        TYPES: st.lists(st.none() | TEXT, max_size=3),
    },
)
COLUMNS = {KEY: pa.string(), NUMBER: pa.int64(), SHARE: pa.float64(), TYPES: pa.list_(pa.string())}


class Unsynced(Disk):
    """A disk that syncs nothing: these files are read at once."""

    def sync(self, path):
        """Return at once."""


class Full(Disk):
    """A disk on which no file can be made."""

    def create(self, path):
        """Fail."""
        raise OSError(f"no space for {path}")


def filter_of(data_dir, rows):
    """The filter of a segment of these rows, read back from its bytes."""
    new = NewSegment(1, Signal.SPANS, 0)
    written = write_segment([rows], rows.schema, new, data_dir, Unsynced())
    held = build_filter(data_dir / written.file, written.rows)
    assert ValueFilter.from_bytes(held.to_bytes()) == held
    return held


def holds(held, column, value):
    """Whether a filter lets a value through; what it can't tell of counts as held."""
    return all(held.may_hold(each) for clause in sought([[(column, value)]]) for each in clause)


@settings(max_examples=20, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=40))
def test_no_value_is_missed(tmp_path_factory, rows):
    """Every value of every type is held, those in lists too; the two zeros are one."""
    numbered = [{"n": number, **row} for number, row in enumerate(rows, 1)] * 10  # so that there is room for them
    held = filter_of(tmp_path_factory.mktemp("values"), table(numbered, **COLUMNS))

    for row in rows:
        for column, value in row.items():
            values = [each for each in value if each is not None] if isinstance(value, list) else [value]
            assert all(holds(held, column, each) for each in values)
    if any(row.get(SHARE) == 0 for row in rows):
        assert holds(held, SHARE, 0.0)
        assert holds(held, SHARE, -0.0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=5)) | st.lists(st.binary(min_size=4, max_size=4)))
def test_texts_lie_behind_their_lengths(texts):
    """Each is found where it is, whether all have one length or not, and also where they are none."""
    content = b"".join(len(text).to_bytes(4, "little") + text for text in texts)

    starts, ends = places_of_texts(content)

    assert [content[start:end] for start, end in zip(starts, ends, strict=True)] == texts


def test_what_is_known_and_what_not(tmp_path):
    """Few values pass that are not there; a column with too many or too long values is open to all of its values."""
    count = 40_000
    rows = pa.table(
        {
            "trace_id": pa.array([bytes(16)] * count, pa.binary()),
            "start_time_ns": pa.array(range(count), pa.int64()),
            KEY: [f"value {number % 2000}" for number in range(count)],
            NUMBER: pa.array(range(count), pa.int64()),
            "span.long:str": [str(number % 7) * 300 for number in range(count)],
            "span.flag:bool": [True] * count,
            "span.growing:str": [f"{number:060d}" for number in range(count)],  # more than a dictionary can have
        }
    )
    held = filter_of(tmp_path, rows)
    passed = [holds(held, KEY, f"value {number}") for number in range(2000, 12_000)]

    assert all(holds(held, KEY, f"value {number}") for number in range(2000))
    assert sum(passed) <= 350
    assert len(held.to_bytes()) <= 0.26 * count
    assert all(
        holds(held, column, value)
        for column, value in ((NUMBER, -1), ("span.long:str", "7" * 300), ("span.flag:bool", False))
    )
    assert holds(held, "span.growing:str", "x")
    assert holds(held, SHARE, math.pi)  # of a column that is not there, the segment's list of columns tells


def test_values_that_are_in_no_dictionary_are_not_missed(tmp_path):
    """A writer that gives its dictionary up within a row group leaves values beside it: the column is open to all."""
    pieces = [pa.array([*each * 50]).dictionary_encode() for each in ("ab", "cd")]
    rows = pa.table({KEY: pa.chunked_array(pieces), "span.other:str": ["x"] * 200})
    pq.write_table(rows, tmp_path / "rows.parquet", store_schema=False)
    held = build_filter(tmp_path / "rows.parquet", rows.num_rows)

    assert [value for value in "abcde" if holds(held, KEY, value)] == [*"abcde"]
    assert [value for value in "xyz" if holds(held, "span.other:str", value)] == ["x"]


@pytest.fixture
def searched(tmp_path, monkeypatch):
    """A store of three segments that are large enough to have filters."""
    monkeypatch.setattr(segments, "FILTERED_ROWS", 1)
    bench = Bench(tmp_path / "data")
    for first, key in ((1, "a"), (11, "b"), (21, "a")):
        bench.write(table([{"n": first + more, KEY: key, NUMBER: first, "duration_ns": 1} for more in range(8)]))
    yield bench
    bench.close()


def opened(bench, *clauses):
    """The numbers of the segments that are read for spans with these values."""

    def ask(session):
        return session.relation(Signal.SPANS, ALL_TIME, ["name"], values=clauses)

    sql = bench.engine.run_here(ask)
    return [number for number in (1, 2, 3) if f"{number:012d}.parquet" in sql]


def test_only_segments_that_may_have_the_values_are_opened(searched):
    """Once filters are written; all are opened before, for a damaged filter, and none for a column they lack."""
    before = opened(searched, [(KEY, "a")])
    written = searched.store.write_filters()
    found = [
        opened(searched, *clauses)
        for clauses in (
            [[(KEY, "a")]],
            [[(KEY, "b"), (KEY, "c")]],
            [[(KEY, "a")], [(NUMBER, 1)]],
            [[(KEY, "c")]],
            [[("span.other:str", "a")]],
            [[("span.other:str", "a"), (KEY, "b")]],
            [[(KEY, "x" * 1000)]],
        )
    ]
    searched.close()
    path = searched.data_dir / "segments/spans/000000000002.values"
    path.write_bytes(path.read_bytes()[:-9])
    again = Bench(searched.data_dir)
    damaged = opened(again, [(KEY, "c")])
    again.close()

    assert before == [1, 2, 3]
    assert (written, searched.store.write_filters()) == (3, 0)
    assert found == [[1, 3], [2], [1], [], [], [2], [1, 2, 3]]
    assert damaged == [2]


def test_filters_go_with_their_segments(searched):
    """Merged segments take their filters along; what a crash left of one is deleted at the next start."""
    searched.store.write_filters()
    searched.write(table([{"n": 31, KEY: "a"}]))
    searched.store.compact()
    left = searched.files()
    searched.store.write_filters()
    (searched.data_dir / "segments/spans/.000000000009.values.new").write_bytes(b"half of it")
    again = Bench(searched.data_dir)
    again.close()

    assert left == ["segments/spans/000000000005.parquet"]
    assert searched.files() == ["segments/spans/000000000005.parquet", "segments/spans/000000000005.values"]


def test_searches_find_the_same_with_and_without_filters(searched):
    """The traces of an attribute's value, also those in memory, whatever filters leave out."""
    searched.buffer(table([{"n": 41, KEY: "c", "duration_ns": 1}, {"n": 42, KEY: "a", "duration_ns": 1}]))

    def ask(session):
        questions = [SpanQuestion(ALL_TIME, filter=f"key = {key}") for key in ("a", "b", "c", "nothing")]
        return [search_traces(session, question, Page(limit=50), 100) for question in questions]

    before = searched.engine.run_here(ask)
    searched.store.write_filters()

    assert [len(found["traces"]) for found in before] == [17, 8, 1, 0]
    assert searched.engine.run_here(ask) == before


def test_what_fails_is_tried_again_or_left(searched, caplog):
    """A disk that fails stops the writing, which goes on at the next call; a damaged segment has no filter."""
    (searched.data_dir / "segments/spans/000000000002.parquet").write_bytes(b"PAR1 not any more")
    held = searched.store.contents.snapshot.segments[Signal.SPANS]
    with pytest.raises(OSError, match="no space"):
        ValueFilters(searched.data_dir, Full()).write_missing(held, 9)

    assert searched.store.write_filters() == 2
    assert "no filter of values for segments/spans/000000000002.parquet" in caplog.text
