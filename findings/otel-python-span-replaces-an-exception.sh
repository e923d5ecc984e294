#!/usr/bin/env bash
# OpenTelemetry Python: leaving a span, an exception whose str() fails is replaced by what str() raised.
#
# Guess:    start_as_current_span records what leaves its block and lets it go on; instrumentation changes no control
#           flow, and `except PaymentError` works with spans as it does without.
# Instead:  the description of the span's status is made of str(error) while the error is being handled. If that raises,
#           the new exception leaves the block in the error's place, the span has no error, and the handler that waits
#           for the first one never runs. Recording the exception asks for str() too, and fails alike. What is no
#           Exception, such as SystemExit(3), leaves the same block as if nothing had failed.
# Versions: opentelemetry-sdk 1.45.1.
# Matters:  exceptions that format themselves late, from attributes that a subclass forgot, are not rare, and nobody
#           sees it before a span stands around one. The error that is reported is then the wrong one.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.1

cat > try.py <<'EOF'
from importlib.metadata import version

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
tracer = provider.get_tracer("finding")


class PaymentError(Exception):
    """Formats itself from what a subclass should have set."""

    def __str__(self):
        return f"payment {self.number} failed"


def leaving(error):
    """Leave a block by an error: which exception comes out, and the span's status."""
    try:
        with tracer.start_as_current_span("pay"):
            raise error
    except BaseException as out:
        status = exporter.get_finished_spans()[-1].status.status_code.name
        print(f"  {type(error).__name__} leaves the block: {type(out).__name__} comes out, the span is {status}")
        return type(out).__name__, status


print("opentelemetry-sdk", version("opentelemetry-sdk"))
assert leaving(ValueError("v")) == ("ValueError", "ERROR")
assert leaving(PaymentError()) == ("AttributeError", "UNSET"), "leaves in another way now"
assert leaving(SystemExit(3)) == ("SystemExit", "UNSET"), "is an error now"
EOF
venv/bin/python try.py
echo "As described."
