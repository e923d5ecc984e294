"""Arrow arrays that share memory."""

from __future__ import annotations

import pyarrow as pa
import pytest

from spanglass_server.ingest.columnar import part_of


@pytest.mark.parametrize(("begin", "size"), [(0, 10), (95, 7), (100, 1), (100, 2), (50, 0)])
def test_a_part_of_texts_counts_its_own_bytes(begin, size):
    """It has the values of a slice, and as many bytes as they need: caches count what a column holds."""
    texts = pa.array(["x" * 100] * 100 + ["", "é"])
    part = part_of(texts, begin, size)

    part.validate(full=True)
    assert part.equals(texts.slice(begin, size))
    assert not size or part.get_total_buffer_size() == 4 * (size + 1) + sum(
        len(text.encode()) for text in part.to_pylist()
    )


def test_parts_of_others_are_slices():
    """Numbers, truth values and texts with nulls keep their values."""
    for values in (pa.array([1, 2, 3]), pa.array([True, False, True]), pa.array(["a", None, "c"])):
        assert part_of(values, 1, 2).to_pylist() == values.to_pylist()[1:]
