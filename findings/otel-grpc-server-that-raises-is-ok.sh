#!/usr/bin/env bash
# A handler of a gRPC server that raises has a span without error and with the code OK in OpenTelemetry's Python.
#
# Guess:    the client gets UNKNOWN, so the server's span says error and code 2. A handler that ends its call by
#           context.abort(NOT_FOUND), an answer, has no exception on its span. grpc.server() takes what it took before.
# Instead:  the span of the handler that raises has no status and rpc.grpc.status_code 0, with the exception as an event,
#           twice. That of the one that aborts has an event "Exception" too, by which grpcio leaves the handler. And
#           grpc.server(pool, handlers, interceptors), with interceptors by position, raises TypeError.
# Versions: opentelemetry-instrumentation-grpc 0.66b1, grpcio 1.85.1.
# Matters:  error rates by the status of server spans are 0 while every call fails; error tracking by exception events
#           counts each failure twice, and each answer NOT_FOUND as a failure.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    opentelemetry-sdk==1.45.1 opentelemetry-instrumentation-grpc==0.66b1 grpcio==1.85.1

cat > try.py <<'EOF'
import logging
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import grpc
from opentelemetry.instrumentation.grpc import GrpcInstrumentorServer
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

logging.disable()  # grpcio logs the exception of the handler
exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
GrpcInstrumentorServer().instrument(tracer_provider=provider)
print("opentelemetry-instrumentation-grpc", version("opentelemetry-instrumentation-grpc"), "grpcio", version("grpcio"))


def raises(request, context):
    raise ValueError("no stock")


def aborts(request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "no such order")


class Shop(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler({"/shop/raises": raises, "/shop/aborts": aborts}[details.method])


server = grpc.server(ThreadPoolExecutor(1), [Shop()])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
seen = {}
with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    for method in ("raises", "aborts"):
        try:
            channel.unary_unary(f"/shop/{method}")(b"")
        except grpc.RpcError as error:
            code = error.code().name
        (span,) = exporter.get_finished_spans()
        exporter.clear()
        exceptions = [event.attributes["exception.type"] for event in span.events]
        seen[method] = (code, span.status.status_code.name, span.attributes["rpc.grpc.status_code"], exceptions)
        print(f"  {method}: the client gets {code}; the server's span: {seen[method][1:]}")
server.stop(0).wait()
assert seen["raises"] == ("UNKNOWN", "UNSET", 0, ["ValueError", "ValueError"]), seen
assert seen["aborts"] == ("NOT_FOUND", "UNSET", 5, ["Exception"]), seen

try:
    grpc.server(ThreadPoolExecutor(1), [], [])
except TypeError as error:
    print("  interceptors by position:", error)
else:
    raise SystemExit("interceptors by position are taken now")
EOF
venv/bin/python try.py
echo "As described."
