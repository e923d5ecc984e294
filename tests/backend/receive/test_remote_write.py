from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
import zstandard
from receivers import ONE_TOKEN, request, serving_http
from remote_write_bodies import HEADERS_1, HEADERS_2, PATH, Write1, Write2, snappy

from spanglass_server.ingest.ports import Accepted, IngestError, Refusal
from spanglass_server.receive.intake import Intake
from spanglass_server.receive.ports import ReceiveLimits
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST, SECOND = Write1(), Write2()
FIRST.series({"__name__": "up"}, (1, 1))
SECOND.series({"__name__": "up"}, (1, 1))
WRITTEN = tuple(f"x-prometheus-remote-write-{kind}-written" for kind in ("samples", "histograms", "exemplars"))


@pytest.fixture
def port(ingest, counters) -> Iterator[int]:
    with serving_http(Intake(ingest, ReceiveLimits(max_body_bytes=100_000), counters=counters)) as port:
        yield port


def send(port, body, headers=HEADERS_1, **more):
    """Send a body, in a block of snappy unless it is in another encoding."""
    packed = body if "content-encoding" in more else snappy(body)
    return request(port, PATH, packed, **{**headers, **more})


def written(answer):
    """What an answer says is stored."""
    return [answer.headers.get(name) for name in WRITTEN]


def test_version_1(port, ingest, counters):
    """A request of 1.0 is handed on as it is, and answered without a body; what was stored is not told in 1.0."""
    answer = send(port, FIRST.body())
    assert (answer.status, answer.body, written(answer)) == (204, b"", [None] * 3)
    assert ingest.requests == [(Signal.METRICS, FIRST.message)]
    assert counters.events == [("received", Signal.METRICS, "http", "remote_write_1", len(snappy(FIRST.body())))]


@pytest.mark.parametrize(
    "content_type",
    ["application/x-protobuf", "application/x-protobuf; proto=prometheus.WriteRequest", "Application/X-Protobuf"],
)
def test_the_version_is_told_by_the_content_type(port, ingest, content_type):
    """Without the parameter proto, or with that of 1.0, a request is one of 1.0."""
    assert send(port, FIRST.body(), {**HEADERS_1, "content-type": content_type}).status == 204
    assert ingest.requests == [(Signal.METRICS, FIRST.message)]


def test_version_2_tells_what_is_stored(port, ingest):
    """The answer counts samples, histograms and exemplars, of a refusal too."""
    ingest.answer = Accepted(7, kinds={"samples": 2, "histograms": 3, "custom_histograms": 1, "exemplars": 1})
    answer = send(port, SECOND.body(), HEADERS_2)
    assert (answer.status, written(answer)) == (204, ["2", "4", "1"])
    assert ingest.requests == [(Signal.METRICS, SECOND.message)]
    ingest.failure = IngestError(Refusal.OVERLOADED, "busy")
    answer = send(port, SECOND.body(), HEADERS_2)
    assert (answer.status, written(answer)) == (429, ["0", "0", "0"])


@pytest.mark.parametrize("headers", [HEADERS_1, HEADERS_2])
def test_a_partial_write_is_a_400_with_reasons(port, ingest, headers):
    """What can't be stored is told in words, with a status after which senders do not send it again."""
    ingest.answer = Accepted(1, 2, "2 rejected: because", kinds={"samples": 1})
    answer = send(port, FIRST.body() if headers is HEADERS_1 else SECOND.body(), headers)
    assert (answer.status, answer.body) == (400, b"2 rejected: because\n")
    assert written(answer) == ([None] * 3 if headers is HEADERS_1 else ["1", "0", "0"])


@pytest.mark.parametrize(
    ("refusal", "status", "retry_after"),
    [
        (Refusal.MALFORMED, 400, None),
        (Refusal.TOO_LARGE, 413, None),
        (Refusal.OVERLOADED, 429, "2"),
        (Refusal.UNAVAILABLE, 503, "2"),
    ],
)
def test_only_what_may_work_later_is_sent_again(port, ingest, refusal, status, retry_after):
    """Refusals have the status that the specification gives them; those of the moment say when to come back."""
    ingest.failure = IngestError(refusal, "the reason")
    answer = send(port, FIRST.body())
    assert (answer.status, answer.headers.get("retry-after"), answer.body) == (status, retry_after, b"the reason\n")


def test_series_without_samples_are_taken(port, ingest):
    """There is nothing to store, and nothing wrong with them: a sender that repeats them would never end."""
    for headers, body in ((HEADERS_1, Write1()), (HEADERS_2, Write2())):
        body.series({"__name__": "up"})
        ingest.answer = Accepted(0)
        assert send(port, body.body(), headers).status == 204


@pytest.mark.parametrize("headers", [HEADERS_1, HEADERS_2])
def test_a_body_of_the_other_version_is_no_empty_success(port, ingest, headers):
    """Nothing that the version knows: refused, and the answer says how versions are told."""
    other = SECOND if headers is HEADERS_1 else FIRST
    ingest.answer = Accepted(0, kinds={"samples": 0})
    answer = send(port, other.body(), headers)
    assert answer.status == 400
    assert b"Content-Type" in answer.body


def test_other_encodings(port, ingest):
    """Agents that compress with zstd or gzip are understood; a missing Content-Encoding is snappy."""
    body = FIRST.body()
    for name, packed in (("zstd", zstandard.compress(body)), ("gzip", gzip.compress(body)), ("", snappy(body))):
        assert send(port, packed, **{"content-encoding": name}).status == 204
    assert len(ingest.requests) == 3


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        (b"\x05junk", {}, 400, b"no block of snappy"),
        (b"\xff" * 9, {}, 400, b"no block of snappy"),
        (snappy(b"x" * 100_001), {}, 413, b"100000 bytes"),
        (b"\xff\xff\xff\xff\x0f", {}, 413, b"100000 bytes"),
        (b"x" * 200_000, {}, 413, b"100000 bytes"),
        (b"", {"content-type": "application/json"}, 415, b"application/x-protobuf"),
        (b"", {"content-type": "application/x-protobuf;proto=other"}, 415, b"application/x-protobuf"),
        (b"", {"content-encoding": "br"}, 415, b"br"),
    ],
)
def test_bad_requests(port, ingest, body, headers, status, said):
    """What can't be read is refused before it takes memory, and the answer says why."""
    answer = request(port, PATH, body, **{**HEADERS_1, **headers})
    assert (answer.status, said in answer.body) == (status, True), answer.body
    assert not ingest.requests


def test_pieces_of_any_size(port, ingest):
    """A body that comes byte by byte is the same body."""
    answer = request(port, PATH, iter([bytes([byte]) for byte in snappy(FIRST.body())]), **HEADERS_1)
    assert answer.status == 204
    assert ingest.requests == [(Signal.METRICS, FIRST.message)]


def test_tokens_and_methods(ingest):
    """The ingest token is asked for as for OTLP; other methods than POST are none."""
    with serving_http(Intake(ingest, authorize=ONE_TOKEN)) as port:
        assert send(port, FIRST.body()).status == 401
        assert send(port, FIRST.body(), authorization="Bearer s3cret").status == 204
        assert request(port, PATH, method="GET").status == 405
