"""What is wrong, one row a cause."""

from __future__ import annotations

from spanglass_server.pages.services.attention import Finding
from spanglass_server.pages.services.causes import one_row_a_cause


def wrong(service, kind="failing"):
    """Make a row of a service that needs attention."""
    return {"service": service, "finding": Finding(kind, 0.5, 0.0, 0)}


def failed(service, name="POST", reason="refused", peer=None):
    """Make what a trace says of a failure."""
    called = peer and {"host": "127.0.0.1", "port": 1, "service": peer}
    return {"failure": {"service": service, "name": name, "reason": reason, "peer": called}, "answer": None}


def slow(service, name="SELECT"):
    """Make what a trace says of its time."""
    return {"failure": None, "answer": {"service": service, "name": name}}


def told(*rows):
    """Return the services of each row, the one that it is about first, and whether it has a reason."""
    causes = one_row_a_cause(rows)
    return [([one["service"] for one in (cause.row, *cause.others)], cause.reason is not None) for cause in causes]


def test_one_failure_is_one_row():
    """Services whose last failures are the same are one row, which is about the service where it began."""
    rows = [(wrong(name), failed("payment")) for name in ("web", "payment", "checkout")]

    assert told(*rows) == [(["payment", "web", "checkout"], True)]


def test_who_fell_silent_comes_before_who_noticed():
    """Callers that fail in their calls of a silent service stand in its row, with the reason that they have."""
    rows = [
        (wrong("payment", "silent"), None),
        (wrong("checkout"), failed("checkout", peer="payment")),
        (wrong("web"), failed("checkout", peer="payment")),
        (wrong("mail", "silent"), None),
    ]

    assert told(*rows) == [(["payment", "checkout", "web"], True), (["mail"], False)]


def test_calls_are_followed_to_the_last_that_needs_attention():
    """Web fails because checkout does, which fails because payment is silent; a circle ends somewhere."""
    rows = [
        (wrong("web"), failed("web", reason="503", peer="checkout")),
        (wrong("checkout"), failed("checkout", peer="payment")),
        (wrong("payment", "silent"), None),
    ]

    assert told(*rows) == [(["payment", "web", "checkout"], True)]
    assert told(*rows[:2]) == [(["checkout", "web"], True)]
    assert told((wrong("a"), failed("a", peer="b")), (wrong("b"), failed("b", peer="a"))) == [
        (["b", "a"], True),
        (["a", "b"], True),
    ]


def test_different_reasons_are_rows_of_their_own():
    """Another message, another place, another kind of trouble, and what was not explained stay apart."""
    rows = [
        (wrong("web"), failed("web")),
        (wrong("cart"), failed("web", reason="timeout")),
        (wrong("mail"), failed("mail", peer="smtp")),
        (wrong("a", "slow"), slow("web")),
        (wrong("b", "slow"), slow("web")),
        (wrong("c"), None),
        (wrong("d"), None),
    ]

    assert told(*rows) == [
        (["web"], True),
        (["cart"], True),
        (["mail"], True),
        (["a", "b"], True),
        (["c"], False),
        (["d"], False),
    ]
