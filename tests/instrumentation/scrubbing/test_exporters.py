"""Exporters that scrub."""

from __future__ import annotations

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

from spanglass import guard
from spanglass.scrubbing.exporters import ScrubbingLogExporter, ScrubbingSpanExporter
from spanglass.scrubbing.scrubber import Scrubber


def _span(scrubber=None, resource=None, limits=None, **start):
    """A span, and what two exporters get of it: one that scrubs and one that doesn't."""
    scrubbed, plain = InMemorySpanExporter(), InMemorySpanExporter()
    provider = TracerProvider(resource=Resource(resource or {}), span_limits=limits, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(ScrubbingSpanExporter(scrubbed, scrubber or Scrubber())))
    provider.add_span_processor(SimpleSpanProcessor(plain))
    span = provider.get_tracer("test", "1").start_span(**{"name": "work", **start})

    def finish():
        span.end()
        return scrubbed.get_finished_spans()[0], plain.get_finished_spans()[0]

    return span, finish


def test_a_span_without_secrets_is_the_same_object():
    """Nothing is copied: the exporter gets what the SDK made."""
    span, finish = _span(attributes={"http.request.method": "GET", "author": "bob"}, resource={"service.name": "shop"})
    span.add_event("token_count", {"n": 5})
    after, before = finish()
    assert after is before


def test_every_part_of_a_span_is_scrubbed():
    """Name, attributes, events, links, status and resource; the rest stays, and the application's span with it."""
    link = SpanContext(5, 6, is_remote=False)
    span, finish = _span(
        name="GET https://u:p@a.b/",
        attributes={"password": "x", "a": "b"},
        links=[Link(link, {"token": "x"}), Link(link, {"a": "b"})],
        resource={"service.name": "shop", "process.command": "run --password hunter2"},
    )
    span.add_event("login", {"user.name": "bob", "secret": "x"}, timestamp=7)
    span.add_event("other", {"a": 1})
    span.set_status(Status(StatusCode.ERROR, "Login failed: password=x"))
    after, before = finish()
    assert after.name == "GET https://REDACTED:REDACTED@a.b/"
    assert dict(after.attributes) == {
        "password": "[scrubbed: password]",
        "a": "b",
        "spanglass.scrubbed": ("password", "span.name", "status.description"),
    }
    login = after.events[0]
    assert (login.name, dict(login.attributes), login.timestamp) == (
        "login",
        {"user.name": "bob", "secret": "[scrubbed: secret]", "spanglass.scrubbed": ("secret",)},
        7,
    )
    assert after.events[1] is before.events[1]
    assert (after.links[0].context, dict(after.links[0].attributes)) == (
        link,
        {"token": "[scrubbed: token]", "spanglass.scrubbed": ("token",)},
    )
    assert after.links[1] is before.links[1]
    assert (after.status.status_code, after.status.description) == (
        StatusCode.ERROR,
        "Login failed: password=[scrubbed: password]",
    )
    assert dict(after.resource.attributes) == {
        "service.name": "shop",
        "process.command": "run --password [scrubbed: password]",
        "spanglass.scrubbed": ("process.command",),
    }
    same = ("context", "parent", "kind", "start_time", "end_time", "instrumentation_scope")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    assert dict(before.attributes) == {"password": "x", "a": "b"}
    assert dict(before.events[0].attributes) == {"user.name": "bob", "secret": "x"}


def test_counts_of_what_was_dropped_stay():
    """A span that had more than its limits allow says so after scrubbing too."""
    limits = SpanLimits(max_span_attributes=1, max_events=1, max_links=1, max_event_attributes=1)
    context = SpanContext(5, 6, is_remote=False)
    span, finish = _span(
        attributes={"a": "b", "password": "x"},
        limits=limits,
        links=[Link(context, {"a": "b"}), Link(context, {"a": "b"})],
    )
    span.add_event("first")
    span.add_event("second", {"a": "b", "secret": "x"})
    after, before = finish()
    (ours,), (theirs,) = (encode_spans([each]).resource_spans[0].scope_spans[0].spans for each in (after, before))
    assert (ours.dropped_attributes_count, ours.dropped_events_count, ours.dropped_links_count) == (1, 1, 1)
    assert ours.events[0].dropped_attributes_count == theirs.events[0].dropped_attributes_count == 1


