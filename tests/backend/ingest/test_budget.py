"""How many bytes requests hold together, and who holds them when."""

from __future__ import annotations

import pytest

from spanglass_server.ingest.budget import ByteBudget, Reservation
from spanglass_server.ingest.ports import IngestError, Refusal


def test_a_reservation_grows_and_is_given_back():
    """What a request holds counts once, at its largest, and no longer than the request."""
    budget = ByteBudget(100)
    with Reservation(budget, 10) as reservation:
        for size_bytes in (30, 20, 60):
            reservation.grow_to(size_bytes)
        assert budget.held_bytes == 60
    assert budget.held_bytes == 0


def test_reservations_are_bounded_together():
    """The one that would pass the bound is refused as overloaded, and what it held before is given back."""
    budget = ByteBudget(100)
    with Reservation(budget, 60):
        with pytest.raises(IngestError, match="60 of 100 bytes") as caught, Reservation(budget) as second:
            second.grow_to(41)
        assert caught.value.refusal is Refusal.OVERLOADED
        with Reservation(budget) as third:
            third.grow_to(40)
            assert budget.held_bytes == 100


@pytest.mark.parametrize("size_bytes", [20, 60, 70])
def test_a_transfer_moves_the_bytes(size_bytes):
    """The new holder has its own size; the old one, at the end of its block, gives nothing back any more."""
    budget = ByteBudget(100)
    with Reservation(budget, 60) as reservation:
        moved = reservation.transfer(size_bytes)
        assert budget.held_bytes == size_bytes
    assert budget.held_bytes == size_bytes
    moved.release()
    moved.release()
    assert budget.held_bytes == 0


def test_a_transfer_past_the_bound_moves_nothing():
    """Whoever was refused still holds what it held."""
    budget = ByteBudget(100)
    with Reservation(budget, 60) as reservation:
        with pytest.raises(IngestError):
            reservation.transfer(101)
        assert budget.held_bytes == 60
    assert budget.held_bytes == 0
