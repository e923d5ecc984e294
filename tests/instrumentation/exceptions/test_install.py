import asyncio
import gc
import logging
import subprocess
import sys
import threading

import pytest
from opentelemetry._logs import SeverityNumber

from spanglass.exceptions.install import install_hooks

CHAIN, HANDLED = "spanglass.exception.chain", "spanglass.exception.handled"

PROGRAM = """
import sys
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import ConsoleLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from spanglass.exceptions.capture import new_capture
from spanglass.exceptions.install import install_exceptions
from spanglass.settings.table import Settings

provider = LoggerProvider()
line = lambda r: f"{r.severity_text} {r.body} handled={r.attributes['spanglass.exception.handled']} " \\
    f"full={'spanglass.exception.chain' in r.attributes} span={r.span_id:x}\\n"
provider.add_log_record_processor(SimpleLogRecordProcessor(
    ConsoleLogRecordExporter(formatter=lambda r: line(r.log_record))))
install_exceptions(Settings(), new_capture(Settings(), logger_provider=provider, stopwatch=lambda: 1))
tracer = TracerProvider().get_tracer("t")
"""


def run(code):
    """Run a program with everything installed."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM + code], capture_output=True, text=True, check=False, timeout=180
    )


@pytest.fixture
def quiet(monkeypatch):
    """Have hooks that print nothing, for pytest brings some that fail tests."""
    calls = []
    monkeypatch.setattr(sys, "excepthook", lambda *_: calls.append("main"))
    monkeypatch.setattr(threading, "excepthook", lambda args: calls.append(args.thread.name))
    monkeypatch.setattr(sys, "unraisablehook", lambda _: calls.append("unraisable"))
    return calls


def fail():
    """Raise."""
    raise ValueError("broken")


def test_what_nobody_caught_in_main_is_fatal():
    """A program that ends by an exception prints its traceback, ends with 1, and tells one record of it."""
    ended = run("raise ValueError('broken')")

    assert ended.returncode == 1
    assert ended.stderr.endswith("ValueError: broken\n")
    assert ended.stdout == "FATAL ValueError: broken handled=False full=True span=0\n"


def test_what_left_a_span_is_told_as_fatal_too():
    """Only at the end it is known to end the process: the second record says so, by the occurrence's id and span."""
    ended = run("with tracer.start_as_current_span('s') as s: print(f'{s.context.span_id:x}'); raise ValueError('x')")

    span_id, *records = ended.stdout.splitlines()
    assert records == [
        f"ERROR ValueError: x handled=False full=True span={span_id}",
        f"FATAL ValueError: x handled=False full=False span={span_id}",
    ]


@pytest.mark.parametrize(("code", "status"), [("sys.exit(3)", 3), ("sys.exit()", 0), ("raise KeyboardInterrupt", -2)])
def test_ends_of_a_process_are_no_errors(code, status):
    """Neither an exit with a status nor a Ctrl-C is told."""
    ended = run(code)

    assert (ended.returncode, ended.stdout) == (status, "")


def test_a_thread_that_fails_is_told_once(sent_quietly, quiet):
    """The record has the thread's exception, and the hook that was there before still runs."""
    thread = threading.Thread(target=fail, name="worker-7")
    thread.start()
    thread.join()

    (record,) = sent_quietly.logs
    assert (record.body, record.severity_number) == ("ValueError: broken", SeverityNumber.ERROR)
    assert record.attributes[HANDLED] is False
    assert record.attributes["code.function.name"] == f"{__name__}.fail"
    assert quiet == ["worker-7"]


def test_a_thread_that_exits_is_not_told(sent_quietly, quiet):
    """SystemExit only ends a thread, whatever its status."""
    thread = threading.Thread(target=sys.exit, args=(5,), name="worker")
    thread.start()
    thread.join()

    assert sent_quietly.logs == []
    assert quiet == ["worker"]


def test_a_thread_whose_span_told_it_is_not_told_again(sent_quietly, quiet):
    """What left the thread's own root span has its record."""

    def traced():
        with sent_quietly.tracer.start_as_current_span("work"):
            fail()

    thread = threading.Thread(target=traced, name="worker")
    thread.start()
    thread.join()

    assert len(sent_quietly.logs) == 1
    assert quiet == ["worker"]


