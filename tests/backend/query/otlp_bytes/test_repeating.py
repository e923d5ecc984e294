"""Rows told apart by columns, and rows that have something."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from spanglass_server.query.otlp_bytes.repeating import rows_alike, scattered


def test_rows_that_are_alike():
    """Kinds come in the order of their first rows, null is a value of its own, and minus zero is not zero."""
    columns = [
        pa.array(["b", "a", "b", None, "a", "b"]).dictionary_encode(),
        pa.array([1, 1, 1, 1, 1, 2]),
        pa.array([0.0, 0.0, 0.0, 0.0, -0.0, 0.0]),
    ]
    alike = rows_alike(columns, 6)
    assert alike.first.to_pylist() == [0, 1, 3, 4, 5]
    assert alike.kinds.to_pylist() == [0, 1, 0, 2, 3, 4]


def test_rows_without_columns_are_alike():
    """Where there is nothing to tell rows apart by, all are of one kind, and no rows are of none."""
    assert [each.to_pylist() for each in rows_alike([], 2)] == [[0], [0, 0]]
    assert [each.to_pylist() for each in rows_alike([], 0)] == [[], []]
    assert [each.to_pylist() for each in rows_alike([pa.array([], pa.string())], 0)] == [[], []]


def test_what_few_rows_have_stands_at_their_place():
    """Rows that were not written are null."""
    assert scattered(pa.array([b"x", b"y"]), np.array([1, 3]), 5).to_pylist() == [None, b"x", None, b"y", None]
