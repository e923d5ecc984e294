"""What a user must see of the telemetry that real senders send: the captures of tests/data/senders."""

from __future__ import annotations

import time

import pytest
from senders import SENDERS, Capture

NAMES = sorted({path.parent.name for path in SENDERS.glob("*/*.json")} - {"node", "collector-prometheus"})


@pytest.fixture(scope="module")
def captures(shared_server):
    """Send every capture to one server; the captures by name."""
    made = {name: Capture(name, time.time_ns()) for name in NAMES}
    for capture in made.values():
        capture.send(shared_server)
    return made


@pytest.mark.usefixtures("captures")
def test_nothing_is_refused_or_left_out(shared_server):
    """Whatever these senders send is valid: each request is a full success, also an empty one."""
    assert shared_server.get("/status")["rejections"] == []
