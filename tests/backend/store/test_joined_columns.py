"""Columns of several tables side by side."""

from __future__ import annotations

import pyarrow as pa

from spanglass_server.store.sessions.joined_columns import joined_columns


def test_rows_of_all_tables_with_the_columns_asked_for():
    """What a table lacks is null, what all lack is left out; types that differ become one, and nothing is copied."""
    texts = pa.array(["x", "y"]).dictionary_encode()
    tables = [
        pa.table({"text": texts, "count": pa.array([1, 2], pa.int32()), "other": [0, 0]}),
        pa.table({"count": pa.array([3], pa.int64())}),
        pa.table({"text": pa.chunked_array([[], []], texts.type), "count": pa.array([], pa.int64())}),
        pa.table({"text": pa.array(["z", None]).dictionary_encode()}),
    ]
    joined = joined_columns(tables, ["text", "nobody", "count"])

    assert joined.to_pydict() == {"text": ["x", "y", None, "z", None], "count": [1, 2, 3, None, None]}
    assert joined["text"].chunk(0).indices.buffers()[1].address == texts.indices.buffers()[1].address
