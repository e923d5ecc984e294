"""Pinned traces over the API: pinned with a note, found by a text, unpinned, within bounds."""

from __future__ import annotations

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
