#!/usr/bin/env bash
# loguru and structlog through OpenTelemetry's logging handler: fields are no attributes, and a queue costs the trace.
#
# Guess:    a handler of the standard library is a handler: loguru and structlog pass message, fields, time and context
#           on, and the handler makes body and attributes of them.
# Instead:  loguru hands over its formatted line: every body begins with a time and a place, so no two are alike, and an
#           exception's text is in the body and in exception.stacktrace. Bound values lie in one attribute, the map
#           "extra". With enqueue=True, loguru's way not to block, the record has no trace id, and no sign of it.
#           structlog's wrap_for_formatter, its way to hand events to standard handlers, makes a body that is the repr
#           of a Python dict, and attributes "_logger" and "_name". Only render_to_log_kwargs yields attributes.
# Versions: opentelemetry-instrumentation-logging 0.66b1, opentelemetry-sdk 1.45.1, loguru 0.7.3, structlog 26.1.0.
# Matters:  grouping log records by body, filters on fields and the way from a trace to its logs all look as if the
#           application logged badly. The same application on standard logging is fine.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.1 \
    opentelemetry-instrumentation-logging==0.66b1 loguru==0.7.3 structlog==26.1.0

cat > try.py <<'EOF'
import logging
from importlib.metadata import version

import structlog
from loguru import logger
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider

exporter, provider = InMemoryLogRecordExporter(), LoggerProvider()
provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
handler = LoggingHandler(logger_provider=provider)
tracer = TracerProvider().get_tracer("finding")
standard = logging.getLogger("standard")
standard.addHandler(handler)
standard.setLevel(logging.INFO)
logging.getLogger("opentelemetry").setLevel(logging.ERROR)


def record(what, log):
    """The record that a call makes within a span: body, attributes, and whether it has the span's trace id."""
    exporter.clear()
    with tracer.start_as_current_span("request"):
        log()
        logger.complete()
    found = exporter.get_finished_logs()[0].log_record
    attributes = {k: v for k, v in found.attributes.items() if not k.startswith("code.")}
    traced = bool(found.trace_id)
    print(f"  {what:36} body {found.body!r}\n  {'':36} attributes {attributes}, trace id: {traced}")
    return found.body, attributes, traced


for package in ("opentelemetry-instrumentation-logging", "loguru", "structlog"):
    print(package, version(package))
right = record("logging", lambda: standard.info("paid", extra={"order": 17}))
assert right == ("paid", {"order": 17}, True)

logger.remove()
logger.add(handler)
body, attributes, traced = record("loguru", lambda: logger.bind(order=17).info("paid"))
assert body.endswith(" - paid") and "| INFO" in body, "the body is the message now"
assert attributes == {"extra": {"order": 17}} and traced, "bound values are attributes now"
logger.remove()
logger.add(handler, format="{message}", enqueue=True)
body, attributes, traced = record("loguru, enqueue=True", lambda: logger.bind(order=17).info("paid"))
assert body == "paid" and not traced, "the trace id is kept now"


def configure(*processors):
    structlog.configure(
        processors=processors,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    return structlog.get_logger("standard")


log = configure(structlog.stdlib.ProcessorFormatter.wrap_for_formatter)
body, attributes, traced = record("structlog, wrap_for_formatter", lambda: log.info("paid", order=17))
assert body == "{'order': 17, 'event': 'paid'}" and set(attributes) == {"_logger", "_name"}, "behaves differently now"
log = configure(structlog.stdlib.render_to_log_kwargs)
assert record("structlog, render_to_log_kwargs", lambda: log.info("paid", order=17)) == right
EOF
venv/bin/python try.py
echo "As described."
