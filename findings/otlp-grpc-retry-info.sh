#!/usr/bin/env bash
# OpenTelemetry Python's OTLP/gRPC exporter ignores RetryInfo where the protocol puts it, and retries what it must not.
#
# Guess:    a server that is overloaded answers with google.rpc.RetryInfo among the details of the status, as OTLP says,
#           and the client waits that long; RESOURCE_EXHAUSTED without RetryInfo means: do not send again.
# Instead:  the exporter looks for RetryInfo in trailing metadata of its own name, google.rpc.retryinfo-bin, and never
#           into the status's details (grpc-status-details-bin). A standard "wait 30 s" is ignored: four attempts in 7
#           s. Sent under the exporter's own name, 30 s means that the batch is dropped at once, and 3 s is obeyed.
#           RESOURCE_EXHAUSTED without anything is sent four times.
# Versions: opentelemetry-exporter-otlp-proto-grpc 1.45.1, grpcio 1.85.1.
# Matters:  back-pressure as the protocol describes it does nothing with Python, and a request that is too large, which
#           is answered with RESOURCE_EXHAUSTED, comes four times. A server should send both.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.1 \
    opentelemetry-exporter-otlp-proto-grpc==1.45.1 grpcio==1.85.1 grpcio-status==1.85.1 protobuf==7.36.2

cat > try.py <<'EOF'
import logging
import time
from concurrent import futures
from importlib.metadata import version

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.sdk.trace import TracerProvider

logging.disable()
span = TracerProvider(shutdown_on_exit=False).get_tracer("finding").start_span("one")
span.end()


def retry_info(seconds):
    return error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=seconds))


def in_details(seconds):
    """UNAVAILABLE with RetryInfo in the status's details, as the protocol says."""
    detail = any_pb2.Any()
    detail.Pack(retry_info(seconds))
    status = status_pb2.Status(code=code_pb2.UNAVAILABLE, message="busy", details=[detail])
    return lambda context: context.abort_with_status(rpc_status.to_status(status))


def under_own_name(seconds):
    """UNAVAILABLE with RetryInfo where the exporter looks."""

    def refuse(context):
        context.set_trailing_metadata((("google.rpc.retryinfo-bin", retry_info(seconds).SerializeToString()),))
        context.abort(grpc.StatusCode.UNAVAILABLE, "busy")

    return refuse


class Refuses(trace_service_pb2_grpc.TraceServiceServicer):
    """Refuses every request in the way of the moment."""

    def Export(self, request, context):
        arrivals.append(time.monotonic())
        self.refuse(context)


arrivals, service = [], Refuses()
server = grpc.server(futures.ThreadPoolExecutor(2))
trace_service_pb2_grpc.add_TraceServiceServicer_to_server(service, server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()


def attempts(what, refuse):
    """How often one batch is sent, and the pauses between."""
    service.refuse = refuse
    arrivals.clear()
    exporter = OTLPSpanExporter(endpoint=f"127.0.0.1:{port}", insecure=True)
    assert exporter.export([span]).name == "FAILURE"
    exporter.shutdown()
    pauses = [later - earlier for earlier, later in zip(arrivals, arrivals[1:])]
    print(f"  {what:38} {len(arrivals)} attempts, pauses {[round(pause, 1) for pause in pauses]} s")
    return len(arrivals), pauses


print("exporter", version("opentelemetry-exporter-otlp-proto-grpc"))
count, pauses = attempts("RetryInfo of 30 s in the details", in_details(30))
assert count > 2 and max(pauses) < 10, "the standard place is read now"
count, _ = attempts("30 s under google.rpc.retryinfo-bin", under_own_name(30))
assert count == 1, "a long pause is treated differently now"
count, pauses = attempts("3 s under google.rpc.retryinfo-bin", under_own_name(3))
assert count > 2 and all(2.9 < pause < 3.5 for pause in pauses)
count, _ = attempts("RESOURCE_EXHAUSTED without RetryInfo", lambda c: c.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "no"))
assert count > 2, "it is not sent again now"
server.stop(None)
EOF
venv/bin/python try.py
echo "As described."
