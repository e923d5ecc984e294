"""Traces as trees on a terminal."""

from __future__ import annotations

import io
import logging
import threading

import pytest
from opentelemetry.context import attach, detach
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags, set_span_in_context

from spanglass.delivery.closing import Closing
from spanglass.delivery.console.console import ConsoleTree, make_console
from spanglass.settings.settings import load

MS = 1_000_000


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self):
        """Return that it is one."""
        return True


class CountingIds:
    """Ids that are known beforehand: the first trace is shown as 00000001."""

    def __init__(self):
        self._next = iter(range(1, 10**6))

    def generate_trace_id(self):
        """Return the next number, where the shown part of a trace id has it."""
        return next(self._next) << 96

    def generate_span_id(self):
        """Return the next number."""
        return next(self._next)

    def is_trace_id_random(self):
        """They are not."""
        return False


@pytest.fixture
def shown():
    """Make a tracer and a logger whose traces are printed; ``shown.text()`` ends them and gives what was printed."""

    class Shown:
        def __init__(self, stream=None, environ=None, **options):
            self.stream = stream or io.StringIO()
            settings = load({"console": "on", **options}, {})
            self.console = make_console(settings, self.stream, Closing(), environ=environ or {})
            resource = Resource({"service.name": "shop"})
            self.provider = TracerProvider(resource=resource, shutdown_on_exit=False, id_generator=CountingIds())
            self.provider.add_span_processor(self.console.spans)
            self.tracer = self.provider.get_tracer("shop")
            logs = LoggerProvider(resource=resource, shutdown_on_exit=False)
            logs.add_log_record_processor(self.console.logs)
            self.logger = logging.Logger("shop")  # noqa: LOG001 - one of its own, with no handlers of others
            self.logger.addHandler(LoggingHandler(logger_provider=logs))

        def span(self, name, start_ms, end_ms, parent=None, **options):
            made = self.tracer.start_span(
                name,
                context=set_span_in_context(parent) if parent else None,
                start_time=start_ms * MS,
                record_exception=False,
                **options,
            )
            made.end_ms = end_ms
            return made

        def text(self):
            self.provider.shutdown()
            return self.stream.getvalue()

    return Shown


def end(*spans):
    """End spans at their times."""
    for span in spans:
        span.end(span.end_ms * MS)


def test_a_trace_is_a_tree_with_durations_errors_and_logs(shown):
    """Children stand below their parents by start, log records below their span, an exception beside the one it hit."""
    made = shown()
    attributes = {"http.response.status_code": 500, "url.path": "/checkout", "app.secret": "not told"}
    root = made.span("POST /checkout", 0, 412, kind=SpanKind.SERVER, attributes=attributes)
    query = made.span("SELECT orders", 1, 13, root, attributes={"db.system.name": "sqlite"})
    charge = made.span("charge", 20, 400, root)
    charge.record_exception(ValueError("declined"))
    charge.set_status(StatusCode.ERROR, "ValueError: declined")
    token = attach(set_span_in_context(charge))
    made.logger.warning("card declined for order %d", 7)
    detach(token)
    end(query, charge, root)

    assert made.text().splitlines() == [
        "trace 00000001  shop  POST /checkout  412 ms  1 error",
        "└─ POST /checkout (server)   412 ms  status=500 path=/checkout",
        "   ├─ SELECT orders           12 ms  db=sqlite",
        "   └─ charge                 380 ms  ✗ ValueError: declined",
        "         warn  card declined for order 7",
    ]


def test_hostile_text_does_not_steer_the_terminal(shown):
    """Escapes and line feeds in names, attributes, messages and bodies are shown as text, on their line."""
    made = shown()
    root = made.span("a\x1b[2Jb\nc", 0, 1, attributes={"url.path": "/\x1b]0;title\x07"})
    root.record_exception(ValueError("\r\x1b[31mred"))
    end(root)
    text = made.text()
    assert [character for character in text if not character.isprintable()] == ["\n", "\n"]
    assert r"a\x1b[2Jb\nc" in text
    assert r"✗ ValueError: \r\x1b[31mred" in text


def test_colours_on_a_terminal_only_and_not_with_no_color(shown):
    """A terminal gets colours; a file, and a terminal with NO_COLOR, get none."""
    coloured = []
    for stream, environ in ((Terminal(), {}), (Terminal(), {"NO_COLOR": "1"}), (io.StringIO(), {})):
        made = shown(stream, environ)
        end(made.span("a", 0, 1))
        coloured.append("\x1b[" in made.text())
    assert coloured == [True, False, False]


