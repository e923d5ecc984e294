"""Spans that are open for long are announced, and nothing else is."""

from __future__ import annotations

import multiprocessing
import os
import threading

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

from spanglass import in_progress
from spanglass.in_progress import InProgressProcessor

SECOND = 10**9
START = 1_700_000_000 * SECOND


class Watched:
    """An application whose clock stands still until a test moves it."""

    def __init__(self, sampler=None, **options):
        self.now_ns = START
        self.exporter = InMemoryLogRecordExporter()
        self.logs = LoggerProvider()
        self.logs.add_log_record_processor(SimpleLogRecordProcessor(self.exporter))
        options = {"tick_s": 0, "clock_ns": lambda: self.now_ns, **options}
        self.processor = InProgressProcessor(self.logs, **options)
        self.provider = TracerProvider(sampler=sampler)
        self.provider.add_span_processor(self.processor)

    def begin(self, name="work", *, scope="shop", **options):
        """Start a span now."""
        return self.provider.get_tracer(scope).start_span(name, start_time=self.now_ns, **options)

    def after(self, seconds):
        """Move the clock, and return what is announced then."""
        self.now_ns += round(seconds * SECOND)
        self.exporter.clear()
        self.processor.announce()
        return [data.log_record for data in self.exporter.get_finished_logs()]

    def names(self, seconds):
        """Return the names of the spans that are announced after a while."""
        return [record.attributes["spanglass.span.name"] for record in self.after(seconds)]


@pytest.fixture
def app():
    """Yield an application with a processor whose thread is off."""
    watched = Watched()
    yield watched
    watched.provider.shutdown()
    watched.logs.shutdown()


def test_an_announcement(app):
    """It says what the span is and has so far, as an ordinary record in the span's context and of its scope."""
    parent = app.begin("parent")
    app.now_ns += SECOND
    span = app.begin("GET /cart", scope="shop.http", kind=SpanKind.SERVER, context=set_span_in_context(parent))
    span.set_attribute("http.route", "/cart")
    span.set_status(Status(StatusCode.ERROR, "no stock"))

    (of_parent, record) = app.after(2)

    context = span.get_span_context()
    assert dict(record.attributes) == {
        "http.route": "/cart",
        "spanglass.span.name": "GET /cart",
        "spanglass.span.kind": "server",
        "spanglass.span.start_unix_nano": START + SECOND,
        "spanglass.span.parent_id": f"{parent.get_span_context().span_id:016x}",
        "spanglass.span.status": "error",
        "spanglass.span.status_message": "no stock",
        "spanglass.span.repeat_nano": 10 * SECOND,
    }
    assert (record.event_name, record.severity_text, record.severity_number.value, record.body) == (
        "spanglass.span.running", "TRACE", 1, "GET /cart is running",
    )  # fmt: skip
    assert (record.trace_id, record.span_id, record.trace_flags) == (
        context.trace_id,
        context.span_id,
        context.trace_flags,
    )
    assert (record.timestamp, record.observed_timestamp) == (START + 3 * SECOND,) * 2
    scopes = [data.instrumentation_scope.name for data in app.exporter.get_finished_logs()]
    assert scopes == ["shop", "shop.http"]
    assert "spanglass.span.parent_id" not in of_parent.attributes
    assert "spanglass.span.status" not in of_parent.attributes


def test_when_spans_are_announced(app):
    """First when it has been open for 2 s, then every 10 s, and no more when it has ended."""
    span = app.begin()
    seen = [app.names(seconds) for seconds in (1.9, 0.1, 0.5, 9.4, 0.1, 5, 5)]
    assert seen == [[], ["work"], [], [], ["work"], [], ["work"]]
    span.end()
    (ended,) = app.after(1)
    assert ended.attributes["spanglass.span.ended"] is True
    assert ended.body == "work has ended"
    assert app.after(60) == []


def test_short_spans_are_never_spoken_of(app):
    """A span that ends in time leaves no record and nothing behind, and a younger one waits for its own time."""
    app.begin("short").end()
    app.now_ns += SECOND
    app.begin("younger")
    assert app.names(1.5) == []
    assert app.names(1) == ["younger"]
    assert (len(app.processor._open), len(app.processor._due_ns)) == (1, 1)


def test_only_sampled_spans():
    """A span that will not be sent is not announced either."""
    app = Watched(sampler=ALWAYS_OFF)
    app.begin()
    assert app.after(5) == []


def test_ends_are_told_at_shutdown(app):
    """What was announced and has ended is told before the process goes, though the thread did not wake again."""
    span = app.begin()
    app.after(3)
    app.exporter.clear()
    span.end()
    app.provider.shutdown()
    (ended,) = app.exporter.get_finished_logs()
    assert ended.log_record.attributes["spanglass.span.ended"] is True


def test_values_are_bounded(app):
    """Of many, long and wide attributes a part is sent."""
    app.begin("n" * 1000, attributes={"text": "x" * 1000, "list": ["y" * 1000] * 50, "n": 5})
    app.begin(attributes={f"key{number}": number for number in range(100)})
    wide, many = app.after(3)
    assert (wide.attributes["text"], wide.attributes["n"]) == ("x" * 512, 5)
    assert list(wide.attributes["list"]) == ["y" * 512] * 16
    assert wide.attributes["spanglass.span.name"] == "n" * 512
    assert sum(key.startswith("key") for key in many.attributes) == 32


def test_the_number_of_spans_is_bounded(monkeypatch):
    """Beyond the most that are watched spans are counted, and beyond the most that are announced they wait."""
    monkeypatch.setattr(in_progress, "MAX_ANNOUNCED", 2)
    app = Watched(max_open=3)
    spans = [app.begin(f"s{number}") for number in range(5)]
    assert app.processor.unwatched == 2
    assert app.names(3) == ["s0", "s1"]
    spans[0].end()
    assert app.names(1) == ["s0", "s2"]


def test_clocks_that_jump(app):
    """A span that begins in the future holds up no other, and is announced when its time has come."""
    app.provider.get_tracer("shop").start_span("ahead", start_time=START + 100 * SECOND)
    app.begin("now")
    assert app.names(3) == ["now"]
    assert app.names(99) == ["ahead", "now"]


def test_the_thread_announces():
    """With a tick the processor's own thread does it, from the first span on, and ends with the provider."""
    written = threading.Event()

    class Exporter(InMemoryLogRecordExporter):
        def export(self, batch):
            written.set()
            return super().export(batch)

    app = Watched(tick_s=0.01)
    app.logs.add_log_record_processor(SimpleLogRecordProcessor(Exporter()))
    assert app.processor._thread is None
    app.begin()
    app.now_ns += 3 * SECOND
    assert written.wait(30)
    thread = app.processor._thread
    app.provider.shutdown()
    assert not thread.is_alive()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of Python 3.12 on: what is tested here
def test_a_forked_child_begins_anew():
    """A child does not announce its parent's spans, announces its own, and from a thread of its own."""
    app = Watched(tick_s=3600)
    app.begin("of the parent")
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = os.fork()
    if child == 0:
        app.begin("of the child")
        alive = app.processor._thread is not None and app.processor._thread.is_alive()
        sender.send((app.names(3), alive))
        os._exit(0)
    assert receiver.poll(30)
    assert receiver.recv() == (["of the child"], True)
    os.waitpid(child, 0)
    assert app.names(3) == ["of the parent"]
    app.provider.shutdown()
