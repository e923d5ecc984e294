"""Arrow columns as JSON values."""

from __future__ import annotations

import pyarrow as pa
import pytest

from spanglass_server.query.rows import json_values
from spanglass_server.query.rows.json_values import json_column
from spanglass_server.query.rows.slices import row_bytes

ROWS = 1_000
LISTS = [None if n % 7 == 0 else [n * 10 + k for k in range(n % 3)] for n in range(ROWS)]
MAPS = [None if each is None else [(str(n), n) for n in each] for each in LISTS]
KINDS = (
    (pa.list_(pa.int64()), LISTS, LISTS),
    (pa.large_list(pa.int64()), LISTS, LISTS),
    (pa.list_(pa.int64(), 2), [[n, n] for n in range(ROWS)], [[n, n] for n in range(ROWS)]),
    (pa.map_(pa.string(), pa.int64()), MAPS, [None if each is None else dict(each) for each in MAPS]),
    (pa.struct({"in": pa.list_(pa.int64())}), [{"in": each} for each in LISTS], [{"in": each} for each in LISTS]),
    (pa.list_(pa.list_(pa.int64())), [[each, []] for each in LISTS], [[each, []] for each in LISTS]),
)


@pytest.mark.parametrize(("kind", "values", "expected"), KINDS)
def test_a_slice_does_not_see_values_outside_it(kind, values, expected, monkeypatch):
    """A column cut in pieces costs as much as in one: no value is turned to JSON that is not in the piece."""
    column = pa.array(values, kind)
    assert json_column(column) == expected
    assert json_column(column[:0]) == json_column(pa.array([], kind)) == []
    walked = []
    monkeypatch.setattr(
        json_values,
        "_array_values",
        lambda array, walk=json_values._array_values: walked.append(len(array)) or walk(array),
    )
    assert json_column(column[500:507]) == expected[500:507]
    assert max(walked) <= 14
    assert json_column(pa.chunked_array([column[3:9], column[990:]])) == expected[3:9] + expected[990:]


def test_bytes_of_a_slice_are_those_of_its_rows():
    """Lists of a slice count with their own values, whatever the column has that it was cut from."""
    table = pa.table({"texts": [None if each is None else ["x" * n for n in each] for each in LISTS]})
    assert row_bytes(table.slice(500, 7)).tolist() == row_bytes(table)[500:507].tolist()
