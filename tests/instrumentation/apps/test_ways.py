"""The ways in: configure() in code, OpenTelemetry's own launcher, a declarative file, providers that are there."""

# ruff: noqa: S608 - names of services of these tests stand in their statements

from __future__ import annotations

import textwrap

import pytest

pytestmark = pytest.mark.slow

REQUEST = "import sqlite3; sqlite3.connect(':memory:').cursor().execute('SELECT 1').fetchall()"


@pytest.fixture
def script(run):
    """Run Python code plainly until its end; gives what it wrote."""

    def execute(code: str, service: str, **variables: str) -> str:
        return run("-c", textwrap.dedent(code), service=service, spanglass=False, variables=variables).finish()

    return execute


def names(receiver, service):
    """Return the names of a service's spans, as soon as there are any."""
    rows = receiver.until(
        f"SELECT name FROM spans WHERE service_name = '{service}' ORDER BY start_time_ns", lambda rows: rows != []
    )
    return [row[0] for row in rows]


def test_configure_in_code(script, receiver):
    """One line gives what spanglass run gives: spans of libraries, log records with their ids, metrics."""
    script(
        f"""
        import logging, spanglass
        assert spanglass.configure() is spanglass.configure() is True
        with spanglass.span("work", amount=3.5):
            {REQUEST}
            logging.getLogger("shop").warning("done")
        spanglass.counter("shop.orders").add(2)
        """,
        "in-code",
    )

    assert names(receiver, "in-code") == ["work", "SELECT"]
    assert receiver.sql(
        """SELECT s.name, s.amount, l.body FROM logs l JOIN spans s USING (trace_id, span_id)
        WHERE l.service_name = 'in-code'"""
    ) == [("work", 3.5, "done")]
    # a slow process exports its total more than once
    totals = "SELECT DISTINCT value FROM metrics WHERE service_name = 'in-code' AND metric_name = 'shop.orders'"
    assert receiver.sql(totals) == [(2.0,)]


def test_shutdown_takes_everything_back_and_configure_begins_anew(script, receiver):
    """Between shutdown and the next configure nothing is recorded, and afterwards all is, with the new settings."""
    script(
        """
        import spanglass
        spanglass.configure(release="1")
        with spanglass.span("first"): pass
        spanglass.shutdown()
        with spanglass.span("between"): pass
        spanglass.configure(release="2")
        with spanglass.span("second"): pass
        """,
        "anew",
    )
    rows = receiver.until(
        """SELECT name, "service.version" FROM spans WHERE service_name = 'anew' ORDER BY name""",
        lambda rows: len(rows) == 2,
    )

    assert rows == [("first", "1"), ("second", "2")]


@pytest.mark.parametrize(
    ("code", "variables", "message"),
    [
        (
            "spanglass.configure(sample_ratio=7)",
            {},
            (
                "spanglass: configure(): sample_ratio: expected a number from 0 to 1, or a percentage such as 10% "
                "(got '7')"
            ),
        ),
        (
            "spanglass.configure()",
            {"SPANGLASS_TRACES": "perhaps"},
            "spanglass: environment variable SPANGLASS_TRACES: traces: expected true or false (got 'perhaps')",
        ),
        (
            "spanglass.configure()",
            {"OTEL_CONFIG_FILE": "nowhere.yaml"},
            "spanglass: OTEL_CONFIG_FILE: nowhere.yaml: Configuration file not found: nowhere.yaml",
        ),
    ],
)
def test_a_wrong_setting_is_named_and_the_application_goes_on(script, code, variables, message):
    """One line names the setting, one says what that means; there is no traceback, and every call is a no-op."""
    output = script(
        f"import spanglass\nassert {code} is False\nwith spanglass.span('work'): print('goes on')",
        "refused",
        SPANGLASS_STRICT="",
        **variables,
    )

    assert output.splitlines() == [message, "  telemetry is off until that is mended", "goes on"]


def test_a_declarative_file_that_is_no_yaml_is_named(script, tmp_path):
    """Where the file is wrong is said once, without the traceback that OpenTelemetry's package logs of it."""
    path = tmp_path / "otel.yaml"
    path.write_text("file_format: [")
    output = script(
        "import spanglass\nspanglass.configure()", "no-yaml", OTEL_CONFIG_FILE=str(path), SPANGLASS_STRICT=""
    )

    assert output.startswith(f"spanglass: OTEL_CONFIG_FILE: {path}: Failed to parse YAML: while parsing a flow node\n")
    assert output.count("expected the node content") == 1
    assert "Traceback" not in output


