"""What ``import spanglass`` offers, and what it costs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import spanglass

SOURCE = Path(spanglass.__file__ or "")

#: Nothing of the server, and nothing heavy, belongs into an application's process.
FOREIGN = {
    "duckdb",
    "grpc",
    "jinja2",
    "lark",
    "numpy",
    "ptars",
    "pyarrow",
    "rich",
    "spanglass_server",
    "starlette",
    "uvicorn",
}


def modules_after(code: str) -> set[str]:
    """Return the top-level names of what is imported in a fresh interpreter that runs the code."""
    program = f"{code}\nimport sys, json; print(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_every_public_name_is_there_for_programs_and_type_checkers():
    """__all__ is sorted, each name of it can be had, and type checkers see the very same names."""
    tree = ast.parse(SOURCE.read_text("utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = sorted(alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names)

    assert spanglass.__all__ == sorted(spanglass.__all__) == seen
    assert [name for name in spanglass.__all__ if getattr(spanglass, name, None) is None] == []


def test_importing_costs_nothing():
    """The import alone brings no OpenTelemetry, and an unknown name is an AttributeError as in any module."""
    assert not modules_after("import spanglass") & {"opentelemetry", "psutil", "wrapt", *FOREIGN}
    assert not hasattr(spanglass, "no_such_name")


def test_a_configured_application_has_no_server_in_it():
    """configure() with everything on imports neither the server nor its libraries, nor those that are instrumented."""
    libraries = {
        "celery",
        "django",
        "fastapi",
        "flask",
        "httpx",
        "loguru",
        "psycopg",
        "redis",
        "rq",
        "sqlalchemy",
        "structlog",
    }
    code = "import spanglass; assert spanglass.configure(service_name='light', endpoint='http://127.0.0.1:9')"

    assert not modules_after(code) & (FOREIGN | libraries)


def full_names_after(code: str) -> set[str]:
    """Return the whole names of what is imported in a fresh interpreter that runs the code."""
    program = f"{code}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_what_few_applications_need_is_imported_when_they_do():
    """configure() leaves out what waits for a setting, a library or a call: it would take a fifth of its time."""
    waits = {
        "asgiref",
        "concurrent.futures.process",
        "difflib",
        "google.rpc.status_pb2",
        "opentelemetry.sdk._configuration",
        "spanglass.api.health.monitor",
        "spanglass.api.health.runner",
        "spanglass.cli",
        "spanglass.delivery.console.console",
        "spanglass.delivery.transport.grpc_sender",
        "spanglass.library_metrics.tasks.celery_tasks",
        "spanglass.library_metrics.databases.psycopg_pools",
        "spanglass.library_metrics.redis_commands",
        "spanglass.library_metrics.tasks.rq_jobs",
        "spanglass.sampling.tail",
        "spanglass.testing",
        "spanglass_core.traces.trace_links",
        "spanglass_core.traces.trace_nodes",
        "spanglass_core.traces.trace_tree",
    }
    code = "import spanglass; assert spanglass.configure(service_name='light', endpoint='http://127.0.0.1:9')"

    assert not full_names_after(code) & waits


def test_monitors_import_what_they_need_when_they_need_it():
    """Making the monitors imports neither psutil nor the parser of conditions nor an HTTP client; a rule needs one."""
    code = (
        "import spanglass as s; manager = s.AlertManager()\n"
        "s.SystemMonitor(); s.MetricCollector(); s.ResourceMonitor()\n"
        "import sys; assert not {'psutil', 'lark', 'requests'} & set(sys.modules)\n"
        "manager.add_rule(s.AlertRule('a', 'error_rate > 5%'))"
    )

    assert modules_after(code) & {"psutil", "lark", "requests", *FOREIGN} == {"lark"}


def test_without_telemetry_opentelemetry_is_not_imported():
    """configure(enabled=False) is told so before anything of the SDK is imported."""
    code = "import spanglass; assert not spanglass.configure(enabled=False)"

    assert not {name for name in full_names_after(code) if name.startswith(("opentelemetry.sdk", "requests", "psutil"))}


def test_checks_of_health_run_though_they_are_imported_after_configure():
    """The runner begins with the import of what registers checks, and ends with shutdown()."""
    code = (
        "import threading, spanglass; spanglass.configure(endpoint='http://127.0.0.1:9', flush_timeout='100ms')\n"
        "spanglass.register_check('db', lambda: True)\n"
        "assert 'spanglass-health' in {each.name for each in threading.enumerate()}\n"
        "from spanglass.api.health.monitor import default_monitor\n"
        "spanglass.shutdown(); assert default_monitor.on_register is None"
    )

    assert "spanglass.api.health.runner" in full_names_after(code)
