from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import psutil
import pytest
import zstandard
from google.rpc.status_pb2 import Status
from hypothesis import given, settings
from hypothesis import strategies as st
from official_json import official_json
from otlp_samples import PATHS, REQUESTS, span_request
from receivers import RecordingIngest, request, serving_http

from spanglass_server.receive.intake import Intake
from spanglass_server.receive.ports import MIB, ReceiveLimits
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from receivers import Answer

DATA = Path(__file__).parents[2] / "data"
PROTOBUF = "application/x-protobuf"
JSON = "application/json"
SPANS = span_request(3)
BODIES = {JSON: orjson.dumps(official_json(SPANS)), PROTOBUF: SPANS.SerializeToString()}
COMPRESS: dict[str, Any] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.compress,
}


@pytest.fixture(scope="module")
def ingest() -> RecordingIngest:
    return RecordingIngest()


@pytest.fixture(scope="module")
def port(ingest) -> Iterator[int]:
    with serving_http(Intake(ingest, ReceiveLimits(max_body_bytes=8 * MIB))) as port:
        yield port


def assert_answered(answer: Answer, content_type: str, *, allowed: set[int]) -> None:
    """Check that the status is allowed, and that a refusal has a Status with a message in the request's encoding."""
    assert (answer.status in allowed, answer.headers["content-type"]) == (True, content_type)
    if answer.status != 200:
        if content_type == JSON:
            message = orjson.loads(answer.body)["message"]
        else:
            message = Status.FromString(answer.body).message
        assert message


def json_cases() -> list[Any]:
    files = sorted((DATA / "jsontestsuite").glob("test_*/*.json"))
    assert len(files) == 340
    return [pytest.param(file, id=file.stem) for file in files]


@pytest.mark.parametrize("file", json_cases())
def test_json_test_suite(port, file):
    """What is no JSON (n_*) is 400 with a Status; valid or not agreed-upon JSON is 400 or, if an object, ignored."""
    answer = request(port, "/v1/traces", file.read_bytes(), content_type=JSON)
    assert_answered(answer, JSON, allowed={400} if file.name.startswith("n_") else {200, 400})


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("trace", Signal.SPANS),
        ("logs", Signal.LOGS),
        ("events", Signal.LOGS),
        ("metrics", Signal.METRICS),
    ],
)
def test_examples_of_the_specification_are_read_whole(port, ingest, name, signal):
    """The official OTLP/JSON examples arrive with every value: written back they are what they were."""
    body = (DATA / "otlp-proto-examples" / f"{name}.json").read_bytes()
    ingest.requests.clear()
    assert request(port, PATHS[signal], body, content_type=JSON).status == 200
    ((found_signal, found),) = ingest.requests
    assert found_signal is signal
    assert official_json(found) == canonical(orjson.loads(body))


def canonical(value: Any, name: str = "") -> Any:
    """Write an example as our writer does: lower-case ids, 64-bit numbers as strings, no zeros that say nothing."""
    if isinstance(value, dict):
        unsaid = {"scale", "zeroThreshold"}  # fields without presence: 0 is the same as nothing
        return {key: canonical(member, key) for key, member in value.items() if member or key not in unsaid}
    if isinstance(value, list):
        return [canonical(member, name) for member in value]
    if name in {"traceId", "spanId", "parentSpanId"}:
        return value.lower()
    if name in {"intValue", "asInt", "count", "bucketCounts", "zeroCount"}:
        return str(value)
    return value


damaged = st.one_of(
    st.tuples(st.just("flip"), st.integers(0, 10_000), st.integers(0, 7)),
    st.tuples(st.just("cut"), st.integers(0, 10_000), st.just(0)),
    st.tuples(st.just("insert"), st.integers(0, 10_000), st.integers(0, 255)),
)


def damage(wire: bytes, how: str, place: int, value: int) -> bytes:
    place %= len(wire)
    if how == "cut":
        return wire[:place]
    if how == "insert":
        return wire[:place] + bytes((value,)) + wire[place:]
    return wire[:place] + bytes((wire[place] ^ 1 << value,)) + wire[place + 1 :]


@pytest.mark.parametrize("encoding", COMPRESS)
@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
@settings(max_examples=60, deadline=None)
@given(change=damaged)
def test_damaged_bodies_are_never_our_failure(port, content_type, encoding, change):
    """A flipped bit, a cut or a byte too many: taken if it is still a request, else 400 or 413; never a 5xx."""
    wire = damage(COMPRESS[encoding](BODIES[content_type]), *change)
    answer = request(port, "/v1/traces", wire, content_type=content_type, content_encoding=encoding)
    assert_answered(answer, content_type, allowed={200, 400, 413})


@settings(max_examples=60, deadline=None)
@given(
    document=st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["resourceSpans", "resource", "scopeSpans", "spans", "attributes", "key", "value", "name"]
                )
                | st.text(max_size=4),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_json_of_any_shape_is_never_our_failure(port, document):
    """JSON with the right names in the wrong places is 400, or ignored; what is taken is protobuf that can be read."""
    answer = request(port, "/v1/traces", orjson.dumps({"resourceSpans": document}), content_type=JSON)
    assert_answered(answer, JSON, allowed={200, 400})


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_bombs_take_no_memory(port, encoding):
    """Three bombs of 256 MiB: 413 each, and the process has not grown by a quarter of one."""
    bomb = COMPRESS[encoding](bytes(256 * MIB))
    before_bytes = psutil.Process().memory_info().rss
    for _ in range(3):
        answer = request(port, "/v1/traces", bomb, content_type=PROTOBUF, content_encoding=encoding)
        assert_answered(answer, PROTOBUF, allowed={413})
    assert psutil.Process().memory_info().rss - before_bytes < 64 * MIB


def test_a_bomb_of_json_values_takes_no_memory(port):
    """4 MiB of empty objects would be 190 MiB of Python's: refused before they are made."""
    body = b'{"resourceSpans":[' + b"{}," * (4 * MIB // 3) + b"{}]}"
    before_bytes = psutil.Process().memory_info().rss
    answer = request(port, "/v1/traces", body, content_type=JSON)
    assert_answered(answer, JSON, allowed={413})
    assert psutil.Process().memory_info().rss - before_bytes < 64 * MIB


def test_after_all_that_the_receiver_still_works(port, ingest):
    """The process is alive and takes a good request."""
    ingest.requests.clear()
    assert request(port, "/v1/traces", BODIES[PROTOBUF], content_type=PROTOBUF).status == 200
    assert ingest.requests == [(Signal.SPANS, REQUESTS[Signal.SPANS].FromString(BODIES[PROTOBUF]))]
