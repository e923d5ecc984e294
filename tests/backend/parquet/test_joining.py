"""Row groups of several files in one, without reading them."""

from __future__ import annotations

import datetime as dt
import io

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spanglass_server.parquet.joining import Joined
from spanglass_server.parquet.row_groups import TAIL, Layout, RowGroup
from spanglass_server.parquet.thrift import of_list, of_struct, struct_at

#: More columns than fit into the first byte of a list, of all types that telemetry is stored as.
COLUMNS = {
    "id": pa.array([b"\0" * 8, None, b"\xff" * 8] * 5, pa.binary()),
    "kind": pa.array([1, 2, None] * 5, pa.uint8()),
    "text": pa.array(["x" * 5000, "", None] * 5),
    "coded": pa.array(["a", "b", None] * 5).dictionary_encode(),
    "number": pa.array([-(2**63), 2**63 - 1, None] * 5, pa.int64()),
    "double": pa.array([float("nan"), -0.0, 1.5] * 5),
    "flag": pa.array([True, None, False] * 5),
    "list": pa.array([["a", None], [], None] * 5, pa.list_(pa.string())),
    "nothing": pa.nulls(15, pa.int64()),
    **{f"column {number}": pa.array([number] * 15) for number in range(12)},
}
WHOLE = pa.table(COLUMNS)
SCHEMA = pa.schema([field.with_type(pa.string()) if field.name == "coded" else field for field in WHOLE.schema])


def written(table, **options):
    """A table as a file."""
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file


def groups(file):
    """The row groups of a file as they are."""
    layout = Layout(file)
    return [RowGroup.read(file, layout, number) for number in range(len(layout.row_groups()))]


def test_row_groups_are_copied_into_a_file_of_more_columns(tmp_path):
    """Whatever wrote them, Arrow and DuckDB read the same rows; columns that are not there are null."""
    files = [
        written(WHOLE, row_group_size=7, compression="lz4", write_page_index=True, write_page_checksum=True),
        written(WHOLE.select([*reversed(WHOLE.column_names[:5])]), compression="none", data_page_version="2.0"),
        written(WHOLE.slice(0, 1), use_dictionary=False, column_encoding={"number": "DELTA_BINARY_PACKED"}),
    ]
    joined = Joined(SCHEMA)
    content = joined.begin()
    for file in files:
        for group in groups(file):
            assert joined.fits(group)
            content += joined.add(group)
    table = WHOLE.set_column(3, "coded", WHOLE["coded"].cast(pa.string()))
    content += joined.write(table) + joined.write(table.slice(0, 0)) + joined.end()
    read = pq.read_table(pa.BufferReader(content))
    parts = [table, table.select(WHOLE.column_names[:5]), table.slice(0, 1), table]
    expected = pa.concat_tables(parts, promote_options="default")
    assert repr(read.to_pylist()) == repr(expected.to_pylist())  # NaN is not itself
    assert read.schema.equals(SCHEMA)
    metadata = pq.read_metadata(pa.BufferReader(content))
    assert [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)] == [7, 7, 1, 15, 1, 15]
    assert metadata.row_group(0).column(4).statistics.min == -(2**63)
    (tmp_path / "joined.parquet").write_bytes(content)
    asked = 'SELECT count(*), count("column 3"), count(text) FILTER (number < 0), max(id) FROM read_parquet(?)'
    (found,) = duckdb.connect().execute(asked, [str(tmp_path / "joined.parquet")]).fetchall()
    assert found == (46, 31, 16, b"\xff" * 8)


def test_what_can_not_be_copied_is_refused():
    """Columns that the file lacks, or has of another type, do not fit; what is no Parquet, or cut, is an error."""
    joined = Joined(pa.schema({"a": pa.int64(), "b": pa.list_(pa.string())}))
    for column, fits in (
        ({"a": pa.array([1])}, True),
        ({"a": pa.array([1], pa.int32())}, False),
        ({"a": pa.array([dt.datetime(2026, 1, 1, tzinfo=dt.UTC)])}, False),
        ({"c": pa.array([1])}, False),
        ({"b": pa.array([["x"]])}, True),
        ({"b": pa.array([[b"x"]])}, False),
    ):
        assert joined.fits(groups(written(pa.table(column)))[0]) is fits, column
    whole = written(pa.table({"a": range(1000)})).getvalue()
    for broken in (b"no parquet file at all", whole[:-9] + whole[-8:], b"PAR1" + b"\xff" * 4 + b"PAR1"):
        with pytest.raises((ValueError, OSError)):
            groups(io.BytesIO(broken))
    footer = TAIL.unpack(whole[-8:])[0]
    cut = whole[-8 - footer :]
    with pytest.raises(ValueError, match="cut"):
        groups(io.BytesIO(cut))


def test_footers_are_written_as_they_were_read():
    """Taken apart and put together, a footer is the same to the byte."""
    options = {"sorting_columns": [pq.SortingColumn(0)], "write_page_index": True}
    content = written(WHOLE.replace_schema_metadata({"k": "v" * 300}), row_group_size=4, **options).getvalue()
    length, _ = TAIL.unpack(content[-8:])
    footer = content[-8 - length : -8]
    found, end = struct_at(footer, 0, {2: {}, 4: {1: {3: {}}}})
    assert end == length
    for group in found[4]:
        group[1] = of_list(of_struct({**chunk, 3: of_struct(chunk[3])}) for chunk in group[1])
    again = of_struct({**found, 2: of_list(map(of_struct, found[2])), 4: of_list(map(of_struct, found[4]))})
    assert again.value == footer
