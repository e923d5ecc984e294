"""What a few rows have in column chunks with dictionaries is what Arrow decodes of them."""

from __future__ import annotations

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spanglass_server.store.traces.coded import CodedRows

ROWS = 3_000
PLACES = [0, 1, 7, 8, 63, 64, 900, 901, 1_499, 1_500, 1_501, 2_000, 2_998, ROWS - 1]
KINDS = {
    "text": (pa.string(), lambda number: f"value {number}" * (number % 3 + 1)),
    "long text": (pa.string(), lambda number: f"{number}" * 300),
    "bytes with zeros": (pa.binary(), lambda number: b"\0" * (number % 9) + number.to_bytes(2, "big")),
    "empty or not": (pa.string(), lambda number: "" if number % 2 else str(number)),
    "signed": (pa.int64(), lambda number: -number),
    "unsigned": (pa.uint32(), lambda number: 2**32 - 1 - number),
    "byte": (pa.uint8(), lambda number: number % 256),
    "double": (pa.float64(), lambda number: [float("inf"), -0.0, 0.0][number % 3] if number < 3 else number / 7),
}


def column(kind, distinct, share):
    """A column of runs and of values by chance, of which such a share of the rows has one."""
    rng = random.Random(distinct)  # noqa: S311 - test data
    together = [at * distinct // ROWS if at < ROWS * share else None for at in range(ROWS // 2)]
    apart = [rng.randrange(distinct) if rng.random() < share else None for _ in range(ROWS - ROWS // 2)]
    data_type, value = KINDS[kind]
    return pa.array([None if number is None else value(number) for number in together + apart], data_type)


def read(path, table, places=PLACES, **options):
    """What is found of a table's columns in some of its rows, once it is written as one row group."""
    pq.write_table(table, path, row_group_size=ROWS, **options)
    group = pq.read_metadata(path).row_group(0)
    chunks = {field.name: (group.column(place), field.type) for place, field in enumerate(table.schema)}
    with path.open("rb") as file:
        return CodedRows(file.fileno(), table.num_rows, places).columns(chunks)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("distinct", [1, 2, 30, 700])
@pytest.mark.parametrize("share", [0.1, 0.9, 1])
@pytest.mark.parametrize("compression", ["none", "zstd", "lz4"])
def test_values_of_rows_are_those_that_were_written(kind, distinct, share, compression, tmp_path):
    """Of any type, with few and many values, in runs and by chance, null or not, however it is compressed."""
    values = column(kind, distinct, share)

    found = read(tmp_path / "rows.parquet", pa.table({"it": values}), compression=compression)

    assert found["it"].type == values.type
    assert [*map(repr, found["it"].to_pylist())] == [*map(repr, values.take(pa.array(PLACES)).to_pylist())]


def test_columns_of_one_row_group_are_told_apart(tmp_path):
    """Also those that are null in the same rows, and those whose runs are the same with other values."""
    codes = [at * 9 // ROWS for at in range(ROWS)]
    table = pa.table({
        "one": pa.array([f"a{code}" for code in codes]),
        "alike": pa.array([f"b{code}" for code in codes]),
        "here and there": pa.array([f"c{code}" if at % 5 else None for at, code in enumerate(codes)]),
        "there too": pa.array([f"d{code % 2}" if at % 5 else None for at, code in enumerate(codes)]),
        "number": pa.array(codes),
    })  # fmt: skip

    found = read(tmp_path / "rows.parquet", table)

    assert found.keys() == set(table.column_names)
    assert pa.table(found).equals(table.take(pa.array(PLACES)))


def test_runs_of_the_same_bytes_mean_what_their_width_says(tmp_path):
    """Two columns may have the same bytes for their rows, and other values for it."""
    rng = random.Random(5)  # noqa: S311 - test data
    table = pa.table({
        f"of {distinct}": pa.array([rng.randrange(distinct) for _ in range(ROWS)]) for distinct in (2, 3, 9, 300)
    } | {"none": pa.array([7] * ROWS)})  # fmt: skip

    assert pa.table(read(tmp_path / "rows.parquet", table)).equals(table.take(pa.array(PLACES)))


def test_a_column_that_none_of_the_rows_has_is_told_to_have_none(tmp_path):
    """It is known, unlike one that has to be decoded."""
    values = pa.array([None if at in PLACES else "here" for at in range(ROWS)])

    assert read(tmp_path / "rows.parquet", pa.table({"it": values})) == {"it": None}


@pytest.mark.parametrize(
    "options",
    [
        {"use_dictionary": False},
        {"data_page_size": 512, "write_batch_size": 100},
        {"dictionary_pagesize_limit": 2_000},
        {"data_page_version": "2.0"},
    ],
)
def test_what_is_no_dictionary_and_one_page_has_to_be_decoded(options, tmp_path):
    """Values as they are, several pages, a dictionary that was given up, and other pages are left to Arrow."""
    values = pa.array([f"value {at % 700}" for at in range(ROWS)])

    assert read(tmp_path / "rows.parquet", pa.table({"it": values}), **options) == {}


def test_a_column_of_many_runs_has_to_be_decoded(tmp_path):
    """Arrow is quicker with those; the runs before a row are what counts."""
    rows = 16_000
    values = pa.array([at // 8 % 2 for at in range(rows)])
    table = pa.table({"it": values})
    path = tmp_path / "rows.parquet"
    pq.write_table(table, path, compression="none")
    chunk = pq.read_metadata(path).row_group(0).column(0)

    with path.open("rb") as file:
        few = CodedRows(file.fileno(), rows, [17]).columns({"it": (chunk, pa.int64())})
        many = CodedRows(file.fileno(), rows, [17, rows - 1]).columns({"it": (chunk, pa.int64())})

    assert few["it"].to_pylist() == [0]
    assert many == {}


def test_a_damaged_page_has_to_be_decoded(tmp_path):
    """What is no page at all, or cut, is left to Arrow, which says what is wrong; what can't be unpacked says so."""
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"it": [f"value {at % 700}" for at in range(ROWS)]}), path)
    chunk = pq.read_metadata(path).row_group(0).column(0)
    content = path.read_bytes()

    def found(damaged):
        path.write_bytes(damaged)
        with path.open("rb") as file:
            return CodedRows(file.fileno(), ROWS, PLACES).columns({"it": (chunk, pa.string())})

    assert found(b"\xff" * len(content)) == {}
    assert found(content[:100]) == {}
    middle = chunk.data_page_offset + 40
    with pytest.raises(OSError, match="snappy"):
        found(content[:middle] + b"\xff" * 200 + content[middle + 200 :])
