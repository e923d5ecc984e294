"""The profiler tells which functions threads are in, and for which span; nothing of it stays when it ends."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
import time

import pytest
from opentelemetry.context import attach
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import set_span_in_context

from spanglass.profiling import gathering, open_spans, profiler
from spanglass.profiling.profiler import Profiler

MS = 1_000_000
PATIENCE_S = 60


class Profiled:
    """An application whose profiler looks when it is told to, each time 10 ms after the last."""

    def __init__(self):
        self.now_ns = 0
        self.exporter = InMemoryLogRecordExporter()
        self.logs = LoggerProvider()
        self.logs.add_log_record_processor(SimpleLogRecordProcessor(self.exporter))
        self.profiler = Profiler(self.logs, rate=100, passing_ns=lambda: self.now_ns, clock_ns=lambda: 7)
        provider = TracerProvider()
        provider.add_span_processor(self.profiler)
        self.tracer = provider.get_tracer("shop")

    def look(self, times):
        """Look so many times; return the records that tell of it, by the innermost function and the thread."""
        for _ in range(times + 1):
            self.now_ns += 10 * MS
            self.profiler.look()
        self.exporter.clear()
        self.profiler.force_flush()
        records = [data.log_record for data in self.exporter.get_finished_logs()]
        return {(innermost(record), record.attributes.get("thread.name", "")): record for record in records}


def innermost(record):
    """The application's own function that is called last."""
    own = [line for line in record.body.splitlines() if f"({__file__}:" in line]
    return re.split(r"[:.]", own[-1].partition(" (")[0])[-1] if own else record.body


@pytest.fixture
def app():
    """Yield an application whose threads are noted, without a thread that looks."""
    profiled = Profiled()
    end = profiled.profiler._tagging.begin()
    profiled.profiler._go_on = profiled.profiler._tagging._woken = lambda: None
    yield profiled
    end()
    profiled.profiler.shutdown()
    profiled.logs.shutdown()


def stay_here(began, gate):
    """Wait until a test has seen enough."""
    began.release()
    gate.wait(PATIENCE_S)


def deeper(calls, began, gate):
    """Call itself."""
    stay_here(began, gate) if not calls else deeper(calls - 1, began, gate)


class Threads:
    """Threads that are all in their place when the block begins, and end with it."""

    def __init__(self, *works):
        self.began, self.gate = threading.Semaphore(0), threading.Event()
        self.threads = [threading.Thread(target=work, args=(self.began, self.gate), name=f"worker-{number}")
                        for number, work in enumerate(works)]  # fmt: skip

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        for _ in self.threads:
            assert self.began.acquire(timeout=PATIENCE_S)

    def __exit__(self, *_):
        self.gate.set()
        for thread in self.threads:
            thread.join()


def test_threads_and_tasks_are_told_of_with_their_spans(app, monkeypatch):
    """A thread in a span is told of also while it waits, a task that began in one too; idle threads are not."""
    spans = {}

    def in_span(began, gate):
        with app.tracer.start_as_current_span("handle order"), app.tracer.start_as_current_span("check cart") as span:
            spans["thread"] = span.get_span_context()
            over = app.tracer.start_span("over")
            token = attach(set_span_in_context(over))
            over.end()
            token.var.reset(token)  # as ``spanglass.span`` does: nobody hears of it
            stay_here(began, gate)

    async def block(began, gate):
        stay_here(began, gate)

    def over(began, gate):
        span = app.tracer.start_span("over")
        attach(set_span_in_context(span))
        span.end()
        stay_here(began, gate)

    def in_loop(began, gate):
        async def main():
            with app.tracer.start_as_current_span("async order") as span:
                spans["task"] = span.get_span_context()
                await asyncio.gather(block(began, gate))

        asyncio.run(main())

    with Threads(in_span, in_loop, over, lambda *way: deeper(300, *way)):
        records = app.look(3)
        monkeypatch.setattr(profiler, "_BUSY_NS", 0)
        every = app.look(1)
    of_thread, of_task = records["stay_here", "worker-0"], records["stay_here", "worker-1"]
    assert (of_thread.trace_id, of_thread.span_id) == (spans["thread"].trace_id, spans["thread"].span_id)
    assert (of_task.trace_id, of_task.span_id) == (spans["task"].trace_id, spans["task"].span_id)
    assert of_thread.event_name == "spanglass.profile.stack"
    assert dict(of_thread.attributes) | {"spanglass.profile.cpu_nano": 0} == {
        "spanglass.profile.samples": 3, "spanglass.profile.wall_nano": 30 * MS, "spanglass.profile.cpu_nano": 0,
        "spanglass.span.name": "check cart", "spanglass.profile.operation": "handle order", "thread.name": "worker-0",
    }  # fmt: skip
    frame = next(line for line in of_thread.body.splitlines() if "stay_here" in line)
    line = stay_here.__code__.co_firstlineno
    qualified = f"{__name__}:stay_here"
    assert frame == f"{qualified} ({__file__}:{line})"
    # those without a span: told of only where they compute
    if sys.platform == "linux":
        assert {"worker-2", "worker-3"} & {name for _, name in records} == set()
        assert {("stay_here", "worker-2"), ("stay_here", "worker-3")} <= every.keys()
        assert every["stay_here", "worker-2"].trace_id in {None, 0}


