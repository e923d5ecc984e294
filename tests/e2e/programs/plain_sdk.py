"""Run applications under plain OpenTelemetry: ``plain_sdk.py simple|batch MODULE ...``."""

from __future__ import annotations

import importlib
import logging
import sys

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.trace import set_tracer_provider

PROCESSORS = {
    "simple": (SimpleSpanProcessor, SimpleLogRecordProcessor),
    "batch": (BatchSpanProcessor, BatchLogRecordProcessor),
}

spans, logs = PROCESSORS[sys.argv[1]]
traced, logged = TracerProvider(), LoggerProvider()
traced.add_span_processor(spans(OTLPSpanExporter()))
logged.add_log_record_processor(logs(OTLPLogExporter()))
set_tracer_provider(traced)
logging.getLogger().addHandler(LoggingHandler(logger_provider=logged))
FlaskInstrumentor().instrument()
FastAPIInstrumentor().instrument()
for name in sys.argv[2:]:
    importlib.import_module(name).main()
traced.shutdown()
logged.shutdown()
