"""The pace of work in the background: rests follow from the processor time that pieces take."""

from __future__ import annotations

import pytest

from spanglass_server.pace import Pace


class Times:
    """Clocks that stand until they are moved."""

    def __init__(self) -> None:
        self.elapsed_s, self.spent_s = 1000.0, 5.0

    def pace(self) -> Pace:
        """A pace by these clocks."""
        return Pace(lambda: self.elapsed_s, lambda: self.spent_s)

    def work(self, seconds: float) -> None:
        """Use processor time, and as much of the clock's."""
        self.elapsed_s += seconds
        self.spent_s += seconds


def test_after_a_piece_comes_a_rest_of_so_many_times_what_it_took():
    """A piece of 0.2 s with a rest of a hundred times has the next one wait for 20 s, not less and not more."""
    times = Times()
    pace = times.pace()
    assert pace.is_due()
    with pace.piece(100):
        times.work(0.2)
    assert not pace.is_due()
    times.elapsed_s += 19.9
    assert not pace.is_due()
    times.elapsed_s += 0.2
    assert pace.is_due()


def test_time_of_the_clock_alone_is_no_reason_to_rest():
    """A piece that waited, for a disk or because others have the processor, is followed by the next at once."""
    times = Times()
    pace = times.pace()
    with pace.piece(100):
        times.elapsed_s += 60
    assert pace.is_due()


def test_a_piece_says_what_it_turned_out_to_be():
    """The rest is that of what was done, and at least as long as the piece says."""
    times = Times()
    pace = times.pace()
    with pace.piece(100) as piece:
        times.work(1.0)
        piece.rest = 30
    times.elapsed_s += 30.1
    assert pace.is_due()
    with pace.piece(100) as piece:
        piece.least_s = 15.0
    times.elapsed_s += 14.9
    assert not pace.is_due()
    times.elapsed_s += 0.2
    assert pace.is_due()


def test_a_piece_that_fails_is_followed_by_its_rest():
    """What is tried again and again takes no more of a core than what succeeds."""
    times = Times()
    pace = times.pace()

    def fail() -> None:
        with pace.piece(100):
            times.work(0.5)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert not pace.is_due()
    times.elapsed_s += 50.1
    assert pace.is_due()
