"""The pytest plugin in sessions of its own, run with every warning an error."""

import importlib
import os
import subprocess
import sys

import pytest

_SETTINGS = {"OTEL_BSP_SCHEDULE_DELAY": "100", "SPANGLASS_RUNTIME_METRICS": "false", "SPANGLASS_FLUSH_TIMEOUT": "10s"}


@pytest.fixture
def run(tmp_path):
    """Run pytest in a process of its own on a file of tests; gives the finished process."""

    def run_pytest(code, *options, **variables):
        (tmp_path / "test_shop.py").write_text(code)
        environ = {
            key: value for key, value in os.environ.items() if not key.startswith(("SPANGLASS_", "OTEL_", "PYTEST_"))
        }
        words = [
            sys.executable,
            "-m",
            "pytest",
            "-W",
            "error",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(tmp_path),
            *options,
        ]
        return subprocess.run(
            words, cwd=tmp_path, env={**environ, **_SETTINGS, **variables}, capture_output=True, text=True, check=False
        )

    return run_pytest


def test_the_plugin_imports_nothing_when_it_is_not_used(run):
    """A session that uses nothing of the plugin has loaded neither OpenTelemetry nor the kit."""
    done = run(
        "import sys\n"
        "def test_loaded():\n"
        "    heavy = ('opentelemetry', 'psutil', 'spanglass.start.setup', 'spanglass.testing', 'wrapt')\n"
        "    assert 'spanglass.pytest_plugin' in sys.modules\n"
        "    assert [name for name in sys.modules if name.startswith(heavy)] == []\n"
    )
    assert done.returncode == 0, done.stdout


def test_the_fixture_captures_an_instrumented_library(run):
    """A query through sqlite3 is seen without any other set-up, and the tracer of the test's own code too."""
    done = run(
        "import sqlite3\n"
        "from contextlib import closing\n"
        "from opentelemetry import trace\n"
        "def test_shop(capture_telemetry):\n"
        "    with trace.get_tracer('shop').start_as_current_span('pay'), closing(sqlite3.connect(':memory:')) as db:\n"
        "        db.execute('SELECT 1').fetchall()\n"
        "    capture_telemetry.assert_max_queries(1)\n"
        "    assert capture_telemetry.tree() == 'pay\\n└─ SELECT  SELECT 1  (client)'\n"
        "def test_again(capture_telemetry):\n"
        "    assert capture_telemetry.spans == []\n"
    )
    assert done.returncode == 0, done.stdout


def test_the_marker_fails_a_test_with_too_many_queries(run):
    """The test fails with the list of its queries; what fixtures do before does not count."""
    done = run(
        "import pytest, sqlite3\n"
        "@pytest.fixture\n"
        "def database():\n"
        "    connection = sqlite3.connect(':memory:')\n"
        "    connection.execute('CREATE TABLE t (a)')\n"
        "    yield connection\n"
        "    connection.close()\n"
        "@pytest.mark.max_queries(1)\n"
        "def test_few(database):\n"
        "    database.execute('SELECT 1')\n"
        "@pytest.mark.max_queries(2)\n"
        "def test_many(database):\n"
        "    for number in range(3):\n"
        "        database.execute(f'SELECT {number}')\n"
    )
    assert "1 failed, 1 passed" in done.stdout, done.stdout
    assert "_\nat most 2 SQL queries were expected, 3 made:\n     3 x  SELECT ?\n" in done.stdout
    assert "pytest_plugin.py" not in done.stdout


def test_a_wrong_marker_is_told(run):
    """A marker without a number fails with what to write."""
    done = run("import pytest\n@pytest.mark.max_queries('3')\ndef test_a():\n    pass\n")
    assert (
        "max_queries takes one number of queries, for example @pytest.mark.max_queries(3)" in done.stdout + done.stderr
    )


_TESTS = """
import logging
import pytest
from opentelemetry import trace

@pytest.mark.parametrize("amount", [1])
def test_pays(amount, capture_telemetry):
    with trace.get_tracer("shop").start_as_current_span("captured"):
        logging.getLogger("shop").warning("once")
    assert capture_telemetry.tree() == "captured"
    assert [record["body"] for record in capture_telemetry.logs] == ["once"]

def test_breaks():
    with trace.get_tracer("shop").start_as_current_span("application"):
        raise ValueError("no money")

@pytest.mark.skip
def test_later():
    pass
"""


