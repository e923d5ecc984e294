"""Bytes over the wire: kept by the hour, over restarts."""

from __future__ import annotations

import pytest

from spanglass_server.received.ledger import HOUR_NS, ReceivedLedger
from spanglass_server.self_metrics.registry import RECEIVED_BYTES, Telemetry
from spanglass_server.signals import Signal


def test_bytes_are_kept_by_the_hour_over_a_restart(tmp_path):
    """Each is counted once, whatever the transport; a part of an hour counts by its part, and since is told."""
    now, telemetry, path = [500 * HOUR_NS], Telemetry(), tmp_path / "received.sqlite"
    ledger = ReceivedLedger(path, telemetry, lambda: now[0])
    assert ledger.of(0, now[0]).since_ns is None
    telemetry.add(RECEIVED_BYTES, 300, "spans", "http", "gzip")
    telemetry.add(RECEIVED_BYTES, 60, "spans", "grpc", "identity")
    telemetry.add(RECEIVED_BYTES, 40, "logs", "http", "gzip")
    ledger.note()
    ledger.note()
    ledger.close()

    again = Telemetry()
    ledger = ReceivedLedger(path, again, lambda: now[0])
    now[0] += HOUR_NS
    again.add(RECEIVED_BYTES, 100, "spans", "http", "gzip")
    ledger.note()
    now[0] += HOUR_NS
    whole = ledger.of(0, 502 * HOUR_NS)
    assert whole.since_ns == 500 * HOUR_NS
    assert whole.bytes == {Signal.SPANS: 460, Signal.LOGS: 40, Signal.METRICS: 0}
    half = ledger.of(500 * HOUR_NS + HOUR_NS // 2, 501 * HOUR_NS)
    assert half.bytes[Signal.SPANS] == pytest.approx(180)
    assert half.a_day(Signal.SPANS, 501 * HOUR_NS) == pytest.approx(180 * 48)
    ledger.close()


def test_the_first_hour_counts_from_its_first_bytes(tmp_path):
    """A server that begins late in an hour, with 1 GiB a minute, tells of 1,440 GiB a day, then and after a restart."""
    minute, begin = HOUR_NS // 60, 500 * HOUR_NS + 50 * HOUR_NS // 60
    now, telemetry, path = [begin], Telemetry(), tmp_path / "received.sqlite"
    ledger = ReceivedLedger(path, telemetry, lambda: now[0])
    for after in range(1, 16):
        now[0] = begin + after * minute
        telemetry.add(RECEIVED_BYTES, 1024**3, "spans", "http", "gzip")
        ledger.note()
    ledger.close()
    ledger = ReceivedLedger(path, Telemetry(), lambda: now[0])
    for start_ns in (0, begin - HOUR_NS, begin + 5 * minute):
        received = ledger.of(start_ns, now[0])
        assert received.since_ns == max(begin, start_ns)
        assert received.a_day(Signal.SPANS, now[0]) == pytest.approx(
            1440 * 1024**3, rel=0.06
        )  # a note in an hour takes the minute before it along
    ledger.close()
