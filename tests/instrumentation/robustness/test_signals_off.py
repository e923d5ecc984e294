"""Signals that are switched off cost next to nothing, and take nothing from the others."""

from __future__ import annotations

import json

AROUND = """
import json, os, sys, spanglass
from opentelemetry import _logs, metrics, trace
from opentelemetry.propagate import extract, inject
CALLER = {"traceparent": "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"}
def give(**result):
    print(json.dumps(result))
"""


def test_without_traces_there_are_no_spans_and_traces_stay_whole(execute):
    """Spans record nothing; who is called further on sees the caller's span, and what begins here is one trace."""
    done = execute(
        AROUND
        + """
spanglass.configure(traces=False)
tracer, headers = trace.get_tracer("shop"), {}
with tracer.start_as_current_span("request", context=extract(CALLER)) as span:
    inject(headers)
with tracer.start_as_current_span("job") as outer:
    with tracer.start_as_current_span("step") as inner:
        context = inner.get_span_context()
        same = context == outer.get_span_context() and context.is_valid and bool(context.trace_flags.sampled)
give(recording=[each.is_recording() for each in (span, outer, inner)], handed_on=headers == CALLER, same=same)
"""
    )

    assert json.loads(done.stdout) == {"recording": [False, False, False], "handed_on": True, "same": True}


def test_without_traces_the_samplers_decision_is_handed_on(execute):
    """With a ratio of nothing, a trace that begins here is not recorded by others either."""
    done = execute(
        AROUND
        + """
spanglass.configure(traces=False, sample_ratio=0)
with trace.get_tracer("shop").start_as_current_span("job") as span:
    context = span.get_span_context()
give(valid=context.is_valid, sampled=bool(context.trace_flags.sampled))
"""
    )

    assert json.loads(done.stdout) == {"valid": True, "sampled": False}


def test_log_records_of_one_request_have_one_trace_without_traces(execute):
    """Log records in a span that is not recorded carry its trace id and span id."""
    done = execute(
        AROUND
        + """
import logging
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
spanglass.configure(traces=False)
kept = InMemoryLogRecordExporter()
_logs.get_logger_provider().add_log_record_processor(SimpleLogRecordProcessor(kept))
with trace.get_tracer("shop").start_as_current_span("job") as span:
    logging.getLogger("shop").warning("one")
    with trace.get_tracer("shop").start_as_current_span("step"):
        logging.getLogger("shop").warning("two")
context = span.get_span_context()
records = [each.log_record for each in kept.get_finished_logs()]
give(texts=[each.body for each in records],
     ids=[(each.trace_id, each.span_id) == (context.trace_id, context.span_id) for each in records])
"""
    )

    assert json.loads(done.stdout) == {"texts": ["one", "two"], "ids": [True, True]}


def test_metrics_and_logs_that_are_off_do_nothing(execute):
    """Instruments and loggers are OpenTelemetry's that do nothing; spans are recorded as ever."""
    done = execute(
        AROUND
        + """
spanglass.configure(metrics=False, logs=False)
made = [metrics.get_meter("shop").create_counter("sold"), _logs.get_logger("shop")]
give(made=[type(each).__name__ for each in made], recording=trace.get_tracer("shop").start_span("job").is_recording())
"""
    )

    assert json.loads(done.stdout) == {"made": ["NoOpCounter", "NoOpLogger"], "recording": True}


def test_a_signal_that_is_taken_by_somebody_else_is_made(execute):
    """What OpenTelemetry's variables or the console take is recorded, though it is not sent to the server."""
    done = execute(
        AROUND
        + """
spanglass.configure(traces=False, metrics=False, logs=False, console="on")
give(recording=trace.get_tracer("shop").start_span("job").is_recording(),
     logger=type(_logs.get_logger("shop")).__name__)
"""
    )

    assert json.loads(done.stdout) == {"recording": True, "logger": "Logger"}
