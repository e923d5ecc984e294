"""A clock that is moved by hand."""

from __future__ import annotations

import pytest

from spanglass.api import metrics
from spanglass.clock import NS_PER_S, Clock

NOON_NS = 1_790_000_000 * NS_PER_S


class Time:
    """Both clocks; ``clock`` is what monitors take."""

    def __init__(self):
        self.now_ns = NOON_NS
        self.clock = Clock(lambda: self.now_ns, lambda: self.now_ns - NOON_NS)

    def pass_s(self, seconds):
        """Move on."""
        self.now_ns += round(seconds * NS_PER_S)


@pytest.fixture(autouse=True)
def defined_metrics(monkeypatch):
    """Metrics of this test alone."""
    monkeypatch.setattr(metrics, "_registry", metrics._Registry())


@pytest.fixture
def time():
    return Time()