def test_switched_off(script):
    """OTEL_SDK_DISABLED leaves every call a no-op, without a word."""
    code = (
        "import spanglass\nassert not spanglass.configure()\nwith spanglass.span('work') as span: print(span.trace_id)"
    )

    assert script(code, "off", OTEL_SDK_DISABLED="true").strip(" 0\n") in {"", "None"}


def test_opentelemetrys_launcher_loads_us(run, receiver):
    """opentelemetry-instrument finds distribution and configurator; its own loader instruments the libraries."""
    run("opentelemetry-instrument", "python", "-c", REQUEST, service="launched", spanglass=None).finish()
    rows = receiver.until(
        """SELECT name, "telemetry.distro.name", "telemetry.auto.version" IS NOT NULL, "db.query.text" FROM spans
        WHERE service_name = 'launched'""",
        lambda rows: rows != [],
    )

    assert rows == [("SELECT", "spanglass", True, "SELECT ?")]


DECLARED = """
file_format: "1.0"
resource:
  attributes:
    - {name: service.name, value: declared}
    - {name: team, value: red}
tracer_provider:
  processors:
    - batch: {exporter: {otlp_http: {endpoint: "${SPANGLASS_ENDPOINT}/v1/traces"}}}
logger_provider:
  processors:
    - batch: {exporter: {otlp_http: {endpoint: "${SPANGLASS_ENDPOINT}/v1/logs"}}}
"""


def test_a_declarative_file_makes_the_sdk(script, receiver, tmp_path):
    """With OTEL_CONFIG_FILE resource and exporters are the file's; libraries and logs are still ours to see to."""
    path = tmp_path / "otel.yaml"
    path.write_text(DECLARED)
    script(
        f"""
        import logging, spanglass
        spanglass.configure()
        {REQUEST}
        logging.getLogger("shop").warning("declared, too")
        """,
        "ignored",
        OTEL_CONFIG_FILE=str(path),
    )
    rows = receiver.until("SELECT name, team FROM spans WHERE service_name = 'declared'", lambda rows: rows != [])

    assert rows == [("SELECT", "red")]
    assert receiver.sql("SELECT body FROM logs WHERE service_name = 'declared'") == [("declared, too",)]


def test_providers_of_the_application_are_used(script, receiver):
    """An SDK that the application has set up itself stays: its resource and processors, and ours beside them."""
    output = script(
        f"""
        import spanglass
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        own = InMemorySpanExporter()
        provider = TracerProvider(resource=Resource({{"service.name": "joined"}}))
        provider.add_span_processor(SimpleSpanProcessor(own))
        trace.set_tracer_provider(provider)
        spanglass.configure()
        assert trace.get_tracer_provider() is provider
        {REQUEST}
        print([span.name for span in own.get_finished_spans()])
        """,
        "unused",
    )

    assert output == "['SELECT']\n"
    assert names(receiver, "joined") == ["SELECT"]


def test_metrics_of_the_applications_own_provider_are_sent(script, receiver):
    """What the application's own MeterProvider measures arrives too, the last values at the end of the process."""
    script(
        """
        import spanglass
        from opentelemetry import metrics
        from opentelemetry.sdk.metrics import MeterProvider
        metrics.set_meter_provider(MeterProvider())
        spanglass.configure(metric_interval="1h")
        metrics.get_meter("shop").create_counter("own.orders").add(3)
        """,
        "own-meter",
    )
    rows = receiver.until("SELECT value FROM metrics WHERE metric_name = 'own.orders'", lambda rows: rows != [])

    assert rows == [(3.0,)]


def test_exporters_of_opentelemetrys_variables(script, receiver):
    """OTEL_TRACES_EXPORTER=console prints spans, scrubbed, and sends none."""
    code = "import spanglass\nspanglass.configure()\nwith spanglass.span('work', password='hunter2'): pass"
    output = script(code, "printed", OTEL_TRACES_EXPORTER="console")

    assert '"name": "work"' in output
    assert "hunter2" not in output
    assert receiver.pids("metrics", "printed", set()) is not None
    assert receiver.sql("SELECT name FROM spans WHERE service_name = 'printed'") == []


def test_a_callback_decides_what_is_scrubbed(script, receiver):
    """What the callback of configure() gives is sent instead of the mark."""
    script(
        """
        import spanglass
        count = lambda match: f"{len(match.value)} letters" if match.key == "password" else None
        spanglass.configure(scrub_callback=count)
        with spanglass.span("work", password="hunter2", api_key="k"): pass
        """,
        "decided",
    )
    rows = receiver.until("SELECT password, api_key FROM spans WHERE service_name = 'decided'", lambda rows: rows != [])

    assert rows == [("7 letters", "[scrubbed: api key]")]