def _by_name(sink):
    return {span["name"]: span for span in sink.spans()}


def test_a_session_is_a_trace(run, sink):
    """Session, module, tests and phases are spans of one trace, with results and the application's own spans."""
    done = run(_TESTS, "--spanglass", SPANGLASS_ENDPOINT=sink.address)
    spans = sink.spans()
    ids = {span["span_id"]: span["name"] for span in spans}
    named = [(ids.get(span["parent_id"], ""), span["name"]) for span in spans]
    assert sorted(named) == sorted(
        [
            ("", "pytest"),
            ("pytest", "test_shop.py"),
            ("test_shop.py", "test_pays[1]"),
            ("test_shop.py", "test_breaks"),
            ("test_shop.py", "test_later"),
            ("call", "application"),
            *(("test_pays[1]", phase) for phase in ("setup", "call", "teardown")),
            *(("test_breaks", phase) for phase in ("setup", "call", "teardown")),
            *(("test_later", phase) for phase in ("setup", "teardown")),
        ]
    ), done.stdout
    by_name = _by_name(sink)
    results = {name: span["attributes"].get("test.case.result.status") for name, span in by_name.items()}
    assert {name: result for name, result in results.items() if result} == {
        "test_pays[1]": "pass",
        "test_breaks": "fail",
        "test_later": "skip",
    }
    assert by_name["test_pays[1]"]["attributes"] == {
        "test.case.name": "test_shop.py::test_pays[1]",
        "test.case.result.status": "pass",
        "test.suite.name": "test_shop.py",
        "code.file.path": "test_shop.py",
        "code.line.number": 6,
        "code.function.name": "test_pays",
        "spanglass.test.parameter.amount": "1",
    }
    assert [by_name[name]["status"] for name in ("pytest", "test_shop.py", "test_breaks", "test_pays[1]")] == [
        2,
        2,
        2,
        0,
    ]
    assert by_name["pytest"]["attributes"] == {"test.suite.run.status": "failure"}
    (trace_id,) = {span["trace_id"] for span in spans}
    assert f"trace of this session: {sink.address}/traces/{trace_id}\n" in done.stdout


def test_workers_of_xdist_join_the_session(run, sink):
    """Workers' spans are in the controller's trace, each below its worker's span; the address is printed once."""
    done = run(_TESTS, "--spanglass", "-n", "2", "-p", "xdist", SPANGLASS_ENDPOINT=sink.address)
    spans = sink.spans()
    ids = {span["span_id"]: span["name"] for span in spans}
    assert len({span["trace_id"] for span in spans}) == 1, done.stdout
    workers = {ids.get(s["parent_id"], "") for s in spans if s["name"] == "test_shop.py"}
    assert workers <= {"pytest gw0", "pytest gw1"}
    assert {ids[s["parent_id"]] for s in spans if s["name"].startswith("pytest gw")} == {"pytest"}
    assert {"test_pays[1]", "test_breaks", "test_later"} <= set(ids.values())
    assert done.stdout.count("trace of this session") == 1


def test_a_build_can_hold_the_session(run, sink):
    """TRACEPARENT of the environment is the session's parent; the variable SPANGLASS_PYTEST turns the trace on."""
    trace_id, span_id = "ab" * 16, "cd" * 8
    run(
        "def test_a():\n    pass\n",
        SPANGLASS_ENDPOINT=sink.address,
        SPANGLASS_PYTEST="1",
        TRACEPARENT=f"00-{trace_id}-{span_id}-01",
    )
    session = _by_name(sink)["pytest"]
    assert (session["trace_id"], session["parent_id"]) == (trace_id, span_id)


def test_pytest_starts_with_warnings_as_errors_where_we_are_imported_before_it(pytestconfig):
    """Pytest rewrites the packages of whoever has a plugin, and warns of those that `spanglass run` has imported."""
    hook = pytestconfig.pluginmanager.rewrite_hook
    names = ("spanglass", "spanglass_core", "spanglass_server")
    for name in names:
        importlib.import_module(name)
        hook._rewritten_names.pop(name, None)

    hook.mark_rewrite(*names)
