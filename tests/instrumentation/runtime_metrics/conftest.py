"""A meter provider to measure with."""

from __future__ import annotations

import pytest
from measuring import FakeClock, Measured


@pytest.fixture
def measured():
    """Yield a provider whose metrics the test collects."""
    made = Measured()
    yield made
    made.close()


@pytest.fixture
def clock():
    """Return a clock that stands still."""
    return FakeClock()
