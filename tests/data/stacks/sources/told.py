"""One failure, told by a span event and a log record of OpenTelemetry's SDK, and by spanglass: one group."""

import json
import logging
import sys

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


class OutOfStock(Exception):
    pass


def take(name, count):
    raise OutOfStock("%s: %d are not there" % (name, count))


def place_order(name, count):
    return take(name, count)


def with_span(tracer):
    with tracer.start_as_current_span("order"):
        place_order("tea", 3)


def with_inner_span(tracer):
    with tracer.start_as_current_span("take"):
        take("tea", 30)


def with_log():
    try:
        place_order("coffee", 12)
    except OutOfStock:
        logging.getLogger("shop").exception("could not order")


def out(how, attributes):
    told = {name: attributes.get("exception." + name, "") for name in ("type", "message", "stacktrace")}
    print(json.dumps({"group": "out of stock", "how": how, **told}))


def plain():
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

    spans, records = InMemorySpanExporter(), InMemoryLogRecordExporter()
    provider, logs = TracerProvider(), LoggerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    logs.add_log_record_processor(SimpleLogRecordProcessor(records))
    logging.getLogger().addHandler(LoggingHandler(logger_provider=logs))
    for run in (with_span, with_inner_span):
        try:
            run(provider.get_tracer("shop"))
        except OutOfStock:
            pass
    with_log()
    for span in spans.get_finished_spans():
        for event in span.events:
            out("span event", event.attributes)
    for record in records.get_finished_logs():
        out("log record", record.log_record.attributes)


def ours():
    import spanglass
    from spanglass.testing import capture

    spanglass.configure(service_name="shop", endpoint="http://127.0.0.1:9", flush_timeout="100ms")
    with capture() as captured:
        for run in (with_span, with_inner_span):
            try:
                run(trace.get_tracer("shop"))
            except OutOfStock:
                pass
        with_log()
    for span in captured.spans:
        for event in span["events"]:
            out("span event of spanglass", event["attributes"])
    for record in captured.logs:
        out("log record of spanglass", record["attributes"])


plain() if sys.argv[1] == "plain" else ours()
