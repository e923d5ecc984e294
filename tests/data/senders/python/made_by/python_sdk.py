"""A worker with OpenTelemetry's Python SDK: nested spans, a recorded exception, logging, cumulative and delta metrics."""
import logging, os, sys, time
from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

URL = sys.argv[1]
resource = Resource.create({"service.name": "mailer", "service.version": "3.1.0"})
traces = TracerProvider(resource=resource)
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(URL + "/v1/traces")))
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(URL + "/v1/logs")))
set_logger_provider(logs)
logging.getLogger().addHandler(LoggingHandler(logger_provider=logs))
logging.getLogger().setLevel(logging.INFO)
log = logging.getLogger("mailer.queue")
delta = {Counter: AggregationTemporality.DELTA, Histogram: AggregationTemporality.DELTA}
views = [View(instrument_name="*.size", aggregation=ExponentialBucketHistogramAggregation())]
readers = [
    PeriodicExportingMetricReader(OTLPMetricExporter(URL + "/v1/metrics"), export_interval_millis=2000),
    PeriodicExportingMetricReader(
        OTLPMetricExporter(URL.replace("python", "python-delta") + "/v1/metrics", preferred_temporality=delta),
        export_interval_millis=2000,
    ),
]
metrics = MeterProvider(readers, resource=resource, views=views)
meter = metrics.get_meter("mailer")
sent = meter.create_counter("mail.sent", "{mail}")
waiting = meter.create_up_down_counter("mail.waiting", "{mail}")
size = meter.create_histogram("mail.size", "By")
took = meter.create_histogram("mail.duration", "s", explicit_bucket_boundaries_advisory=[0.005, 0.01, 0.05, 0.1, 0.5, 1])
meter.create_observable_gauge("mail.oldest", [lambda _: []], "s")
tracer = traces.get_tracer("mailer", "3.1.0")


def render(number: int) -> str:
    with tracer.start_as_current_span("render", attributes={"mail.template": "receipt", "mail.parts": ["text", "html"]}):
        if number == 3:
            raise KeyError("customer_name")
        return "x" * (200 * (number + 1))


def send(number: int) -> None:
    with tracer.start_as_current_span("send mail", kind=trace.SpanKind.CONSUMER, attributes={"mail.number": number}) as span:
        begun = time.perf_counter()
        body = render(number)
        time.sleep(0.005)
        span.add_event("accepted", {"smtp.code": 250})
        sent.add(1, {"mail.kind": "receipt"})
        size.record(len(body), {"mail.kind": "receipt"})
        took.record(time.perf_counter() - begun, {"mail.kind": "receipt"})
        log.info("sent %d bytes", len(body), extra={"mail.number": number})


waiting.add(6)
for number in range(6):
    try:
        send(number)
    except KeyError:
        log.exception("mail %d was not sent", number)
    waiting.add(-1)
    time.sleep(0.9)
log.critical("queue is empty")
traces.shutdown(), metrics.shutdown(), logs.shutdown()
