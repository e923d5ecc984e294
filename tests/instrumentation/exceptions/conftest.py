"""Real providers of the SDK with exporters in memory, and a capture that is installed for one test."""

from __future__ import annotations

import itertools
import json

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from spanglass.exceptions.capture import new_capture
from spanglass.exceptions.install import install_exceptions
from spanglass.exceptions.reading import Budget, NoScrubber
from spanglass.exceptions.value_text import ValueText, hidden_names
from spanglass.settings.table import Settings


class Clock:
    """A clock that a test sets, in nanoseconds."""

    def __init__(self):
        self.now_ns = 10**18

    def __call__(self):
        """Return the time."""
        return self.now_ns


class Sent:
    """What was sent so far, and what sends."""

    def __init__(self, settings=None, scrubber=None):
        self._spans, self._logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
        traces, self.logger_provider = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
        traces.add_span_processor(SimpleSpanProcessor(self._spans))
        self.logger_provider.add_log_record_processor(SimpleLogRecordProcessor(self._logs))
        self.provider, self.tracer = traces, traces.get_tracer("test")
        self.clock, ids = Clock(), itertools.count(1)
        self.settings = settings or Settings()
        self.capture = new_capture(
            self.settings,
            scrubber=scrubber,
            logger_provider=self.logger_provider,
            ids=lambda: f"id{next(ids)}",
            clock=self.clock,
            stopwatch=lambda: 1,  # a machine that stalls for 20 ms would cost local variables
        )
        self._uninstall = install_exceptions(self.settings, self.capture)

    def uninstall(self):
        """Take everything back."""
        self._uninstall()

    @property
    def logs(self):
        """Log records, as the API made them."""
        return [each.log_record for each in self._logs.get_finished_logs()]

    @property
    def spans(self):
        """Finished spans by name."""
        return {span.name: span for span in self._spans.get_finished_spans()}

    def events(self, name):
        """Return the attributes of each exception event of the span with this name."""
        return [dict(event.attributes) for event in self.spans[name].events if event.name == "exception"]


@pytest.fixture
def sent():
    """Capture with the default settings."""
    found = Sent()
    yield found
    found.uninstall()


@pytest.fixture
def make_sent():
    """Make a capture with other settings or with a scrubber."""
    made = []

    def make(settings=None, scrubber=None):
        made.append(Sent(settings, scrubber))
        return made[-1]

    yield make
    for each in made:
        each.uninstall()


@pytest.fixture
def text():
    """Write one value as a local variable is written."""

    def write(value, name="it", scrubber=None, stopwatch=lambda: 1):
        scrubber = scrubber or NoScrubber()
        return ValueText(scrubber, hidden_names(scrubber), Budget(stopwatch)).write(name, value)

    return write


@pytest.fixture
def chain_of():
    """Read the chain that a span event or a log record carries."""
    return lambda attributes: json.loads(attributes["spanglass.exception.chain"])
