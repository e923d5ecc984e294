"""Sampling at the end of a trace."""

from __future__ import annotations

import os
import threading

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, StatusCode, TraceFlags, set_span_in_context

from spanglass.clock import Clock
from spanglass.sampling.head import RatioSampler
from spanglass.sampling.tail import TailErrorLogProcessor, TailSamplingProcessor

PROBABILITY, REASON = "spanglass.sampling.probability", "spanglass.sampling.reason"
MS = 1_000_000


class _Ids(RandomIdGenerator):
    """The trace ids that a test wants: low ones fall out of every share, high ones into it."""

    def __init__(self):
        self.next = 1

    def generate_trace_id(self):
        return self.next


class Service:
    """A tracer whose traces go through tail sampling, with a clock that the test moves."""

    def __init__(self, *, keep=0.5, slow_ms=1000, max_spans=100, sampler=None, threaded=False):
        self.now_ns = 0
        self.sent = InMemorySpanExporter()
        self.tail = TailSamplingProcessor(
            SimpleSpanProcessor(self.sent),
            keep_ratio=keep,
            slow_ns=slow_ms * MS,
            max_spans=max_spans,
            linger_ns=500 * MS,
            clock=Clock(monotonic_ns=lambda: self.now_ns),
            threaded=threaded,
        )
        self.ids = _Ids()
        self.provider = TracerProvider(sampler, id_generator=self.ids, shutdown_on_exit=False)
        self.provider.add_span_processor(self.tail)
        self.tracer = self.provider.get_tracer("test")

    def root(self, name="root", *, share, trace_id=None):
        """Begin a trace that is in the share, or is not."""
        self.ids.next = trace_id or ((1 << 56) - 1 if share else 1)
        return self.tracer.start_span(name, Context(), start_time=1)

    def child(self, parent, name="child"):
        """Begin a span in a trace."""
        return self.tracer.start_span(name, set_span_in_context(parent), start_time=1)

    def wait(self, ms=500):
        """Let time pass, and have decided what is due."""
        self.now_ns += ms * MS
        return self.tail.decide_due()

    @property
    def names(self):
        """What was sent: name, reason, probability."""
        return [(span.name, span.attributes.get(REASON), span.attributes.get(PROBABILITY)) for span in self.finished]

    @property
    def finished(self):
        """What was sent."""
        return self.sent.get_finished_spans()


@pytest.fixture
def service():
    """A service with a share of one half."""
    return Service()


def test_unremarkable_traces_are_kept_by_share(service):
    """One that falls into the share is sent whole and says that it stands for two; the other is not sent."""
    for share in (True, False):
        root = service.root(share=share)
        service.child(root).end(2)
        root.end(2)
    assert service.names == []
    assert service.wait() is None
    assert service.names == [("child", "share", 0.5), ("root", "share", 0.5)]
    assert (service.tail.held, service.tail.dropped) == (0, 2)


def test_a_trace_waits_for_late_spans(service):
    """Spans that end shortly after their root belong to the trace; what comes after follows its decision."""
    root = service.root(share=True)
    late, later = service.child(root, "late"), service.child(root, "later")
    root.end(2)
    assert service.wait(499) == 0.001
    late.end(2)
    assert service.names == []
    service.wait(1)
    later.end(2)
    assert [name for name, *_ in service.names] == ["root", "late", "later"]


@pytest.mark.parametrize("how", ["status", "event"])
def test_a_failed_trace_is_kept_whole(service, how):
    """A span with an error status or an exception keeps its trace; it stands for itself alone."""
    root = service.root(share=False)
    child = service.child(root)
    if how == "status":
        child.set_status(StatusCode.ERROR)
    else:
        child.record_exception(ValueError("x"))
    child.end(2)
    service.child(root, "after").end(2)
    root.end(2)
    service.wait()
    assert service.names == [("child", "error", None), ("after", "error", None), ("root", "error", None)]


def test_a_slow_trace_is_kept_whole(service):
    """A local root that took as long as the limit; a child that is slow in a quick root does not count."""
    for duration in (1000, 999):
        root = service.root(share=False, trace_id=duration)
        service.child(root, f"child {duration}").end(duration * MS)
        root.end(1 + duration * MS)
        service.wait()
    assert service.names == [("child 1000", "slow", None), ("root", "slow", None)]


