"""Threads work in the context that they were started in, as long as they do that work."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

import pytest
from opentelemetry.context import get_current
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import get_current_span

import spanglass
from spanglass.context import ContextAttributesProcessor
from spanglass.instrumentors import threads
from spanglass.settings.table import Settings


class Told:
    """The tracer, and what the spans say that have ended."""

    def __init__(self):
        self._exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(ContextAttributesProcessor(Settings()))
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.span = provider.get_tracer("shop").start_as_current_span

    def parents(self):
        """Return names of spans with the names of their parents, in the order of their beginnings."""
        spans = sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time)
        names = {span.context.span_id: span.name for span in spans}
        return [(span.name, names[span.parent.span_id] if span.parent else None) for span in spans]

    def users(self):
        """Return the user of each span, by its name."""
        return {span.name: span.attributes.get("user.id") for span in self._exporter.get_finished_spans()}


@pytest.fixture
def told():
    """Threads instrumented."""
    undo = threads.threading(None, {}, late=False)
    yield Told()
    undo()


def work(told, name="work"):
    """Do what telemetry sees."""
    with told.span(name):
        pass


def test_kinds_of_threads(told):
    """A function, a class with a run() of its own, a timer, and pools of threads work within the request."""

    class Own(threading.Thread):
        def run(self):
            work(told, "own")

    with told.span("request"):
        started = [
            threading.Thread(target=work, args=(told, "target")),
            Own(),
            threading.Timer(0, work, (told, "timer")),
        ]
        for thread in started:
            thread.start()
            thread.join()
        with ThreadPoolExecutor(1) as pool:
            list(pool.map(lambda name: work(told, name), ["first", "second"]))
        with ThreadPool(1) as pool:
            pool.map(lambda name: work(told, name), ["third"])

    names = ["target", "own", "timer", "first", "second", "third"]
    assert told.parents() == [("request", None), *((name, "request") for name in names)]


def test_an_exception_in_a_thread_is_the_requests(told, monkeypatch):
    """The hook that is told of it is called within the request."""
    seen = []
    monkeypatch.setattr(threading, "excepthook", lambda _: seen.append(get_current_span().get_span_context().span_id))

    with told.span("request") as span:
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()

    assert seen == [span.get_span_context().span_id]


def test_work_that_goes_on_after_the_answer(told):
    """A thread that was started for a request belongs to it, however many things it does after the request's end."""
    ended = threading.Event()

    def send_mail():
        ended.wait()
        work(told, "query")
        work(told, "send")

    with told.span("request"):
        thread = threading.Thread(target=send_mail)
        thread.start()
    ended.set()
    thread.join()

    assert told.parents() == [("request", None), ("query", "request"), ("send", "request")]


def consume(told, jobs, done):
    """Take jobs for ever."""
    while name := jobs.get():
        work(told, name)
        done.put(name)


def test_a_worker_that_a_request_starts(told):
    """Its first piece of work is the request's; what it takes after the request has ended is not, nor its user."""
    jobs, done = queue.Queue(), queue.SimpleQueue()
    thread = threading.Thread(target=consume, args=(told, jobs, done), daemon=True)
    with told.span("request"), spanglass.set_user("ann"):
        jobs.put("first")
        thread.start()
        done.get()
    with told.span("other"):
        jobs.put("second")
        done.get()
    jobs.put("")
    thread.join()

    assert told.parents() == [("request", None), ("first", "request"), ("other", None), ("second", None)]
    assert told.users() == {"request": "ann", "first": "ann", "other": None, "second": None}


def test_all_of_a_queue_within_a_request(told):
    """A thread that takes many pieces while the request lasts works for it."""
    jobs, done = queue.Queue(), queue.SimpleQueue()
    thread = threading.Thread(target=consume, args=(told, jobs, done))
    with told.span("request"):
        thread.start()
        for name in ("first", "second", "third", ""):
            jobs.put(name)
        thread.join()

    assert [parent for _, parent in told.parents()] == [None, "request", "request", "request"]


def test_a_thread_that_works_at_intervals(told):
    """What waits for a time and goes on, after the request, is no longer the request's."""
    ended, ticked = threading.Event(), threading.Event()

    def tick():
        ended.wait()
        threading.Event().wait(0.001)
        work(told, "tick")
        ticked.set()

    with told.span("request"):
        threading.Thread(target=tick, daemon=True).start()
    ended.set()
    ticked.wait()

    assert told.parents() == [("request", None), ("tick", None)]


def test_a_timer_and_one_that_repeats(told):
    """What a timer does later is the request's; what it starts again and again is so once."""
    ended, ticks = threading.Event(), []

    def tick():
        ended.wait()
        with told.span("tick"):
            ticks.append(1)
            if len(ticks) < 3:
                threading.Timer(0.001, tick).start()

    with told.span("request"):
        threading.Timer(0.001, tick).start()
    ended.set()
    while len(told.parents()) < 4:  # a span ends after the thread that it has started has begun
        pass

    assert [parent for _, parent in told.parents()[:3]] == [None, "request", None]


def test_a_thread_does_not_go_on_for_ever(told, monkeypatch):
    """After a while a thread that never says what it does is on its own."""
    ended, later = threading.Event(), threading.Event()

    def loop():
        ended.wait()
        work(told, "first")
        later.wait()
        work(told, "second")

    with told.span("request"):
        thread = threading.Thread(target=loop)
        thread.start()
    ended.set()
    while len(told.parents()) < 2:
        pass
    monkeypatch.setattr(threads, "GRACE_NS", 0)
    later.set()
    thread.join()

    assert told.parents() == [("request", None), ("first", "request"), ("second", None)]


def test_threads_of_pools_have_no_context_of_their_own(told):
    """A job of the next request sees nothing of the request that has started the pool's thread."""
    with ThreadPoolExecutor(1) as pool:
        with told.span("request"):
            pool.submit(work, told, "first").result()
        pool.submit(work, told, "second").result()
        assert pool.submit(get_current).result() == {}

    assert told.parents() == [("request", None), ("first", "request"), ("second", None)]


def test_taken_back():
    """Afterwards everything is as it was."""
    owners = [(threading.Thread, "start"), (threading.Thread, "_bootstrap"), (threading.Event, "wait"),
              (queue.Queue, "get"), (ThreadPoolExecutor, "submit")]  # fmt: skip
    before = [vars(owner)[name] for owner, name in owners]
    threads.threading(None, {}, late=False)()

    assert [vars(owner)[name] for owner, name in owners] == before
