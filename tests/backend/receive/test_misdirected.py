"""Bodies that arrive as what they are not."""

from __future__ import annotations

import pytest
from google.rpc.status_pb2 import Status
from otlp_samples import PATHS, REQUESTS, RESPONSES
from receivers import RecordingIngest, request, serving_http

from spanglass_server.ingest.ports import Accepted, IngestError, Refusal
from spanglass_server.receive.intake import Intake
from spanglass_server.receive.misdirected import explain_misdirected
from spanglass_server.signals import SENT, Signal


def small(signal):
    """A request with one valid record."""
    made = REQUESTS[signal]()
    if signal is Signal.SPANS:
        spans = made.resource_spans.add().scope_spans.add().spans
        spans.add(trace_id=b"t" * 16, span_id=b"s" * 8, name="GET", start_time_unix_nano=1, end_time_unix_nano=2)
    elif signal is Signal.LOGS:
        records = made.resource_logs.add().scope_logs.add().log_records
        records.add(time_unix_nano=1, severity_text="INFO").body.string_value = "hello"
    else:
        metric = made.resource_metrics.add().scope_metrics.add().metrics.add(name="cpu.time", unit="s")
        metric.gauge.data_points.add(time_unix_nano=1, as_double=1.5)
    return made.SerializeToString()


def before_1_0(signal):
    """The same as OTLP 0.15 to 0.19 wrote it: field 1000 of the resource's records instead of field 2."""
    envelope = getattr(REQUESTS[signal].FromString(small(signal)), REQUESTS[signal].DESCRIPTOR.fields[0].name)[0]
    body = envelope.SerializeToString()
    assert body[0] == 2 << 3 | 2
    body = b"\xc2\x3e" + body[1:]
    return b"\x0a" + bytes([len(body)]) + body


@pytest.mark.parametrize("sent", list(SENT))
@pytest.mark.parametrize("signal", list(SENT))
def test_another_signals_body_is_recognised(signal, sent):
    """A body sent to another signal's path is named with the path that takes it; one's own has no explanation."""
    misdirected = f"the body holds {sent}, but was sent as {signal}; send {sent} to {PATHS[sent]}"
    expected = None if sent is signal else misdirected
    assert explain_misdirected(signal, small(sent)) == expected


@pytest.mark.parametrize("sent", list(SENT))
@pytest.mark.parametrize("signal", list(SENT))
def test_the_shape_before_1_0_is_recognised(signal, sent):
    """Records in a field that OTLP 1.0 no longer has are named, whatever the path."""
    assert "before OTLP 1.0" in explain_misdirected(signal, before_1_0(sent))


@pytest.mark.parametrize("body", [b"", b"hello", b"\x0a\x02\x08\x01", b"\xff"])
def test_anything_else_is_unknown(body):
    """An empty request and bytes that are no request of any signal have no explanation."""
    assert explain_misdirected(Signal.SPANS, body) is None


@pytest.mark.parametrize(
    "outcome", [Accepted(0), Accepted(0, 1, "1 rejected"), IngestError(Refusal.MALFORMED, "the body is not OTLP")]
)
def test_nothing_stored_is_an_error_that_says_why(outcome):
    """Where nothing of such a body could be stored the answer is 400, whether ingest took it or not."""
    ingest = RecordingIngest()
    ingest.answer, ingest.failure = (outcome, None) if isinstance(outcome, Accepted) else (Accepted(0), outcome)
    with serving_http(Intake(ingest)) as port:
        answer = request(port, "/v1/traces", small(Signal.LOGS), content_type="application/x-protobuf")
    assert answer.status == 400
    assert Status.FromString(answer.body).message == "the body holds logs, but was sent as spans; send logs to /v1/logs"


def test_an_own_body_keeps_its_partial_success():
    """A request of the right signal whose records were all rejected stays a partial success."""
    with serving_http(Intake(RecordingIngest(Accepted(0, 1, "1 rejected: why")))) as port:
        answer = request(port, "/v1/traces", small(Signal.SPANS), content_type="application/x-protobuf")
    assert answer.status == 200
    assert RESPONSES[Signal.SPANS].FromString(answer.body).partial_success.rejected_spans == 1