def test_a_trace_that_is_slow_already_is_sent_while_it_runs(service):
    """A job of hours is not held: once its root is open too long, its spans go on as they end."""
    root = service.root(share=False)
    service.child(root, "first").end(5 * MS)
    service.child(root, "second").end(2000 * MS)
    service.wait()
    assert service.names == [("first", "slow", None), ("second", "slow", None)]
    service.child(root, "third").end(3000 * MS)
    assert [name for name, *_ in service.names] == ["first", "second", "third"]
    assert service.tail.held == 0


def test_a_failed_span_of_a_dropped_trace_is_sent(service):
    """It comes too late for its trace, and is marked so; a span that did not fail is dropped."""
    root = service.root(share=False)
    fails, ends = service.child(root, "fails"), service.child(root, "ends")
    root.end(2)
    service.wait()
    ends.end(2)
    fails.set_status(StatusCode.ERROR)
    fails.end(2)
    assert service.names == [("fails", "late-error", None)]
    assert service.tail.dropped == 2


def test_a_trace_that_comes_back_is_decided_anew(service):
    """A second request of a dropped trace may be the one that fails; of a kept trace it is sent at once."""
    service.root("first", share=False).end(2)
    service.wait()
    second = service.root("second", share=False)
    second.set_status(StatusCode.ERROR)
    second.end(2)
    service.wait()
    service.root("third", share=False).end(2)
    assert service.names == [("second", "error", None), ("third", "error", None)]


def test_roots_that_overlap_are_one_trace(service):
    """A trace is not decided while a local root of it is open."""
    first, second = service.root("first", share=False), service.root("second", share=False)
    first.end(2)
    service.wait(10_000)
    assert service.tail.held == 2
    second.set_status(StatusCode.ERROR)
    second.end(2)
    service.wait()
    assert service.names == [("first", "error", None), ("second", "error", None)]


def test_a_span_with_a_remote_parent_is_a_local_root(service):
    """The server's span of a request from elsewhere ends the trace here."""
    parent = SpanContext((1 << 56) - 1, 5, True, TraceFlags(1))  # noqa: FBT003 - remote
    service.tracer.start_span("server", set_span_in_context(NonRecordingSpan(parent))).end()
    service.wait()
    assert service.names == [("server", "share", 0.5)]


def test_an_error_that_was_logged_keeps_the_trace(service):
    """A record of severity ERROR within the trace is enough; a warning is not, nor a record outside of traces."""
    logs = LoggerProvider(shutdown_on_exit=False)
    taken = InMemoryLogRecordExporter()
    logs.add_log_record_processor(TailErrorLogProcessor(service.tail))
    logs.add_log_record_processor(SimpleLogRecordProcessor(taken))
    logger = logs.get_logger("test")
    for name, severity, trace_id in (("bad", SeverityNumber.ERROR, 5), ("odd", SeverityNumber.WARN, 6)):
        root = service.root(name, share=False, trace_id=trace_id)
        logger.emit(LogRecord(body="x", severity_number=severity, context=set_span_in_context(root)))
        root.end(2)
    logger.emit(LogRecord(body="x", severity_number=SeverityNumber.FATAL, context=Context()))
    service.wait()
    assert service.names == [("bad", "error", None)]
    assert len(taken.get_finished_logs()) == 3
    logs.shutdown()


def test_probabilities_of_head_and_tail_multiply():
    """Kept by the head with 0.2 and by the share with 0.5 it stands for ten; an error for the head's five."""
    service = Service(sampler=RatioSampler(0.2))
    high = (1 << 56) - 1
    for number, fails in ((high, False), (high - 1, True), (int(0.85 * 2**56), False), (int(0.7 * 2**56), False)):
        root = service.root(f"{number / 2**56:.2f}", share=False, trace_id=number)
        if fails:
            root.set_status(StatusCode.ERROR)
        root.end(2)
    service.wait()
    # of what the head kept, from 0.8 on, the share takes the upper half: those that a head of 0.1 would have taken
    assert service.names == [("1.00", "share", 0.1), ("1.00", "error", 0.2)]