@pytest.mark.usefixtures("no_garbage")
def test_what_cannot_be_raised_is_told(sent_quietly, quiet):
    """An exception in __del__ reaches nobody else."""

    class Broken:
        """Fails when it goes."""

        def __del__(self):
            fail()

    Broken()
    gc.collect()

    assert [record.body for record in sent_quietly.logs] == ["ValueError: broken"]
    assert quiet == ["unraisable"]


@pytest.mark.usefixtures("no_garbage")
def test_a_task_that_nobody_awaits_is_told(sent, caplog):
    """Asyncio prints its message as ever, and one record tells the task's exception, in the trace of its span."""

    async def work():
        with sent.tracer.start_as_current_span("root") as root:
            found.append(root.get_span_context())
            task = asyncio.create_task(broken())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            del task
            gc.collect()

    async def broken():
        with sent.tracer.start_as_current_span("inner"):
            fail()

    found = []
    asyncio.run(work())

    (record,) = sent.logs
    assert (record.body, record.attributes[HANDLED], CHAIN in record.attributes) == ("ValueError: broken", False, True)
    assert record.trace_id == found[0].trace_id
    assert record.span_id == sent.spans["inner"].context.span_id
    assert [message.partition("\n")[0] for message in caplog.messages] == ["Task exception was never retrieved"]


def test_a_callback_of_the_loop_that_fails_is_told(sent, caplog):
    """With a handler of the application's own, which is called as ever."""
    contexts = []

    async def work():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: contexts.append(context["message"]))
        loop.call_soon(fail)
        await asyncio.sleep(0)

    asyncio.run(work())

    assert [record.body for record in sent.logs] == ["ValueError: broken"]
    assert [context.partition(" at ")[0] for context in contexts] == ["Exception in callback fail()"]
    assert caplog.messages == []


def test_loops_without_an_exception_are_left_alone(sent, caplog):
    """A handler may be called with a message only."""

    async def work():
        asyncio.get_running_loop().call_exception_handler({"message": "odd"})

    asyncio.run(work())

    assert sent.logs == []
    assert caplog.messages == ["odd"]


def test_everything_is_taken_back(sent):
    """After the uninstall each hook is the one that was there before, except where somebody wrapped ours since."""
    sent.uninstall()
    before = sys.excepthook, threading.excepthook, sys.unraisablehook, asyncio.BaseEventLoop.call_exception_handler

    undo = install_hooks(sent.capture)
    installed = sys.excepthook, threading.excepthook, sys.unraisablehook, asyncio.BaseEventLoop.call_exception_handler
    undo()

    assert not set(before) & set(installed)
    assert before == (
        sys.excepthook,
        threading.excepthook,
        sys.unraisablehook,
        asyncio.BaseEventLoop.call_exception_handler,
    )


def test_a_hook_that_was_wrapped_since_only_passes_on(sent, monkeypatch):
    """Ours cannot be removed from inside another's, and does nothing any more."""
    sent.uninstall()
    calls = []
    monkeypatch.setattr(sys, "excepthook", lambda *_: calls.append("first"))
    undo = install_hooks(sent.capture)
    ours = sys.excepthook
    theirs = lambda *args: ours(*args)  # noqa: E731, PLW0108 - a hook of somebody else
    monkeypatch.setattr(sys, "excepthook", theirs)
    undo()

    sys.excepthook(ValueError, ValueError("x"), None)

    assert sys.excepthook is theirs
    assert calls == ["first"]
    assert sent.logs == []


def test_a_hook_that_fails_lets_the_next_run(sent, monkeypatch, caplog):
    """A failure of ours ends in a log line, and the traceback is printed."""
    calls = []
    sent.uninstall()
    monkeypatch.delenv("SPANGLASS_STRICT")
    monkeypatch.setattr(sys, "excepthook", lambda *_: calls.append("printed"))
    undo = install_hooks(sent.capture)
    monkeypatch.setattr(sent.capture, "_occurrence", lambda *_: 1 / 0)
    with caplog.at_level(logging.WARNING, "spanglass"):
        sys.excepthook(ValueError, ValueError("x"), None)
    undo()

    assert calls == ["printed"]


@pytest.fixture
def sent_quietly(quiet, make_sent):
    """Capture whose hooks call those of `quiet`."""
    assert quiet == []
    return make_sent()