def test_what_is_kept_is_bounded(app, monkeypatch):
    """Of deep stacks the innermost frames are told; beyond a number of stacks only their time is."""
    monkeypatch.setattr(gathering, "MAX_STACKS", 1)

    def deep(began, gate):
        with app.tracer.start_as_current_span("deep"):
            deeper(300, began, gate)

    def other(began, gate):
        with app.tracer.start_as_current_span("other"):
            stay_here(began, gate)

    with Threads(deep, other):
        records = app.look(2)
    assert {record.attributes["spanglass.profile.wall_nano"] for record in records.values()} == {20 * MS}
    (told,) = [record for _, record in records.items() if record.body != "(other stacks)"]
    assert records.keys() - {("(other stacks)", "")} == {("stay_here", told.attributes["thread.name"])}
    if told.attributes["spanglass.span.name"] == "deep":
        assert (len(told.body.splitlines()), told.body.partition("\n")[0]) == (101, "...")


def test_what_is_never_ended_and_what_begins_during_a_look(app, monkeypatch):
    """Spans that nobody ends take no operation from later ones; a thread that begins during a look keeps its span."""
    monkeypatch.setattr(open_spans, "MAX_OPEN", 3)
    forgotten = [app.tracer.start_span(f"forgotten {number}") for number in range(5)]
    look = sys._current_frames
    started = []

    def in_span(began, gate):
        with app.tracer.start_as_current_span("handle order"), app.tracer.start_as_current_span("check cart"):
            stay_here(began, gate)

    def look_late():
        frames = look()
        if not started:
            started.append(Threads(in_span))
            started[0].__enter__()
        return frames

    monkeypatch.setattr(sys, "_current_frames", look_late)
    try:
        told = app.look(2)["stay_here", "worker-0"].attributes
    finally:
        started[0].__exit__()
    assert (told["spanglass.span.name"], told["spanglass.profile.operation"]) == ("check cart", "handle order")
    assert len(app.profiler._spans._open) <= 3
    for span in forgotten:
        span.end()


def test_it_begins_and_ends():
    """A thread looks until shutdown, which tells of what was seen; contexts are attached as before."""
    attach = ContextVarsRuntimeContext.attach
    profiled = Profiled()
    looking = Profiler(profiled.logs, rate=100)
    end = looking.begin()
    deadline = time.monotonic() + PATIENCE_S
    with profiled.tracer.start_as_current_span("main"):
        while not looking._gathered._sums and time.monotonic() < deadline:
            time.sleep(0.001)
    looking.shutdown()
    end()
    assert [data.log_record.attributes["spanglass.span.name"] for data in profiled.exporter.get_finished_logs()
            if data.log_record.span_id][:1] == ["main"]  # fmt: skip
    assert "spanglass-profiler" not in {thread.name for thread in threading.enumerate()}
    assert ContextVarsRuntimeContext.attach is attach
    profiled.logs.shutdown()


CHILD = """
import os, time, threading
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from spanglass.profiling.profiler import Profiler

exporter, logs = InMemoryLogRecordExporter(), LoggerProvider()
logs.add_log_record_processor(SimpleLogRecordProcessor(exporter))
profiler = Profiler(logs, rate=100)
profiler.begin()
tracer = TracerProvider().get_tracer("shop")
with tracer.start_as_current_span("parent"):
    while not profiler._gathered._sums:
        time.sleep(0.001)
    pid = os.fork()
    if pid == 0:
        assert not profiler._gathered._sums and profiler._thread is None
        with tracer.start_as_current_span("child"):
            while not profiler._gathered._sums:
                time.sleep(0.001)
        profiler.shutdown()
        told = {data.log_record.attributes.get("spanglass.span.name") for data in exporter.get_finished_logs()}
        os._exit(0 if "child" in told and "parent" not in told else 1)
    _, status = os.waitpid(pid, 0)
profiler.shutdown()
print(os.waitstatus_to_exitcode(status))
"""


def test_it_does_not_begin_among_greenlets(monkeypatch):
    """Where threads are greenlets nothing looks: all of them are on one stack."""
    monkeypatch.setattr(profiler, "are_green", lambda: True)
    profiled = Profiled()
    end = profiled.profiler.begin()
    with profiled.tracer.start_as_current_span("main"):
        assert "spanglass-profiler" not in {thread.name for thread in threading.enumerate()}
    end()
    profiled.profiler.shutdown()
    profiled.logs.shutdown()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork()")
def test_a_forked_child_goes_on_by_itself():
    """A child begins with nothing, looks from its first span on, and tells of its own spans only."""
    result = subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", CHILD],
                            capture_output=True, text=True, timeout=PATIENCE_S, check=True)  # fmt: skip
    assert result.stdout == "0\n"
