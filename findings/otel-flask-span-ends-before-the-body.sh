#!/usr/bin/env bash
# A streamed response in Flask: OpenTelemetry's span is over before the first byte is made, and knows no failure.
#
# Guess:    the server span lasts until the response is sent, and spans made while it is sent are its children.
# Instead:  it ends with the view function. A generator that works 0.3 s and then raises leaves a span of a few
#           milliseconds with status 200 and no error; spans inside the generator are traces of their own. The same
#           application under the WSGI middleware of the same project has a span with the whole time and a child.
# Versions: Flask 3.1.3, opentelemetry-instrumentation-flask and -wsgi 0.66b1.
# Matters:  downloads, exports and answers of language models that stream are the slowest requests there are, and look
#           like the fastest. The body's failures and database calls can't be found from the request.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.1 Flask==3.1.3 \
    opentelemetry-instrumentation-flask==0.66b1 opentelemetry-instrumentation-wsgi==0.66b1

cat > try.py <<'EOF'
import time

import flask
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from werkzeug.test import Client

exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)


def application():
    app = flask.Flask("finding")

    @app.route("/export")
    def export():
        def rows():
            yield b"first\n"
            with trace.get_tracer("finding").start_as_current_span("next page"):
                time.sleep(0.3)
            raise RuntimeError("the connection is lost")

        return flask.Response(rows())

    return app


def spans(app):
    exporter.clear()
    try:
        response = Client(app).get("/export", buffered=True)
        raise SystemExit(f"no failure: {response.status}")
    except RuntimeError:
        pass
    inner, = (span for span in exporter.get_finished_spans() if span.name == "next page")
    server, = (span for span in exporter.get_finished_spans() if span.kind is trace.SpanKind.SERVER)
    milliseconds = (server.end_time - server.start_time) / 1e6
    child = inner.parent is not None and inner.parent.span_id == server.context.span_id
    error = server.status.status_code is trace.StatusCode.ERROR
    print(f"  {milliseconds:6.1f} ms, error: {error}, the span inside is its child: {child}")
    return milliseconds >= 300, error, child


print("Flask instrumentation: the server span of a stream that fails after 0.3 s")
by_flask = application()
FlaskInstrumentor().instrument_app(by_flask)
assert spans(by_flask) == (False, False, False), "Flask's span covers the body now"
print("WSGI middleware around the same application")
assert spans(OpenTelemetryMiddleware(application())) == (True, True, True), "the middleware behaves differently now"
EOF
venv/bin/python try.py
echo "As described."