@pytest.mark.parametrize("width", [20, 40, 80])
def test_no_line_is_wider_than_the_terminal(shown, monkeypatch, width):
    """Long names, deep trees and Chinese text are cut to the terminal's columns, with an ellipsis."""
    monkeypatch.setenv("COLUMNS", str(width))
    made = shown(Terminal(), {"NO_COLOR": "1"})
    spans = [made.span("数据库查询" * 20, 0, 100)]
    for depth in range(30):
        spans.append(made.span(f"depth {depth} " + "x" * 50, depth, 90, spans[-1]))
    end(*reversed(spans))
    lines = made.text().splitlines()
    widths = [sum(2 if character > "\u2fff" else 1 for character in line) for line in lines]
    assert len(lines) == 32
    assert max(widths) <= width
    assert "…" in lines[0]


def test_a_trace_is_printed_when_its_local_root_ends(shown):
    """A span whose parent is in another process is a root here; what was printed before it ends is nothing."""
    made = shown()
    remote = NonRecordingSpan(SpanContext(1 << 96, 2, is_remote=True, trace_flags=TraceFlags(1)))
    root = made.span("GET /", 0, 10, remote)
    child = made.span("work", 1, 5, root)
    end(child)
    assert made.console.flush()
    before = made.stream.getvalue()
    end(root)
    assert made.console.flush()
    assert (before, made.stream.getvalue().splitlines()[1:]) == (
        "",
        ["└─ GET /                    10 ms", "   └─ work                   4 ms"],
    )


def test_two_local_roots_of_one_trace_keep_what_is_theirs(shown):
    """A service that is called within its own trace prints the call alone; the outer spans wait for their root."""
    made = shown()
    outer = made.span("outer", 0, 10)
    early = made.span("early", 1, 2, outer)
    end(early)
    context = outer.get_span_context()
    called = made.span(
        "called",
        3,
        5,
        NonRecordingSpan(SpanContext(context.trace_id, context.span_id, is_remote=True, trace_flags=TraceFlags(1))),
    )
    end(called, outer)
    names = [line.split()[1] for line in made.text().splitlines() if "─" in line]
    assert names == ["called", "outer", "early"]


def test_a_span_that_outlives_its_trace_is_printed_by_itself(shown):
    """A task that ends after its parent was printed does not wait for ever."""
    made = shown()
    root = made.span("request", 0, 1)
    late = made.span("task", 1, 9, root)
    end(root)
    end(late)
    assert made.console.flush()
    assert [line.split()[1] for line in made.stream.getvalue().splitlines() if "─" in line] == ["request", "task"]


def test_traces_that_never_end_take_bounded_memory(shown):
    """Of 1000 traces whose root does not end 256 are held; those before are printed without it, the rest at the end."""
    made = shown()
    for _ in range(1000):
        root = made.span("never", 0, 1)
        end(made.span("part", 0, 1, root))
    assert made.console.flush()
    held = len(made.console._tree._traces)
    printed = made.stream.getvalue().count("└─ part")
    assert (held, printed, made.text().count("└─ part")) == (256, 744, 1000)


def test_a_huge_trace_says_what_is_left_out(shown):
    """Beyond 1000 items spans of a trace are left out, and their number is printed; the root never is."""
    made = shown()
    root = made.span("root", 0, 1)
    for _ in range(1500):
        end(made.span("part", 0, 1, root))
    end(root)
    lines = made.text().splitlines()
    assert (len(lines), lines[1].split()[1], lines[-1]) == (1003, "root", "   500 more are not shown")


def test_a_stream_that_cannot_write_a_character_gets_another(shown):
    """On a terminal without Unicode the tree is printed with replacements."""
    raw = io.BytesIO()
    made = shown(io.TextIOWrapper(raw, encoding="ascii"))
    end(made.span("naïve", 0, 1))
    made.provider.shutdown()
    assert b"na?ve" in raw.getvalue()


def test_auto_needs_a_terminal_and_no_server(canned, nobody, eventually):
    """With auto a file gets nothing; a terminal gets trees once nobody is found, and none while a server answers."""
    closing = Closing()
    environ = {}
    alone = make_console(load({"endpoint": nobody}, {}), Terminal(), closing, environ=environ)
    served = make_console(load({"endpoint": canned.url}, {}), Terminal(), closing, environ=environ)
    assert make_console(load({"endpoint": nobody}, {}), io.StringIO(), closing, environ=environ) is None
    assert make_console(load({"console": "off"}, {}), Terminal(), closing, environ=environ) is None
    assert eventually(lambda: alone.on)
    assert eventually(lambda: "spanglass-look" not in {thread.name for thread in threading.enumerate()})
    assert not served.on
    alone.stop()


def test_a_child_does_not_print_what_the_parent_gathered():
    """Forgetting empties the tree, as a forked child does."""
    stream = io.StringIO()
    tree = ConsoleTree(stream, colours=False, width=lambda: 80)
    provider = TracerProvider(shutdown_on_exit=False)
    root = provider.get_tracer("shop").start_span("root")
    child = provider.get_tracer("shop").start_span("child", context=set_span_in_context(root))
    child.end()
    tree.take([child])
    tree.forget()
    tree.finish()
    assert stream.getvalue() == ""
