"""``spanglass costs``: what is stored, and what could be dropped, with prices where there are some."""

from __future__ import annotations

SENDERS = [{"service": "shop", "slot": 1, "bytes": 7.0}]
SIGNAL = {"signal": "spans", "stored_bytes": 2048, "bytes": 1024.0, "share": 0.5, "bytes_a_day": 512.0, "price": 1.5,
          "records_a_day": 10.4, "kept_days": None}  # fmt: skip
SAVING = {"kind": "attribute", "signal": "spans", "position": "span", "key": "a.b", "services": SENDERS, "share": 0.1,
          "bytes_a_month": 2048.0, "place": "collector", "remedy": "attributes/costs", "price": 0.25}  # fmt: skip
WINDOW = {"start_time": "2026-11-01T00:00:00Z", "end_time": "2026-11-08T00:00:00Z"}
ANSWER = {"window": WINDOW, "stored_bytes": 2048, "bytes_a_day": 512.0,
          "priced": True, "currency": "EUR", "signals": [SIGNAL],
          "savings": [SAVING]}  # fmt: skip


def test_costs_are_listed(canned, run):
    """Signals unless something else is asked for; a server with nothing on disk says so."""
    for answer in (ANSWER, ANSWER, {**ANSWER, "stored_bytes": 0, "signals": [], "priced": False}):
        canned.answer("/api/v1/costs", answer)
    listed = run("costs")
    assert all(word in listed.stdout.decode() for word in ("EUR a month", "2 KiB", "50.0%", "1.5"))
    assert b"512 B a day, from 2026-1" in listed.stderr
    assert b"kept days" in listed.stdout
    assert canned.received[0].parameters == {"last": "7d", "limit": "50"}
    dropped = run("costs", "--by", "saving", "--format", "csv").stdout.decode().splitlines()
    assert dropped[1] == "attribute,spans,span.a.b,shop,2048.0,0.1,collector,attributes/costs,0.25"
    assert b"nothing is on disk yet" in run("costs").stderr
