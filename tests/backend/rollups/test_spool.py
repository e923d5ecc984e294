"""Tables that wait packed."""

from __future__ import annotations

import pyarrow as pa

from spanglass_server.rollups.spool import Spool


def test_tables_come_back_as_they_were_each_once():
    """In their order, with their columns, nulls and lists, whether or not their schemas are alike."""
    first = pa.table({"time_ns": [1, 2], "name": ["a", None], "bounds": [[0.5], None]})
    second = pa.table({"time_ns": [3], "point.queue:str": pa.array([None], pa.string())})
    spool = Spool()
    for table in (first, second):
        spool.put(table)
    assert list(spool.take()) == [first, second]
    assert list(spool.take()) == []