def test_one_resource_stays_one():
    """All spans of a process share its scrubbed resource, so they stay one group in what is sent."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"password": "x"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(ScrubbingSpanExporter(exporter, Scrubber())))
    for _ in range(2):
        provider.get_tracer("test").start_span("work").end()
    first, second = exporter.get_finished_spans()
    assert first.resource is second.resource
    assert first.resource.attributes.get("password") == "[scrubbed: password]"


def _log(scrubber=None, resource=None, **record):
    scrubbed, plain = InMemoryLogRecordExporter(), InMemoryLogRecordExporter()
    provider = LoggerProvider(Resource(resource or {}), shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(ScrubbingLogExporter(scrubbed, scrubber or Scrubber())))
    provider.add_log_record_processor(SimpleLogRecordProcessor(plain))
    provider.get_logger("test").emit(LogRecord(severity_number=SeverityNumber.INFO, **record))
    return scrubbed.get_finished_logs()[0], plain.get_finished_logs()[0]


def test_a_log_record_without_secrets_is_left():
    """Body and attributes are the objects that were logged."""
    after, before = _log(body={"order": 5, "author": "bob"}, attributes={"a": "b"})
    assert after.log_record is before.log_record


def test_body_and_attributes_of_a_log_record_are_scrubbed():
    """A body may be a text or a structure; the record of the application stays as it was."""
    body = {"request": {"headers": {"cookie": "a=b", "host": "c"}}, "n": 1}
    after, before = _log(body=body, attributes={"api_key": "x", "a": "b"}, resource={"secret": "y"}, event_name="login")
    assert after.log_record.body == {"request": {"headers": {"cookie": "[scrubbed: cookie]", "host": "c"}}, "n": 1}
    assert dict(after.log_record.attributes) == {
        "api_key": "[scrubbed: api key]",
        "a": "b",
        "spanglass.scrubbed": ("api_key", "body"),
    }
    assert after.resource.attributes.get("secret") == "[scrubbed: secret]"
    assert (after.log_record.event_name, after.log_record.timestamp) == ("login", before.log_record.timestamp)
    assert before.log_record.body == body
    assert before.log_record.attributes["api_key"] == "x"
    assert _log(body="password=x")[0].log_record.body == "password=[scrubbed: password]"


def test_a_value_is_scrubbed_where_a_message_repeats_it():
    """What an attribute of a secret name holds was put into the text as well; short words of it stay."""
    after, _ = _log(body="login bob hunter22 -> ok", attributes={"user": "bob", "password": "hunter22"})
    assert after.log_record.body == "login bob [scrubbed: password] -> ok"
    after, _ = _log(body="login bob", attributes={"password": "log"})
    assert after.log_record.body == "login bob"


def test_what_cannot_be_scrubbed_goes_on_without_what_it_held(monkeypatch):
    """A callback that fails neither breaks the application nor lets a secret through; the failure is counted."""
    monkeypatch.delenv("SPANGLASS_STRICT")
    monkeypatch.setattr(guard, "failures", type(guard.failures)())

    def fail(_match):
        raise RuntimeError("callback")

    scrubber = Scrubber(callback=fail)
    _, finish = _span(scrubber, attributes={"password": "x"}, resource={"service.name": "shop", "host.name": "h"})
    after, before = finish()
    assert (after.context, after.start_time, after.end_time) == (before.context, before.start_time, before.end_time)
    assert (after.name, dict(after.attributes)) == ("[scrubbed: could not be read]", {"spanglass.scrubbed": ("*",)})
    assert dict(after.resource.attributes) == {"service.name": "shop"}
    log, plain = _log(scrubber, body="password=x", attributes={"a": "b"})
    assert (log.log_record.body, dict(log.log_record.attributes)) == (
        "[scrubbed: could not be read]",
        {"spanglass.scrubbed": ("*",)},
    )
    assert log.log_record.severity_number is plain.log_record.severity_number
    assert guard.failures == {"scrub a span": 1, "scrub a log record": 1}


def test_results_flushes_and_ends_are_the_inner_exporters():
    """The exporter in between adds nothing of its own."""

    class Inner:
        def __init__(self):
            self.calls = []

        def export(self, batch):
            self.calls.append(list(batch))
            return "result"

        def force_flush(self, timeout_millis):
            self.calls.append(timeout_millis)
            return False

        def shutdown(self):
            self.calls.append("shutdown")

    for wrap in (ScrubbingSpanExporter, ScrubbingLogExporter):
        inner = Inner()
        exporter = wrap(inner, Scrubber())
        assert exporter.export([]) == "result"
        assert exporter.force_flush(5) is False
        exporter.shutdown()
        assert inner.calls == [[], 5, "shutdown"]


@pytest.mark.parametrize(
    "text",
    [
        "Traceback:\n    login(user, password=password)\nValueError: bad",
        "    secret = load(path)\n    secret : str\n    auth = (user, password)\n    run(['--password', password])",
        "    for token in tokens:\n    parser.add_argument('--token', required=True)\n    tokens = [each['id']]",
        "author=bob",
    ],
)
def test_stack_traces_stay_readable(text):
    """Source code that passes a password on holds none."""
    span, finish = _span()
    span.add_event("exception", {"exception.type": "ValueError", "exception.stacktrace": text})
    after, before = finish()
    assert after is before
