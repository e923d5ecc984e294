from __future__ import annotations

from dataclasses import replace

import pytest
from receivers import RecordingIngest

from spanglass_server.receive.in_flight import InFlight, Share
from spanglass_server.receive.intake import Intake
from spanglass_server.receive.ports import ReceiveLimits
from spanglass_server.receive.status import Reason, RequestRefusedError


def test_a_share_grows_and_is_given_back():
    """What a request holds counts once, at its largest, and no longer than the request."""
    in_flight = InFlight(100)
    with Share(in_flight) as share:
        for size_bytes in (30, 20, 60):
            share.grow_to(size_bytes)
        assert in_flight.held_bytes == 60
    assert in_flight.held_bytes == 0


def test_shares_are_bounded_together():
    """The one that would pass the bound is refused as overloaded, and what it held before is given back."""
    in_flight = InFlight(100)
    with Share(in_flight) as first:
        first.grow_to(60)
        with pytest.raises(RequestRefusedError, match="60 of 100 bytes") as caught, Share(in_flight) as second:
            second.grow_to(41)
        assert caught.value.reason is Reason.OVERLOADED
        with Share(in_flight) as third:
            third.grow_to(40)
            assert in_flight.held_bytes == 100


def test_intakes_of_one_server_share_the_bound():
    """The gRPC receiver may allow larger messages, but not hold as much as the HTTP receiver once more."""
    over_http = Intake(RecordingIngest(), ReceiveLimits(max_body_bytes=10, max_in_flight_bytes=100))
    over_grpc = replace(over_http, limits=ReceiveLimits(max_body_bytes=20, max_in_flight_bytes=100))
    assert over_grpc.in_flight is over_http.in_flight
    assert Intake(RecordingIngest()).in_flight is not over_http.in_flight
