"""How columns of segments are written."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spanglass_server.signals import Signal
from spanglass_server.store.segment_files.encodings import write_options


@pytest.mark.parametrize(
    ("values", "codec", "has_extremes"),
    [(1, "LZ4", True), (8, "LZ4", True), (9, "ZSTD", True), (32, "ZSTD", True), (33, "ZSTD", False)],
)
def test_columns_of_few_values(values, codec, has_extremes, tmp_path):
    """Texts of up to 8 values are compressed with LZ4, others with Zstandard; those of up to 32 have extremes."""
    texts = [None, *(f"value {number % values}" for number in range(2000))]
    table = pa.table({"span.k:str": texts, "span_id": [number.to_bytes(8, "big") for number in range(2001)]})
    pq.write_table(table, tmp_path / "it", **write_options(table, Signal.SPANS))
    text, span_id = map(pq.ParquetFile(tmp_path / "it").metadata.row_group(0).column, (0, 1))

    assert (text.compression, text.is_stats_set, span_id.compression) == (codec, has_extremes, "UNCOMPRESSED")
    assert pq.read_table(tmp_path / "it", schema=table.schema).equals(table)
