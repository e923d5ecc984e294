"""Large bodies are cut without loss, and none unfolds to more memory than it should."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from otlp_requests import REQUESTS, requests

from spanglass_server.ingest.decoding.decode import DecodeLimits, Decoder
from spanglass_server.ingest.ports import IngestError, Refusal
from spanglass_server.ingest.protobuf import wire
from spanglass_server.ingest.protobuf.wire import encode_varint, slices
from spanglass_server.signals import SENT, Signal

SPANS_REQUEST = REQUESTS[Signal.SPANS].DESCRIPTOR
EMPTY_MESSAGES = 5_000_000  # 10 MB
MEMORY_LIMIT_BYTES = 250 * 2**20


def field(number: int, message: bytes) -> bytes:
    """One length-delimited field."""
    return encode_varint(number << 3 | 2) + encode_varint(len(message)) + message


def nested(*numbers: int, message: bytes) -> bytes:
    """A message within the fields of these numbers, the outermost first."""
    for number in reversed(numbers):
        message = field(number, message)
    return message


@pytest.mark.parametrize("signal", list(SENT))
def test_slices_hold_what_the_body_held(signal, monkeypatch):
    """Whatever the slices' size, joined again they are the same records of the same parents in the same order."""

    @settings(max_examples=60, deadline=None)
    @given(requests(signal), st.integers(1, 200))
    def cut(request, slice_bytes):
        monkeypatch.setattr(wire, "SLICE_BYTES", slice_bytes)
        body = request.SerializeToString()
        parts = [REQUESTS[signal].FromString(part) for part in slices(body, request.DESCRIPTOR, 10**6)]

        assert [leaf for part in parts for leaf in leaves(part)] == list(leaves(request))

    cut()


def leaves(request):
    """Every record of a request with all its parents, as bytes."""
    ((_, resources),) = request.ListFields() or ((None, ()),)
    for resource in resources:
        scopes_name = resource.DESCRIPTOR.fields_by_number[2].name
        for scope in getattr(resource, scopes_name):
            records_name = scope.DESCRIPTOR.fields_by_number[2].name
            for record in getattr(scope, records_name):
                yield tuple(
                    part.SerializeToString(deterministic=True)
                    for part in (without(resource, scopes_name), without(scope, records_name), record)
                )


def without(message, name):
    """A copy of a message that lacks one field."""
    copy = type(message)()
    copy.CopyFrom(message)
    copy.ClearField(name)
    return copy


def test_a_slice_is_about_as_large_as_it_should_be():
    """100 spans of 50 kB come in slices of 1 MiB: each a little more than that, but the last."""
    body = nested(1, 2, message=b"".join(field(2, field(5, b"x" * 50_000)) for _ in range(100)))
    sizes = [len(part) for part in slices(body, SPANS_REQUEST, 10**6)]

    assert len(sizes) == 5
    assert all(2**20 <= size < 2**20 + 51_000 for size, _ in pairwise(sizes))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (field(1, b"abc")[:-1], "longer than what holds it"),
        (b"\x0a", "a varint is not closed"),
        (b"\x0a" + b"\xff" * 11, "a varint is not closed"),
        (b"\x0b", "wire type 3 is not used by OTLP"),
        (b"\x09\x00", "longer than what holds it"),
    ],
)
def test_broken_framing_is_named(body, message):
    """A body whose framing is broken is refused with what is wrong, not read past its end."""
    with pytest.raises(ValueError, match=message):
        list(slices(body, SPANS_REQUEST, 100))


def test_the_limit_of_messages_is_exact(monkeypatch):
    """As many messages as the limit pass, and one more is refused with the name of the setting."""
    monkeypatch.setattr(wire, "SLICE_BYTES", 1)
    body = nested(1, 2, message=field(2, b"") * 8)  # a resource, a scope, and eight spans

    assert len(list(slices(body, SPANS_REQUEST, 10))) == 8
    with pytest.raises(OverflowError, match=r"more than 9 messages \(setting ingest\.max_records\)"):
        list(slices(body, SPANS_REQUEST, 9))


