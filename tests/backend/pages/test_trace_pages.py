"""Pages of a trace: what costs time for each of its spans is not done where all other requests wait."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from in_process import application, read

from spanglass_server.pages.rendering import columns
from spanglass_server.process.in_process_api import InProcessApi

START_NS = 1_796_047_500 * 10**9
TRACE_ID = "4f1c2b77d06e4b9c8a53f0e1b2c6a90e"
SPANS = [
    {"trace_id": bytes.fromhex(TRACE_ID), "span_id": bytes([number]) * 8, "name": f"step {number}",
     "parent_span_id": b"\x01" * 8 if number > 1 else None, "start_time_ns": START_NS + number,
     "duration_ns": 10**9, "resource.service.name:str": "shop", "status_code": 2 if number == 3 else None,
     "event_time_ns": [START_NS + number], "event_name": ["exception"], "event.exception.type:str": ["KeyError"]}
    for number in (1, 2, 3)
]  # fmt: skip


@pytest.mark.parametrize("path", ["", "/file"])
def test_columns_are_unpacked_beside_the_event_loop(open_tables, monkeypatch, path):
    """Whatever is shown of a trace: 100,000 spans take 100 ms."""
    seen = []
    unpacked = columns.Spans._unpacked

    def unpack(spans, name):
        seen.append((name, asyncio._get_running_loop() is not None))
        return unpacked(spans, name)

    monkeypatch.setattr(columns.Spans, "_unpacked", unpack)
    status, _, source = read(open_tables(spans=SPANS), f"/traces/{TRACE_ID}{path}", START_NS + 10**11)
    assert (status, "shop" in source) == (200, True)
    assert {name for name, _ in seen} >= {"key", "depth"}
    assert [name for name, is_on_loop in seen if is_on_loop] == []


@pytest.mark.parametrize("form", ["tree", "columns", "waterfall", "attributes", "summary", "paths", "otlp"])
def test_pages_see_of_a_trace_what_every_client_sees(open_tables, form):
    """Its answers are not written and read again for them; yet they are what the JSON says, lists included."""
    session, path, now_ns = open_tables(spans=SPANS), f"/api/v1/traces/{TRACE_ID}", START_NS + 10**11
    taken = asyncio.run(InProcessApi(application(session, now_ns))(path, {"format": form}))
    assert taken == orjson.loads(read(session, f"{path}?format={form}", now_ns)[2])
    assert orjson.loads(orjson.dumps(taken)) == taken


def test_hostile_names_stay_data_in_a_page_that_comes_in_pieces(open_tables):
    """A name that ends a script, or looks like what the server puts data in place of, is text wherever it stands."""
    name = "</script><script>alert(1)</script> {{ data }}"
    spans = [{**SPANS[0], "name": name}]
    status, text, source = read(open_tables(spans=spans), f"/traces/{TRACE_ID}", START_NS + 10**11)
    assert (status, "<script>alert" in source, "{{ data }}" in text) == (200, False, True)
    data = source.partition('id="trace">')[2].partition("</script>")[0]
    assert orjson.loads(data)["trace"]["columns"]["name"]["values"] == [name]
    assert source.rstrip().endswith("</html>")
