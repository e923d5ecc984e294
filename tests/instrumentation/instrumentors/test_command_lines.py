"""click: a command is a span; how it ends, by its exit code."""

from __future__ import annotations

import sys

import click
import pytest
from click.testing import CliRunner
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from spanglass.instrumentors import command_lines


@pytest.fixture
def spans():
    """Commands instrumented, and the spans that they make."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    undo = command_lines.click(None, {"tracer_provider": provider}, late=False)
    yield exporter.get_finished_spans
    undo()


def run(do):
    """Run a command that does this; gives its exit code."""

    @click.command("pay")
    def pay():
        do()

    return CliRunner().invoke(pay).exit_code


def leave(code):
    """Leave by click's own way."""
    click.get_current_context().exit(code)


def fail(error):
    """Raise."""
    raise error


@pytest.mark.parametrize(
    ("do", "code", "events"),
    [
        (lambda: None, 0, []),
        (lambda: leave(0), 0, []),
        (sys.exit, 0, []),
        (lambda: sys.exit(0), 0, []),
        (lambda: leave(3), 3, []),
        (lambda: sys.exit(3), 3, ["SystemExit"]),
        (lambda: sys.exit("no"), 1, ["SystemExit"]),
        (lambda: fail(click.UsageError("no")), 2, ["click.exceptions.UsageError"]),
        (lambda: fail(ValueError("no")), 1, ["ValueError"]),
    ],
)
def test_exit_codes(spans, do, code, events):
    """The span has the exit code, and is an error if that is not 0; click's own exit is no exception."""
    assert run(do) == code

    (span,) = spans()
    assert (span.name, span.attributes["process.exit.code"]) == ("pay", code)
    assert span.status.status_code is (StatusCode.ERROR if code else StatusCode.UNSET)
    assert [event.attributes["exception.type"] for event in span.events] == events


@pytest.mark.parametrize(("module", "count"), [("shop", 1), ("rq.cli", 0), ("uvicorn.main", 0)])
def test_commands_that_run_on(spans, module, count):
    """A command that runs on and on, such as a worker, is no span."""

    def pay():
        """Do nothing."""

    pay.__module__ = module
    CliRunner().invoke(click.command("pay")(pay))

    assert len(spans()) == count


def test_taken_back(spans):
    """After taking back, the class is as it was."""
    before = click.Command.invoke
    command_lines.click(None, {"tracer_provider": TracerProvider()}, late=False)()

    assert click.Command.invoke == before
    assert spans() == ()
