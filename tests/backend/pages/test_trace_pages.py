"""Pages of a trace: what costs time for each of its spans is not done where all other requests wait."""

from __future__ import annotations

import asyncio

import pytest
from in_process import read

from spanglass_server.pages.rendering import columns

START_NS = 1_796_047_500 * 10**9
TRACE_ID = "4f1c2b77d06e4b9c8a53f0e1b2c6a90e"


@pytest.mark.parametrize("path", ["", "/file"])
def test_columns_are_unpacked_beside_the_event_loop(open_tables, monkeypatch, path):
    """Whatever is shown of a trace: 100,000 spans take 100 ms."""
    seen = []
    unpacked = columns.Spans._unpacked

    def unpack(spans, name):
        seen.append((name, asyncio._get_running_loop() is not None))
        return unpacked(spans, name)

    monkeypatch.setattr(columns.Spans, "_unpacked", unpack)
    spans = [
        {"trace_id": bytes.fromhex(TRACE_ID), "span_id": bytes([number]) * 8, "name": f"step {number}",
         "parent_span_id": b"\x01" * 8 if number > 1 else None, "start_time_ns": START_NS + number,
         "duration_ns": 10**9, "resource.service.name:str": "shop"}
        for number in (1, 2, 3)
    ]  # fmt: skip
    status, _, source = read(open_tables(spans=spans), f"/traces/{TRACE_ID}{path}", START_NS + 10**11)
    assert (status, "shop" in source) == (200, True)
    assert {name for name, _ in seen} >= {"key", "depth"}
    assert [name for name, is_on_loop in seen if is_on_loop] == []