def test_spans_that_were_not_sampled_are_not_held():
    """They go on to the next processor, which knows what to do with them."""
    service = Service(sampler=RatioSampler(0))
    service.root(share=True).end(2)
    assert service.tail.held == 0


def test_memory_is_bounded():
    """When too much is held the oldest trace is decided: a failed one is kept, the rest of it follows."""
    service = Service(max_spans=6)
    old = service.root("old", share=False, trace_id=5)
    failed = service.child(old, "failed")
    failed.set_status(StatusCode.ERROR)
    failed.end(2)
    for number in range(50):
        service.root(f"root {number}", share=False, trace_id=100 + number).end(2)
        assert service.tail.held <= 6
    old.end(2)
    assert service.names == [("failed", "error", None), ("old", "error", None)]


def test_roots_that_never_end_do_not_fill_the_memory():
    """Traces of which no span ever ends count as held too."""
    service = Service(max_spans=10)
    roots = [service.root(share=True, trace_id=number) for number in range(1, 100)]
    assert service.tail.held == 10
    assert len(roots) == 99


def test_decisions_are_remembered_up_to_a_bound(service):
    """A process that runs for years forgets the oldest."""
    for number in range(1, 9000):
        service.root(share=False, trace_id=number).end(2)
        if number % 50 == 0:
            service.wait()
    assert len(service.tail._held._decided) <= 8192


def test_flush_decides_what_is_held(service):
    """Before a serverless process is frozen nothing is held back; open roots go on."""
    root = service.root(share=True)
    service.child(root).end(2)
    assert service.provider.force_flush()
    root.end(2)
    assert service.names == [("child", "share", 0.5), ("root", "share", 0.5)]


def test_shutdown_decides_what_is_held(service):
    """What is worth keeping is sent, and spans that end afterwards reach no one who would mind."""
    root, other = service.root(share=True), service.root("other", share=True, trace_id=(1 << 56) - 2)
    root.end(2)
    service.provider.shutdown()
    assert service.names == [("root", "share", 0.5)]
    service.sent._stopped = True
    other.end(2)
    assert service.tail.held == 1


def test_the_applications_span_is_not_changed(service):
    """Other processors see the span as it ended."""
    seen = InMemorySpanExporter()
    service.provider.add_span_processor(SimpleSpanProcessor(seen))
    root = service.root(share=True)
    root.set_attribute("a", 1)
    root.add_event("b")
    root.end(2)
    service.wait()
    assert [dict(span.attributes) for span in seen.get_finished_spans()] == [{"a": 1}]
    (sent,) = service.finished
    assert dict(sent.attributes) == {"a": 1, REASON: "share", PROBABILITY: 0.5}
    assert [event.name for event in sent.events] == ["b"]


def test_a_thread_decides_by_itself():
    """In an application nobody calls `decide_due`; many threads end spans at once and none gets lost."""
    exporter, done = InMemorySpanExporter(), threading.Event()
    threads, traces = 4, 50

    class Sender(SimpleSpanProcessor):
        def on_end(self, span):
            super().on_end(span)
            if len(exporter.get_finished_spans()) == threads * traces * 2:
                done.set()

    tail = TailSamplingProcessor(Sender(exporter), keep_ratio=1, slow_ns=10**12, max_spans=10_000, linger_ns=10 * MS)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(tail)
    tracer = provider.get_tracer("test")

    def work():
        for _ in range(traces):
            with tracer.start_as_current_span("root"):
                tracer.start_span("child").end()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert done.wait(20)
    assert {span.attributes[REASON] for span in exporter.get_finished_spans()} == {"share"}
    provider.shutdown()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_begins_with_nothing():
    """The parent sends what it holds; the child decides its own, with a thread and a lock of its own."""
    service = Service(threaded=True)
    service.root("parent's", share=True).end(2)
    with service.tail._lock:  # as if another thread of the parent held it in that moment
        pid = os.fork()
        if pid == 0:
            service.root("child's", share=True, trace_id=(1 << 56) - 2).end(2)
            held = service.tail.held
            service.tail.force_flush()
            os._exit(0 if held == 2 and [name for name, *_ in service.names] == ["child's"] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    service.provider.shutdown()
    assert [name for name, *_ in service.names] == ["parent's"]
