"""Scripts in a process of their own, instrumentations that are turned on in this one, and distributions made up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from spanglass.instrumentors import discovery
from spanglass.instrumentors.install import CORRECTED, Installer
from spanglass.sdk.private.metrics import bound_readers
from spanglass.settings.settings import load

PRELUDE = """
import atexit, json, logging, os, sys
from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=sys.stderr)
_spans, _reader = InMemorySpanExporter(), InMemoryMetricReader()
_provider = TracerProvider()
_provider.add_span_processor(SimpleSpanProcessor(_spans))
trace.set_tracer_provider(_provider)
_meters = MeterProvider([_reader])

def install(**options):
    from spanglass.instrumentors.install import install_instrumentors
    from spanglass.settings.settings import load
    return install_instrumentors(
        load(options, {}), tracer_provider=_provider,
        meter_provider=_meters, logger_provider=LoggerProvider(),
    )

def states():
    from spanglass.instrumentors import states
    return {each.name: each for each in states()}

def taken():
    spans = [[each.instrumentation_scope.name.rsplit(".")[-1], each.name, each.kind.name.lower()]
             for each in _spans.get_finished_spans()
             if each.instrumentation_scope.name.startswith("opentelemetry.")]  # FastAPI has spans of its own too
    _spans.clear()
    return spans

def attributes():
    made = [dict(each.attributes) for each in _spans.get_finished_spans()]
    _spans.clear()
    return made

def give(result):
    print(json.dumps(result))
"""


@pytest.fixture
def script(tmp_path):
    """Run a script after ``PRELUDE``; gives what its last ``give`` was given, and keeps stderr in ``.stderr``."""

    def run(code, *, path=(), env=None, check=True):
        file = tmp_path / "script.py"
        file.write_text(PRELUDE + textwrap.dedent(code))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "DJANGO_"))}
        folders = os.pathsep.join(map(str, (tmp_path, *path)))
        result = subprocess.run(
            [sys.executable, file],
            env={**kept, "PYTHONPATH": folders, "SPANGLASS_STRICT": "1", **(env or {})},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=tmp_path,
        )
        run.stderr = result.stderr
        if check:
            assert result.returncode == 0, result.stderr
        return json.loads(result.stdout.splitlines()[-1])

    return run


@pytest.fixture
def distribution(tmp_path):
    """Install a distribution into a folder that ``script`` has on its path: a module, metadata, an entry point."""

    def make(name, *, version="1.0", code=None, entry=None, requires=()):
        module = name.replace("-", "_")
        info = tmp_path / f"{module}-{version}.dist-info"
        info.mkdir()
        lines = [f"Requires-Dist: {each}" for each in requires]
        extras = ["Provides-Extra: instruments"] if requires else []
        header = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}"]
        (info / "METADATA").write_text("\n".join([*header, *extras, *lines, ""]))
        if entry:
            (info / "entry_points.txt").write_text(f"[opentelemetry_instrumentor]\n{entry} = {module}:Instrumentor\n")
        if code is not None:
            (tmp_path / f"{module}.py").write_text(textwrap.dedent(code))

    return make


class Told:
    """What was told since it was last asked for."""

    def __init__(self):
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader], shutdown_on_exit=False)
        bound_readers(self.meters, [self._reader])

    def spans(self):
        """Return the spans that ended."""
        ended = self._exporter.get_finished_spans()
        self._exporter.clear()
        return list(ended)

    def wait_for_one(self, kind):
        """Return the only span of a kind, once it has ended: a client has its answer before the server's span ends."""
        deadline = time.monotonic() + 30
        ended = []
        while not ended and time.monotonic() < deadline:
            ended = [span for span in self.spans() if span.kind.name == kind]
            time.sleep(0.002)
        (span,) = ended
        return span

    def names(self):
        """Return the names of the spans that ended."""
        return [span.name for span in self.spans()]

    def points(self, name):
        """Return the data points of a metric."""
        data = self._reader.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


@pytest.fixture(scope="module")
def instrument():
    """Turn instrumentations on by name; gives what they tell. They are off again after the module's tests."""
    made = []

    def turn_on(*names):
        told = Told()
        installer = Installer(
            load({}, {}), tracer_provider=told.tracers, meter_provider=told.meters, logger_provider=None
        )
        made.append(installer)
        for entry in discovery.installed():
            if entry.name in names:
                installer.add(entry)
        for library in CORRECTED.keys() & set(names):
            installer.correct(library)
        return told

    yield turn_on
    for installer in reversed(made):
        installer.take_back()
