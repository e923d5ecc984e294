"""Ids that are found in column chunks as they are encoded are those that Arrow decodes."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spanglass_server.store.traces.encoded import ids_of_rows, may_have_one_of

ROWS = 3_000


def written(path, ids, **options):
    """One row group with a column of ids, and the metadata of its column chunk."""
    pq.write_table(pa.table({"id": pa.array(ids, pa.binary())}), path, **options)
    return pq.read_metadata(path).row_group(0).column(0)


def some_ids(share, size=8):
    """Ids for such a share of the rows, which stand together or apart, null in the others."""
    rng = random.Random(7)  # noqa: S311 - test data
    together = [rng.randbytes(size) if at < ROWS * share else None for at in range(ROWS // 2)]
    apart = [rng.randbytes(size) if rng.random() < share else None for _ in range(ROWS - ROWS // 2)]
    return together + apart


@pytest.mark.parametrize("share", [0.01, 0.3, 0.97, 1])
@pytest.mark.parametrize("compression", ["none", "zstd", "lz4"])
def test_ids_of_rows_are_those_that_were_written(share, compression, tmp_path):
    """Of any rows, some of which may have none, whatever the column chunk is compressed with."""
    ids = some_ids(share)
    chunk = written(
        *(tmp_path / "ids.parquet", ids),
        use_dictionary=False,
        compression=compression,
        column_encoding={"id": "DELTA_LENGTH_BYTE_ARRAY"},
    )
    places = np.array([0, 1, 7, 8, 900, 901, ROWS // 2, ROWS // 2 + 1, 2_000, ROWS - 1])
    with (tmp_path / "ids.parquet").open("rb") as file:
        found = ids_of_rows(file.fileno(), chunk, places)
        none = ids_of_rows(file.fileno(), chunk, places[:0])

    assert found is not None
    assert found.to_pylist() == [ids[at] for at in places]
    assert found.type == pa.binary()
    assert len(none) == 0


@pytest.mark.parametrize(
    ("ids", "options"),
    [
        ([*some_ids(1)[:-1], b"seven b"], {}),
        (some_ids(1, 16), {}),
        (some_ids(1), {"data_page_size": 4_096, "write_batch_size": 512}),
        (some_ids(1), {"column_encoding": {"id": "PLAIN"}}),
        (some_ids(1), {"data_page_version": "2.0"}),
    ],
)
def test_what_is_no_page_of_ids_has_to_be_decoded(ids, options, tmp_path):
    """Other lengths, even of one id, several pages, and other encodings are left to Arrow."""
    given = {"use_dictionary": False, "column_encoding": {"id": "DELTA_LENGTH_BYTE_ARRAY"}, **options}
    chunk = written(tmp_path / "ids.parquet", ids, **given)
    with (tmp_path / "ids.parquet").open("rb") as file:
        assert ids_of_rows(file.fileno(), chunk, np.array([0, ROWS - 1])) is None


def test_a_damaged_page_has_to_be_decoded(tmp_path):
    """What is no page at all, or cut, is left to Arrow too, which says what is wrong with it."""
    path = tmp_path / "ids.parquet"
    chunk = written(path, some_ids(1), use_dictionary=False, column_encoding={"id": "DELTA_LENGTH_BYTE_ARRAY"})
    content = path.read_bytes()
    for damaged in (b"\xff" * len(content), content[:100]):
        path.write_bytes(damaged)
        with path.open("rb") as file:
            assert ids_of_rows(file.fileno(), chunk, np.array([0])) is None
            assert may_have_one_of(file.fileno(), chunk, [b"any"])


@pytest.mark.parametrize("compression", ["none", "zstd", "lz4"])
def test_the_dictionary_tells_which_ids_there_are(compression, tmp_path):
    """An id that is there is always found; one that is not is told from the dictionary, if there is one."""
    path = tmp_path / "ids.parquet"
    ids = [each for each in some_ids(0.3, 16) for _ in range(2)]
    chunk = written(path, ids, compression=compression)
    known = {each for each in ids if each is not None}
    with path.open("rb") as file:
        assert all(may_have_one_of(file.fileno(), chunk, [bytes(16), each]) for each in list(known)[:50])
        assert not may_have_one_of(file.fileno(), chunk, [bytes(16), b"\1" * 16])
        many = [n.to_bytes(16) for n in range(40)]
        assert not may_have_one_of(file.fileno(), chunk, many)
        assert all(may_have_one_of(file.fileno(), chunk, [*many, each]) for each in list(known)[:50])
        assert may_have_one_of(file.fileno(), chunk, [*many, b"\1"])  # ids of several lengths: by decoding
    mixed = written(path, [b"\1" * 12, bytes(4) + b"\1" * 16, *ids], compression=compression)
    with path.open("rb") as file:
        assert may_have_one_of(file.fileno(), mixed, [*many, b"\1" * 12])
        assert may_have_one_of(file.fileno(), mixed, [*many, bytes(4) + b"\1" * 16])
    chunk = written(path, ids, use_dictionary=False)
    with path.open("rb") as file:
        assert may_have_one_of(file.fileno(), chunk, [bytes(16)])
