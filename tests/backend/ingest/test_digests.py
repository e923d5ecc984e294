"""Exact resends are recognised, and nothing else is."""

from __future__ import annotations

import hashlib

import pytest

from spanglass_server.ingest.digests import DigestWindow, digest_of
from spanglass_server.signals import SENT, Signal


def test_a_digest_is_of_signal_and_body():
    """The same bytes for another signal, and other bytes, have another digest, of 16 bytes."""
    digests = {digest_of(signal, body) for signal in SENT for body in (b"", b"a", b"b")}

    assert len(digests) == 9
    assert {len(digest) for digest in digests} == {16}
    assert digest_of(Signal.SPANS, b"a") == digest_of(Signal.SPANS, b"a")


@pytest.mark.parametrize("size", [0, 1999, 2000, 2001, 7000, 131_072, 131_073])
def test_a_digest_is_the_same_as_ever(size):
    """Digests are kept on disk: however a body is read, its digest is BLAKE2b of it with the signal as person."""
    body = bytes(number % 251 for number in range(size))
    assert digest_of(Signal.SPANS, body) == hashlib.blake2b(body, digest_size=16, person=b"spans").digest()


def test_digests_are_known_by_generation():
    """What was added or loaded is known, and belongs to its generation with the time of the newest."""
    window = DigestWindow(100)
    window.add(1, b"a", 10)
    window.add(1, b"b", 7)
    window.load(2, 20, [b"c"])

    assert [digest in window for digest in (b"a", b"b", b"c", b"d")] == [True, True, True, False]
    assert window.of(1) == (10, frozenset({b"a", b"b"}))
    assert window.of(2) == (20, frozenset({b"c"}))
    assert window.of(3) == (0, frozenset())


def test_a_generation_is_forgotten_when_its_newest_is_too_old():
    """Its digests are kept for the window at least, counted from the newest; the boundary is still inside."""
    window = DigestWindow(100)
    window.add(1, b"old", 10)
    window.add(1, b"young", 50)
    window.forget(150)
    before = b"old" in window
    window.forget(151)

    assert (before, b"old" in window, b"young" in window) == (True, False, False)
