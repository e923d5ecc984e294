"""What receivers remember of what they rejected."""

from __future__ import annotations

import itertools

import grpc
import pytest
from otlp_samples import span_request
from receivers import RecordingIngest, request, serving_grpc, serving_http, until

from spanglass_server.ingest.ports import Accepted, IngestError, Refusal
from spanglass_server.receive.intake import Intake
from spanglass_server.receive.rejections import Rejection, Rejections, Repeated, Sender
from spanglass_server.signals import Signal

WIRE = span_request(3).SerializeToString()
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
SENDER = Sender("exporter/1", "192.0.2.7")


@pytest.fixture
def rejections():
    """Remember three rejections at most, by a clock that counts from 1."""
    ticks = itertools.count(1)
    return Rejections(lambda: next(ticks), capacity=3)


def malformed(message, sender=SENDER):
    return Rejection(Signal.SPANS, "http", "malformed", message, sender)


def partial(records):
    return Rejection(Signal.LOGS, "grpc", "partial", f"{records} rejected: too late", SENDER, records)


def test_newest_first(rejections):
    """Different rejections are entries of their own, the latest first."""
    rejections.add(malformed("a"))
    rejections.add(malformed("b"))
    assert rejections.newest() == [Repeated(malformed("b"), 1, 2, 2), Repeated(malformed("a"), 1, 1, 1)]


def test_alike_are_one(rejections):
    """Rejections that differ in numbers only are one entry: the latest message, all records, first and last time."""
    rejections.add(partial(3))
    rejections.add(malformed("a"))
    rejections.add(partial(40))
    together = Rejection(Signal.LOGS, "grpc", "partial", "40 rejected: too late", SENDER, 43)
    assert rejections.newest() == [Repeated(together, 2, 1, 3), Repeated(malformed("a"), 1, 2, 2)]


def test_bounded(rejections):
    """Past the capacity the one that came longest ago is forgotten, and repeating one keeps it."""
    for message in "abacd":
        rejections.add(malformed(message))
    assert [entry.rejection.message for entry in rejections.newest()] == ["d", "c", "a"]


def test_long_texts_are_cut(rejections):
    """Neither a header nor a message can fill the memory."""
    rejections.add(malformed("m" * 10_000, Sender("s" * 10_000, "192.0.2.7")))
    assert rejections.newest() == [Repeated(malformed("m" * 500, Sender("s" * 120, "192.0.2.7")), 1, 1, 1)]


def test_http_refusal(rejections):
    """A request refused over HTTP is remembered with what its sender was told, and who it was."""
    with serving_http(Intake(RecordingIngest(), rejections=rejections)) as port:
        request(port, "/v1/traces", b"x", Content_Type="text/plain", User_Agent="curl/<8>")
    message = "Content-Type 'text/plain' is not supported; send application/x-protobuf or application/json"
    refused = Rejection(Signal.SPANS, "http", "unsupported", message, Sender("curl/<8>", "127.0.0.1"))
    assert rejections.newest() == [Repeated(refused, 1, 1, 1)]


def test_retryable_refusal(rejections):
    """Where the sender was told to come back, that is remembered too."""
    ingest = RecordingIngest(failure=IngestError(Refusal.UNAVAILABLE, "the disk is full"))
    with serving_http(Intake(ingest, rejections=rejections)) as port:
        request(port, "/v1/traces", WIRE, Content_Type="application/x-protobuf", User_Agent="a")
    refused = Rejection(
        Signal.SPANS, "http", "unavailable", "the disk is full", Sender("a", "127.0.0.1"), retryable=True
    )
    assert rejections.newest() == [Repeated(refused, 1, 1, 1)]


@pytest.mark.parametrize(("duplicate", "remembered"), [(False, [(2, "2 rejected: too late")]), (True, [])])
def test_http_partial_success(rejections, duplicate, remembered):
    """Records left out of a stored request are remembered once, not again when it is resent."""
    ingest = RecordingIngest(answer=Accepted(1, 2, "2 rejected: too late", duplicate=duplicate))
    with serving_http(Intake(ingest, rejections=rejections)) as port:
        request(port, "/v1/traces", WIRE, Content_Type="application/x-protobuf")
    found = [(entry.rejection.records, entry.rejection.message) for entry in rejections.newest()]
    assert found == remembered


def test_grpc(rejections):
    """Both kinds of rejection are remembered over gRPC, with the user agent and the address of the sender."""
    ingest = RecordingIngest(answer=Accepted(1, 2, "2 rejected: too late"))
    with (
        serving_grpc(Intake(ingest, rejections=rejections)) as (port, _, _),
        grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.primary_user_agent", "exporter/2")]) as channel,
    ):
        export = channel.unary_unary(EXPORT)
        export(WIRE, timeout=20)
        with pytest.raises(grpc.RpcError):
            export(b"\xff", timeout=20)
        until(lambda: len(rejections.newest()) == 2)
    refused, left_out = (entry.rejection for entry in rejections.newest())
    assert (refused.transport, refused.reason, refused.records) == ("grpc", "malformed", 0)
    assert (left_out.reason, left_out.message, left_out.records) == ("partial", "2 rejected: too late", 2)
    assert left_out.sender.address == "127.0.0.1"
    assert left_out.sender.name.startswith("exporter/2 grpc-python/")
