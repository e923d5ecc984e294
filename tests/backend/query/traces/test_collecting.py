"""Pauses of the collector of cycles."""

from __future__ import annotations

import gc

import pytest

from spanglass_server.query.one_trace.collecting import paused_collector


def test_the_last_one_to_leave_ends_the_pause():
    """Pauses may overlap, and end also when something is raised."""
    with paused_collector():
        with pytest.raises(KeyError), paused_collector():
            raise KeyError
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_collector_that_is_off_stays_off():
    """Whoever turned it off wants it so."""
    gc.disable()
    try:
        with paused_collector():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
