#!/usr/bin/env bash
# sentry-sdk: with its OTLP integration, a process neither reads nor sends OpenTelemetry's `traceparent` any more.
#
# Guess:    `OTLPIntegration` lets OpenTelemetry trace and sends the spans to Sentry. Traces go on across services as
#           OpenTelemetry propagates them, by the W3C headers or what OTEL_PROPAGATORS says.
# Instead:  sentry_sdk.init() puts a propagator of its own in the place of the process's, whatever that was. It reads
#           and sends `sentry-trace` alone: a caller's `traceparent` is ignored, and what is called gets none.
# Versions: sentry-sdk 2.75.0, opentelemetry-sdk 1.45.1.
# Matters:  every trace is cut at this service, towards all that do not speak Sentry's header, and nothing says so.
#           OTLPIntegration(setup_propagator=False) leaves the propagator alone.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check sentry-sdk==2.75.0 opentelemetry-sdk==1.45.1 \
    opentelemetry-exporter-otlp-proto-http==1.45.1

cat > try.py <<'EOF'
import sys

import sentry_sdk
from opentelemetry import propagate, trace
from opentelemetry.sdk.trace import TracerProvider
from sentry_sdk.integrations.otlp import OTLPIntegration

CALLER = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}


def seen():
    """Serve a request of the caller, and call another service: whether the trace goes on, and the headers sent."""
    with trace.get_tracer("finding").start_as_current_span("request", propagate.extract(CALLER)) as span:
        sent = {}
        propagate.inject(sent)
        return trace.format_trace_id(span.get_span_context().trace_id) == "1" * 32, sorted(sent)


def init(**options):
    """Set Sentry up with its integration alone; nothing is sent."""
    integration = OTLPIntegration(setup_otlp_traces_exporter=False, **options)
    sentry_sdk.init(
        dsn="http://key@127.0.0.1:9/1",
        integrations=[integration],
        default_integrations=False,
        auto_enabling_integrations=False,
    )


trace.set_tracer_provider(TracerProvider())
assert seen() == (True, ["traceparent"]), "propagates otherwise now"
if sys.argv[1] == "default":
    init()
    print("  after init():", seen())
    assert seen() == (False, ["sentry-trace"]), "propagates otherwise now"
else:
    init(setup_propagator=False)
    print("  after init() with setup_propagator=False:", seen())
    assert seen() == (True, ["traceparent"]), "propagates otherwise now"
EOF
venv/bin/python -c 'from importlib.metadata import version as v; print("sentry-sdk", v("sentry-sdk"))'
venv/bin/python try.py default
venv/bin/python try.py left
echo "As described."
