"""The way to the server: TCP connections to real sockets."""

from __future__ import annotations

import socket
import threading

import pytest

from spanglass.clock import Clock
from spanglass.runtime_metrics.background import Background
from spanglass.runtime_metrics.latency import LatencyProbe, targets

PLACE = ("server.address", "server.port")


def test_a_connection_is_timed(measured):
    """One probe of a server that listens is one value, under its address, and no failure."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        LatencyProbe(measured.provider.get_meter("test"), Clock(), [("127.0.0.1", port)]).probe()
        connection, _ = server.accept()
        connection.close()

    measured.collect()
    assert measured.counts("spanglass.network.latency", *PLACE) == {("127.0.0.1", port): 1}
    assert 0 < measured.sums("spanglass.network.latency")[()] < 2
    assert "spanglass.network.probe.failures" not in measured.names


def test_who_does_not_answer_is_counted(measured):
    """A port that nobody listens on is a failure with its error, and stops no other target."""
    with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as server:
        closed, port = free.getsockname()[1], server.getsockname()[1]
        free.close()
        probe = LatencyProbe(measured.provider.get_meter("test"), Clock(), [("127.0.0.1", closed), ("127.0.0.1", port)])
        probe.probe()

    measured.collect()
    failures = measured.values("spanglass.network.probe.failures", "server.port", "error.type")
    assert failures == {(closed, "ConnectionRefusedError"): 1}
    assert measured.counts("spanglass.network.latency", "server.port") == {port: 1}


@pytest.mark.parametrize(
    ("endpoint", "others", "expected"),
    [
        ("http://127.0.0.1:4318", [], [("127.0.0.1", 4318)]),
        ("https://telemetry.example/otlp", [], [("telemetry.example", 443)]),
        ("http://a:1", ["db.internal:5432", "b:2", "a:1"], [("a", 1), ("db.internal", 5432), ("b", 2)]),
        ("http://[::1]:4318", ["[fe80::1]:80"], [("::1", 4318), ("fe80::1", 80)]),
        ("http://a:1", ["without-a-port"], [("a", 1)]),
    ],
)
def test_targets_are_addresses_or_urls(endpoint, others, expected):
    """Each once, in order; what names no port cannot be connected to."""
    assert targets(endpoint, others) == expected


def test_one_task_at_a_time():
    """While a task runs, another is not begun; after it has ended, it is; closed, none is."""
    background = Background("test")
    done, hold = [], threading.Event()
    background.run(lambda: (hold.wait(), done.append("first")))
    background.run(lambda: done.append("too early"))
    hold.set()
    background.wait()
    background.run(lambda: done.append("second"))
    background.wait()
    background.close()
    background.run(lambda: done.append("too late"))
    background.wait()

    assert done == ["first", "second"]
