from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc
from otlp_samples import REQUESTS, RESPONSES, span_request
from receivers import ONE_TOKEN, serving_grpc, until

from spanglass_server.ingest.budget import ByteBudget
from spanglass_server.ingest.ports import Accepted, IngestError, Refusal
from spanglass_server.receive.grpc import SERVICES, GrpcReceiver
from spanglass_server.receive.intake import Intake
from spanglass_server.receive.ports import ReceiveLimits
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

SPANS = span_request(3)
WIRE = SPANS.SerializeToString()
TRACES = "opentelemetry.proto.collector.trace.v1.TraceService"
LIMITS = ReceiveLimits(max_body_bytes=100_000, max_concurrent_rpcs=2, body_timeout_s=20)
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
def channel(ingest, counters) -> Iterator[grpc.Channel]:
    with serving(Intake(ingest, LIMITS, counters=counters)) as channel:
        yield channel


@contextmanager
def serving(intake: Intake) -> Iterator[grpc.Channel]:
    with serving_grpc(intake) as (port, _receiver, _loop), grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel


def export(channel: grpc.Channel, wire: bytes = WIRE, service: str = TRACES, **options: Any) -> bytes:
    return channel.unary_unary(f"/{service}/Export")(wire, timeout=20, **options)


def refusal(channel: grpc.Channel, wire: bytes = WIRE, **options: Any) -> tuple[grpc.StatusCode, str, dict[str, bytes]]:
    with pytest.raises(grpc.RpcError) as caught:
        export(channel, wire, **options)
    return caught.value.code(), caught.value.details(), dict(caught.value.trailing_metadata())


def _after(event: threading.Event) -> Iterator[bytes]:
    """Messages of a client that sends only when told to."""
    event.wait(20)
    yield b""


@pytest.mark.parametrize(("service", "signal"), SERVICES.items())
def test_each_service_hands_on_its_signal(channel, ingest, service, signal):
    """An empty request is a request, and a full success is an empty message."""
    assert export(channel, b"", service) == b""
    assert ingest.requests == [(signal, REQUESTS[signal]())]


@pytest.mark.parametrize(
    "compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip, grpc.Compression.Deflate]
)
@pytest.mark.parametrize("count", [3, 300])
def test_compressed_messages_are_taken(channel, ingest, counters, compression, count):
    """What gRPC clients can compress with is understood; small and large ones."""
    request = span_request(count)
    assert export(channel, request.SerializeToString(), compression=compression) == b""
    assert ingest.requests == [(Signal.SPANS, request)]
    ((*event, _size),) = counters.events
    assert event == ["received", Signal.SPANS, "grpc", "protobuf"]


def test_partial_success_is_told(channel, ingest):
    """Rejected records and why, in the response's message."""
    ingest.answer = Accepted(accepted=1, rejected=2, message="2 without id")
    partial = RESPONSES[Signal.SPANS].FromString(export(channel)).partial_success
    assert (partial.rejected_spans, partial.error_message) == (2, "2 without id")


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (Refusal.MALFORMED, grpc.StatusCode.INVALID_ARGUMENT),
        (Refusal.TOO_LARGE, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (Refusal.OVERLOADED, grpc.StatusCode.UNAVAILABLE),
        (Refusal.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE),
    ],
)
def test_refusals_of_ingest_become_status_with_details(channel, ingest, counters, refused, code):
    """RetryInfo stands in both metadata forms or in none: RESOURCE_EXHAUSTED with it would be sent again forever."""
    ingest.failure = IngestError(refused, "because of a reason")
    found_code, message, trailers = refusal(channel)
    assert (found_code, message) == (code, "because of a reason")
    status = Status.FromString(trailers["grpc-status-details-bin"])
    assert (status.code, status.message) == (code.value[0], "because of a reason")
    retry, bad = RetryInfo(), BadRequest()
    assert any(detail.Unpack(retry) for detail in status.details) == refused.retryable
    assert any(detail.Unpack(bad) for detail in status.details) == (refused is Refusal.MALFORMED)
    assert ("google.rpc.retryinfo-bin" in trailers) == refused.retryable
    if refused.retryable:
        assert RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"]) == retry
        assert retry.retry_delay.seconds == 2
    assert counters.events == [("refused", Signal.SPANS, "grpc", refused.value)]


def test_a_message_of_the_limit_is_taken_and_one_byte_more_is_not(channel, ingest):
    """Past the limit: RESOURCE_EXHAUSTED without RetryInfo, which clients don't send again."""
    fits = REQUESTS[Signal.SPANS](resource_spans=[{"schema_url": "x" * (100_000 - 8)}]).SerializeToString()
    assert len(fits) == 100_000
    assert export(channel, fits) == b""
    code, message, trailers = refusal(channel, fits + b"x")
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "100001 vs. 100000" in message
    assert "google.rpc.retryinfo-bin" not in trailers
    assert len(ingest.requests) == 1


def test_the_limit_counts_after_decompression(channel, ingest):
    """10 MB of zeros in 10 kB are stopped at the limit."""
    code, message, trailers = refusal(channel, bytes(10_000_000), compression=grpc.Compression.Gzip)
    assert (code, "100000 bytes (after decompression)" in message) == (grpc.StatusCode.RESOURCE_EXHAUSTED, True)
    assert "google.rpc.retryinfo-bin" not in trailers
    assert ingest.requests == []


@pytest.mark.parametrize("wire", [b"\x1f\x8bgarbage", b"\x78\x9cgarbage", b"\xff" * 100])
def test_garbage_is_an_invalid_argument(channel, wire):
    """Neither a damaged stream nor bytes that are no protobuf do more than that."""
    assert refusal(channel, wire)[0] is grpc.StatusCode.INVALID_ARGUMENT


