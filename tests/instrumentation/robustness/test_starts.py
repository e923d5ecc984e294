"""Starts that fail half-way, and providers that the application has made before."""

from __future__ import annotations

import pytest

GONE = {
    "OTEL_PROPAGATORS": ("b3,tracecontext,jaegr", ["pip install opentelemetry-propagator-b3", "did you mean jaeger?"]),
    "OTEL_TRACES_SAMPLER": ("always_onn", ["did you mean always_on?"]),
    "OTEL_TRACES_EXPORTER": ("otlp,zipkin", ["pip install opentelemetry-exporter-zipkin"]),
    "OTEL_METRICS_EXPORTER": ("prometheus", ["pip install opentelemetry-exporter-prometheus"]),
    "OTEL_LOGS_EXPORTER": ("nothing", ["install the package that brings it, or unset OTEL_LOGS_EXPORTER"]),
    "OTEL_PYTHON_ID_GENERATOR": ("xray", ["pip install opentelemetry-sdk-extension-aws"]),
    "OTEL_PYTHON_CONTEXT": ("gevent", ["install the package that brings it, or unset OTEL_PYTHON_CONTEXT"]),
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": ("os,container", ["opentelemetry-resource-detector-containerid"]),
}


def test_what_opentelemetrys_variables_name_and_is_not_there(execute):
    """Each missing package and each wrong name is one line that says what to do; all the rest is as it would be."""
    done = execute(
        """
        import os, spanglass
        before = {name: text for name, text in os.environ.items() if name.startswith("OTEL_")}
        print(spanglass.configure(in_progress=False), before.items() <= os.environ.items())
        from opentelemetry import propagate, trace
        from spanglass.start.setup import running
        import opentelemetry.instrumentation.requests
        parts = running()
        with spanglass.span("work"):
            carrier = {}
            propagate.inject(carrier)
        print(list(carrier), parts.providers.tracer.resource.attributes.get("os.type"), len(parts.pipelines.readers))
        """,
        variables={variable: value for variable, (value, _) in GONE.items()},
    )

    assert done.stdout == "True True\n['traceparent'] linux 1\n"
    lines = done.stderr.splitlines()
    for variable, (_, remedies) in GONE.items():
        found = [line for line in lines if line.startswith(f"{variable}=")]
        assert [remedy in line for line, remedy in zip(found, remedies, strict=True)] == [True] * len(remedies)
    assert "Traceback" not in done.stderr


def test_a_component_that_cannot_be_imported(execute, tmp_path):
    """One that is installed and broken is left out as well, with its error in the line."""
    (tmp_path / "broken-1.dist-info").mkdir()
    (tmp_path / "broken-1.dist-info" / "METADATA").write_text("Name: broken\nVersion: 1\n")
    (tmp_path / "broken-1.dist-info" / "entry_points.txt").write_text("[opentelemetry_propagator]\nb3 = broken:B3\n")
    (tmp_path / "broken.py").write_text("raise RuntimeError('no\\nluck')")
    done = execute(
        "import spanglass; print(spanglass.configure())",
        variables={"OTEL_PROPAGATORS": "b3", "PYTHONPATH": str(tmp_path)},
    )

    assert done.stdout == "True\n"
    assert done.stderr.splitlines()[0] == (
        "OTEL_PROPAGATORS=b3: the propagator can't be imported, it is left out (RuntimeError: no luck); "
        "mend it, or unset OTEL_PROPAGATORS"
    )


def test_a_part_that_fails_at_the_start_takes_everything_back(execute):
    """An error of ours between two parts leaves telemetry off whole: no thread, no provider, no hook; and is logged."""
    done = execute(
        """
        import sys, threading, spanglass
        from spanglass.process import ending
        from spanglass.process import forking
        from spanglass.start import parts
        from spanglass.sdk import published
        def fail(*_args, **_kwargs):
            raise ZeroDivisionError
        parts.new_capture = fail
        started = spanglass.configure()
        left = [each for each in forking._in_child if each.end_thread]
        print(started, len(threading.enumerate()), left, published.current())
        del parts.new_capture
        from spanglass.exceptions.capture import new_capture
        parts.new_capture = new_capture
        print(spanglass.configure())
        """
    )

    assert done.stdout == "False 1 [] [None, None, None]\nTrue\n"
    assert "could not start" in done.stderr


OWN = """
from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
reader = InMemoryMetricReader()
own = TracerProvider(), MeterProvider([reader]), LoggerProvider()
trace.set_tracer_provider(own[0]); metrics.set_meter_provider(own[1]); _logs.set_logger_provider(own[2])
"""


def test_providers_of_the_application_outlive_us(execute):
    """After shutdown the application's providers stay set, record, and hold nothing of ours, however often."""
    done = execute(
        OWN
        + """
import gc, threading, spanglass
from spanglass.sdk import published
for _ in range(3):
    assert spanglass.configure()
    spanglass.shutdown()
assert published.current() == list(own)
metrics.get_meter("shop").create_counter("orders").add(2)
names = {each.name for scope in reader.get_metrics_data().resource_metrics[0].scope_metrics for each in scope.metrics}
left = own[0]._active_span_processor._span_processors, own[2]._multi_log_record_processor._log_record_processors
print("orders" in names, left, len(own[1]._measurement_consumer._reader_storages), len(threading.enumerate()))
"""
    )

    assert done.stdout == "True ((), ()) 1 1\n", done.stderr
    assert "shutdown" not in done.stderr  # the SDK warns of a second one


def test_a_flush_that_fails_says_so(execute):
    """force_flush gives False when a callback of the application takes longer than there is time; nothing is raised."""
    done = execute(
        """
        import time, spanglass
        from opentelemetry import metrics
        spanglass.configure(traces=False, logs=False, flush_timeout="50ms")
        def slow(_):
            time.sleep(0.1)
            return []
        for name in ("first", "second"):  # the SDK looks at the time before each of them
            metrics.get_meter("shop").create_observable_gauge(name, [slow])
        print(spanglass.force_flush())
        """
    )

    assert (done.stdout, done.returncode) == ("False\n", 0), done.stderr


@pytest.mark.parametrize(("under_run", "times"), [({}, 1), ({"SPANGLASS_RUN": "1"}, 0)])
def test_a_mistyped_variable_is_told_once(execute, under_run, times):
    """`configure()` warns of it; under `spanglass run` that has done so, and its processes do not repeat it."""
    done = execute("import spanglass; spanglass.configure()", variables={"SPANGLASS_SAMPLE_RATO": "1", **under_run})

    assert done.stderr.count("unknown variable SPANGLASS_SAMPLE_RATO") == times


def test_a_callback_that_comes_too_late_is_told(execute):
    """A callback that will not be asked is warned of like an option: secrets may depend on it."""
    done = execute(
        """
        import spanglass
        spanglass.configure(scrub_callback=print)
        spanglass.configure(scrub_callback=print)
        spanglass.configure(scrub_callback=repr)
        """
    )

    assert done.stderr.count("configure() was called again with other options: ignored; call shutdown() first") == 1


@pytest.mark.parametrize(
    ("under_run", "said"),
    [({}, "call shutdown() first"), ({"SPANGLASS_RUN": "1"}, "as `spanglass run --set NAME=VALUE`")],
)
def test_options_that_come_too_late_are_told_with_what_mends_it(execute, under_run, said):
    """A second `configure()` with other options says what to do, which differs under `spanglass run`."""
    done = execute(
        "import spanglass; spanglass.configure(); print(spanglass.configure(service_name='late'))", variables=under_run
    )

    assert done.stdout == "True\n"
    assert said in done.stderr