_MEASURE = """
import resource, sys
from spanglass_server.ingest.attributes.limits import ColumnBudget, ShredLimits
from spanglass_server.ingest.decoding.decode import DecodeLimits, Decoder
from spanglass_server.ingest.ports import IngestError
from spanglass_server.ingest.shred import shred
from spanglass_server.signals import Signal
body = sys.stdin.buffer.read()
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
(result,) = Decoder(DecodeLimits()).decode(Signal.SPANS, [body], [10**18])
if not isinstance(result, IngestError) and result[0]:
    shred(result[0], ColumnBudget(1000), ShredLimits())
print(peak() - before, result.refusal if isinstance(result, IngestError) else "Accepted")
"""
_IDS = field(1, b"\1" * 16) + field(2, b"\1" * 8)
_SPAN = (1, 2, 2)


def many(number: int) -> bytes:
    """Five million empty messages of one field."""
    return bytes([number << 3 | 2, 0]) * EMPTY_MESSAGES


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: many(1), id="resources", marks=pytest.mark.slow),
        pytest.param(lambda: nested(1, message=many(2)), id="scopes", marks=pytest.mark.slow),
        pytest.param(lambda: nested(1, 2, message=many(2)), id="spans"),
        pytest.param(lambda: nested(*_SPAN, message=_IDS + many(9)), id="attributes"),
        pytest.param(lambda: nested(*_SPAN, message=_IDS + many(11)), id="events", marks=pytest.mark.slow),
        pytest.param(
            lambda: nested(*_SPAN, message=_IDS + field(11, many(3))),
            id="attributes of an event",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda: nested(*_SPAN, message=_IDS + nested(9, 2, 5, message=many(1))),
            id="values in a list",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda: nested(*_SPAN, message=_IDS + nested(9, 2, 6, message=many(1))),
            id="entries in a map",
            marks=pytest.mark.slow,
        ),
        pytest.param(lambda: nested(1, message=field(1, many(1)) + nested(2, 2, message=_IDS)), id="of a resource"),
        pytest.param(
            lambda: nested(
                1, 2, message=b"".join(field(2, _IDS + bytes([9 << 3 | 2, 0]) * 500_000) for _ in range(10))
            ),
            id="ten spans' attributes",
        ),
    ],
)
def test_ten_megabytes_of_empty_messages_stay_small(make):
    """They are answered, too large or not, with less than 250 MiB: protobuf's objects would take half a gigabyte."""
    measured = subprocess.run([sys.executable, "-c", _MEASURE], input=make(), capture_output=True, check=True)
    peak_bytes, answer = measured.stdout.decode().split()

    assert int(peak_bytes) < MEMORY_LIMIT_BYTES
    assert answer == str(Refusal.TOO_LARGE)


@pytest.mark.parametrize("text", [b"text ", b"xxxxx", b"\x00" * 5, b"\x0a\x00\x0a\x00 "])
def test_a_large_text_is_no_message(text):
    """A span with a text of 10 MB is stored, though its bytes may be read as five million messages."""
    body = nested(*_SPAN, message=_IDS + field(9, field(1, b"key") + nested(2, 1, message=text * 2_000_000)))
    (result,) = Decoder(DecodeLimits()).decode(Signal.SPANS, [body], [10**18])

    assert not isinstance(result, IngestError)
    assert result[1].accepted == 1


def test_levels_of_lists_are_counted_without_recursion(monkeypatch):
    """Five thousand levels of lists within lists, each of two messages, are counted to the last, a text."""
    monkeypatch.setattr(wire, "SLICE_BYTES", 1)
    value = field(1, b"text")
    for _ in range(5000):
        value = field(5, field(1, value))
    body = nested(*_SPAN, 9, 2, message=value)

    assert len(list(slices(body, SPANS_REQUEST, 10_006))) == 1
    with pytest.raises(OverflowError):
        list(slices(body, SPANS_REQUEST, 10_005))
