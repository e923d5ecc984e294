"""The application's logs with real providers and an exporter in memory, installed for one test."""

from __future__ import annotations

import logging

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from spanglass.exceptions.capture import new_capture
from spanglass.logs.install import install_logging
from spanglass.settings.table import Settings


class Sent:
    """What was sent so far, and what sends."""

    def __init__(self, settings):
        self._logs = InMemoryLogRecordExporter()
        self.provider = LoggerProvider(Resource({"service.name": "shop"}), shutdown_on_exit=False)
        self.provider.add_log_record_processor(SimpleLogRecordProcessor(self._logs))
        self.tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
        self.capture = new_capture(settings, logger_provider=self.provider, ids=lambda: "id1", stopwatch=lambda: 1)
        self.uninstall = install_logging(settings, logger_provider=self.provider, capture=self.capture)

    @property
    def logs(self):
        """Log records, as the API made them."""
        return [each.log_record for each in self._logs.get_finished_logs()]

    @property
    def log(self):
        """The only log record."""
        (only,) = self.logs
        return only

    @property
    def bodies(self):
        """The texts of all records."""
        return [record.body for record in self.logs]

    @property
    def scope(self):
        """Name of the only record's scope."""
        (only,) = self._logs.get_finished_logs()
        return only.instrumentation_scope.name


@pytest.fixture
def make_sent():
    """Install with other settings."""
    made = []

    def make(**settings):
        made.append(Sent(Settings(**settings)))
        return made[-1]

    yield make
    for each in made:
        each.uninstall()


@pytest.fixture
def sent(make_sent):
    """Installed with the default settings."""
    return make_sent()


@pytest.fixture
def logger(request):
    """Yield a logger of this test's own, that takes everything."""
    found = logging.getLogger(f"shop.{request.node.name}")
    found.setLevel(logging.DEBUG)
    yield found
    found.setLevel(logging.NOTSET)
    found.handlers.clear()
    found.propagate, found.disabled = True, False
