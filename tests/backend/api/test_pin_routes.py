"""Pinned traces over the API: pinned with a note, found by a text, unpinned, within bounds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spanglass_server.saved.model import MOST_PINS, Pin
from spanglass_server.times import NS_PER_SECOND

NOW_NS = 2_000 * NS_PER_SECOND
TRACE = "0a" * 16


def span(number, **fields):
    """A span of the trace."""
    return {
        "trace_id": bytes.fromhex(TRACE), "span_id": bytes([number]) * 8, "name": f"step {number}", "kind": 2,
        "parent_span_id": b"\x01" * 8, "start_time_ns": NOW_NS - 90 * NS_PER_SECOND + number,
        "duration_ns": NS_PER_SECOND, "status_code": 0, "resource.service.name:str": "shop", **fields,
    }  # fmt: skip


def test_a_trace_is_pinned_found_and_unpinned(api, saved_store):
    """A pin has what the trace was, its note can be changed; what can't be pinned is refused with what to do."""
    client = api(spans=[span(2), span(1, parent_span_id=None, name="POST /orders"), span(3, status_code=2)])
    put = client.put(f"/api/v1/pins/{TRACE}", json={"note": " the bank is late ", "actor": "Ada"})
    pin = put.json()

    assert put.status_code == 200, put.text
    assert (pin["name"], pin["service"], pin["span_count"], pin["error_count"]) == ("POST /orders", "shop", 3, 1)
    assert (pin["note"], pin["actor"]) == ("the bank is late", "Ada")
    assert 0 < pin["bytes"] < 100_000
    assert client.get("/api/v1/pins?text=BANK").json() == {"pins": [pin], "bytes": pin["bytes"], "max_bytes": 1 << 20}
    assert client.get("/api/v1/pins?text=nothing").json()["pins"] == []
    changed = client.put(f"/api/v1/pins/{TRACE}", json={"note": "it was", "actor": "Ines"}).json()
    assert changed == pin | {"note": "it was", "actor": "Ines"} == client.get(f"/api/v1/pins/{TRACE}").json()

    unknown = client.put(f"/api/v1/pins/{'0b' * 16}", json={"note": ""})
    assert (unknown.status_code, unknown.json()["error"]["field"]) == (404, "trace_id")
    wrong = client.put(f"/api/v1/pins/{TRACE}", json={"note": 7})
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (400, "note")
    assert client.delete(f"/api/v1/pins/{TRACE}").json() == {"unpinned": TRACE}
    assert client.delete(f"/api/v1/pins/{TRACE}").status_code == 404

    with saved_store.pins._file.write() as connection:
        rows = [(number.to_bytes(16, "big"), "", "", 1, "", "", 1, 1, 1, 0, 1) for number in range(1, MOST_PINS + 1)]
        connection.executemany("INSERT INTO pins VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    full = client.put(f"/api/v1/pins/{TRACE}", json={})
    assert (full.status_code, full.json()["error"]["field"]) == (400, "trace_id")
    assert "unpin" in full.json()["error"]["hint"]
    assert isinstance(saved_store.pins.one(bytes(15) + b"\x01"), Pin)


OTHER = "0c" * 16
RANGE = {"start": "1970-01-01T00:31:40Z", "end": "1970-01-01T00:33:20Z"}


@pytest.fixture
def pinned(api, saved_store):  # noqa: ARG001 - the API has it
    """Serve two traces with a log record each, the first of them pinned; the other one failed."""
    other = {"trace_id": bytes.fromhex(OTHER), "parent_span_id": None}
    logs = [
        {"time_ns": NOW_NS - NS_PER_SECOND, "trace_id": bytes.fromhex(trace), "body": "a line", "span_id": b"\x01" * 8}
        for trace in (TRACE, OTHER)
    ]
    spans = [span(1, parent_span_id=None), span(2), span(5, **other), span(6, status_code=2, parent_span_id=b"\x05" * 8,
             trace_id=bytes.fromhex(OTHER))]  # fmt: skip
    client = api(spans=spans, logs=logs)
    client.put(f"/api/v1/pins/{TRACE}", json={"note": "why", "actor": "Ada"})
    return client


def test_pinned_traces_are_found_by_filters(pinned):
    """``is:pinned`` is a condition as any other, of spans and of log records, also about other spans of a trace."""
    for text, found in {
        "is:pinned": {TRACE},
        "-is:pinned": {OTHER},
        "is != pinned status:error": {OTHER},
        "is in (pinned) status:error": set(),
        "is exists or status:error": {TRACE, OTHER},
        "child(is:pinned)": {TRACE},
        "trace(is:pinned) service:shop": {TRACE},
        "child(not is:pinned)": {OTHER},
        '"is" = pinned': set(),
    }.items():
        asked = {**RANGE, "filter": text}
        traces = pinned.get("/api/v1/traces", params=asked).json()["traces"]
        assert {trace["trace_id"] for trace in traces} == found, text
        if text in {"is:pinned", "-is:pinned"}:
            logs = pinned.get("/api/v1/logs", params=asked).json()["logs"]
            assert {log["trace_id"] for log in logs} == found, text


def test_pins_are_completed_checked_and_seen_by_sql(pinned):
    """Key and value are offered, other values refused where they stand; SQL has what data-layout.md says of pins."""
    keys = pinned.get("/api/v1/keys", params={**RANGE, "signal": "spans", "prefix": "is"}).json()["keys"]
    assert "is" in {key["key"] for key in keys}
    values = pinned.get("/api/v1/values", params={**RANGE, "signal": "logs", "key": "is", "prefix": "p"}).json()
    assert values == {"values": [{"value": "pinned", "count": 0}]}
    unknown = pinned.get("/api/v1/filter/unknown", params={**RANGE, "signal": "spans", "filter": "is:pinned"}).json()
    assert unknown == {"unknown": []}
    differing = {**RANGE, "selected": "is:pinned"}
    assert pinned.get("/api/v1/differences", params=differing).json()["selected"]["spans"] == 2
    for text, column, word in (("status:error is:late", 17, "late"), ("is ~ pin", 4, "~")):
        error = pinned.get("/api/v1/traces", params={**RANGE, "filter": text}).json()["error"]
        assert (error["code"], error["field"], error["column"]) == ("bad_filter", "filter", column)
        assert word in error["message"]

    table = pinned.post("/api/v1/sql", json={"sql": "FROM pinned_traces"}).json()
    names = [column["name"] for column in table["columns"]]
    assert dict(zip(names, table["rows"][0], strict=True))["trace_id"] == TRACE
    page = (Path(__file__).parents[3] / "docs" / "data-layout.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \|", page.split("## `pinned_traces`")[1].split("\n## ")[0], re.MULTILINE)
    assert names == re.findall(r"`(\w+)`", " ".join(rows))