def test_other_methods_are_unimplemented(channel):
    """Profiles among them."""
    code, _message, _trailers = refusal(
        channel, service="opentelemetry.proto.collector.profiles.v1development.ProfilesService"
    )
    assert code is grpc.StatusCode.UNIMPLEMENTED


def test_the_token_is_checked_before_the_message_is_read(ingest):
    """Without the token UNAUTHENTICATED, though no message was ever sent; with a wrong one too."""
    with serving(Intake(ingest, LIMITS, authorize=ONE_TOKEN)) as channel:
        never = threading.Event()
        call = channel.stream_unary(f"/{TRACES}/Export")
        with pytest.raises(grpc.RpcError) as caught:
            call(_after(never), timeout=20)
        never.set()
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert refusal(channel, metadata=[("authorization", "Bearer wrong")])[0] is grpc.StatusCode.UNAUTHENTICATED
        assert ingest.requests == []
        assert export(channel, metadata=[("authorization", "Bearer s3cret")]) == b""


def test_a_message_that_never_comes_is_given_up(ingest, counters):
    """Slow senders are told UNAVAILABLE after the time limit."""
    never = threading.Event()
    limits = replace(LIMITS, body_timeout_s=0.5)
    with serving(Intake(ingest, limits, counters=counters)) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.stream_unary(f"/{TRACES}/Export")(_after(never), timeout=20)
    never.set()
    assert (caught.value.code(), caught.value.details()) == (
        grpc.StatusCode.UNAVAILABLE,
        "the message did not arrive within 0.5 s",
    )
    assert counters.events == [("refused", Signal.SPANS, "grpc", "slow")]


def test_requests_at_once_are_bounded(channel, ingest):
    """The third of two at most is told to come back, and when the two are done it is taken."""
    ingest.hold = threading.Event()
    call = channel.unary_unary(f"/{TRACES}/Export")
    running = [call.future(WIRE, timeout=20) for _ in range(2)]
    until(lambda: len(ingest.admitted) == 2)
    code, message, trailers = refusal(channel)
    ingest.hold.set()
    assert [future.result() for future in running] == [b"", b""]
    assert (code, message) == (grpc.StatusCode.UNAVAILABLE, "2 requests are under way; send again later")
    assert "google.rpc.retryinfo-bin" in trailers
    assert export(channel) == b""


def test_bytes_at_once_are_bounded(channel, ingest):
    """Two messages of 90 kB don't fit into 150 kB together, one after the other they do."""
    ingest.budget = ByteBudget(150_000)
    wire = REQUESTS[Signal.SPANS](resource_spans=[{"schema_url": "x" * 90_000}]).SerializeToString()
    ingest.hold = threading.Event()
    running = channel.unary_unary(f"/{TRACES}/Export").future(wire, timeout=20)
    until(lambda: ingest.entered)
    assert refusal(channel, wire)[0] is grpc.StatusCode.UNAVAILABLE
    ingest.hold.set()
    assert running.result() == b""
    assert export(channel, wire) == b""


def check(channel: grpc.Channel, service: str = "") -> int:
    request = health_pb2.HealthCheckRequest(service=service)
    return health_pb2_grpc.HealthStub(channel).Check(request, timeout=20).status


def test_health_follows_ingest(channel, ingest):
    """The server and each service are SERVING as long as ingest takes records; exports are refused otherwise."""
    assert [check(channel, name) for name in ("", *SERVICES)] == [SERVING] * 4
    ingest.health = "the disk is full"
    assert [check(channel, name) for name in ("", *SERVICES)] == [NOT_SERVING] * 4
    assert refusal(channel)[:2] == (grpc.StatusCode.UNAVAILABLE, "the disk is full")
    ingest.health = None
    assert check(channel) == SERVING
    assert export(channel) == b""


def test_watchers_of_health_are_told(channel, ingest):
    """Load balancers watch rather than ask."""
    states = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=20)
    assert next(states).status == SERVING
    ingest.health = "the disk is full"
    assert next(states).status == NOT_SERVING
    states.cancel()


def test_health_of_an_unknown_service_is_not_found(channel):
    """As grpc.health.v1 has it."""
    with pytest.raises(grpc.RpcError) as caught:
        check(channel, "unknown")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_stopping_lets_requests_finish(ingest):
    """A request under way is answered though the server stops, and watchers see NOT_SERVING; later ones are refused."""
    ingest.hold = threading.Event()
    with (
        serving_grpc(Intake(ingest, LIMITS)) as (port, receiver, loop),
        grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        states = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=20)
        assert next(states).status == SERVING
        running = channel.unary_unary(f"/{TRACES}/Export").future(WIRE, timeout=20)
        until(lambda: ingest.entered)
        stopping = loop.begin(receiver.stop(10))
        assert next(states).status == NOT_SERVING
        states.cancel()
        ingest.hold.set()
        assert running.result() == b""
        stopping.result(timeout=20)
        assert refusal(channel)[0] is grpc.StatusCode.UNAVAILABLE


def test_a_port_in_use_is_an_error(ingest):
    """A second server fails instead of sharing the port in silence."""

    async def listen(port: int) -> None:
        await GrpcReceiver(Intake(ingest)).start("127.0.0.1", port)

    with serving_grpc(Intake(ingest)) as (port, _receiver, _loop), pytest.raises(OSError, match=f"127.0.0.1:{port}"):
        asyncio.run(listen(port))
