"""``spanglass serve``: settings from their sources, the data directory's lock, the log, and then the server."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from spanglass_server.access.auth import Tokens
from spanglass_server.process.lockfile import DataDirectoryError, data_directory_lock
from spanglass_server.process.parts.scraping import jobs_of
from spanglass_server.settings.settings import Settings, SettingsError, describe, load, parse_assignments
from spanglass_server.settings.table import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spanglass_server.scraping.jobs import Job

EXIT_OK = 0
EXIT_FAILED = 1  # a port or the data directory can't be used, or the server broke
EXIT_USAGE = 2  # an option or a setting is wrong

_CONFIG_VARIABLE = "SPANGLASS_CONFIG"
_EPILOG = """\
examples:
  spanglass serve --data ./spanglass-data
  spanglass serve --config /etc/spanglass.yaml --check

Every setting can also stand in the YAML file or in an environment variable; docs/settings.md lists them all.
Exit codes: 0 stopped as asked, 1 a port or the data directory can't be used, 2 an option or setting is wrong.
"""


def command(argv: Sequence[str]) -> int:
    """Run the server until SIGTERM or SIGINT; ``argv`` are the words after ``serve``. Returns an exit code."""
    arguments = _parser().parse_args(argv)
    try:
        settings = _settings(arguments)
        tokens = Tokens.from_settings(settings)
        jobs = jobs_of(settings)
    except SettingsError as error:
        return _fail(str(error), EXIT_USAGE)
    if arguments.check:
        _print_settings(settings)
        return _check_written(settings)
    _configure_log(settings.log.level)
    try:
        with data_directory_lock(settings.data.dir):
            return _run(settings, tokens, jobs)
    except DataDirectoryError as error:
        return _fail(str(error), EXIT_FAILED)


def banner(settings: Settings, http_port: int, grpc_port: int) -> str:
    """Report where everything is, once the server listens; the ports are those really bound."""
    host = f"[{settings.server.host}]" if ":" in settings.server.host else settings.server.host
    url = f"http://{host}:{http_port}"
    lines = [
        f"Spanglass {version('spanglass')} is ready.",
        "",
        f"  Pages and API   {url}",
        f"  OTLP/HTTP       {url}/v1/traces, /v1/metrics, /v1/logs",
        f"  OTLP/gRPC       {host}:{grpc_port}",
        f"  Data            {settings.data.dir.resolve()}",
        "",
        "  Send telemetry from any program that has an OpenTelemetry SDK:",
        f"    OTEL_EXPORTER_OTLP_ENDPOINT={url} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        "",
        "  Stop with Ctrl-C.",
    ]
    return "\n".join(lines)


def _run(settings: Settings, tokens: Tokens, jobs: Sequence[Job]) -> int:
    # Imported late: everything before this point answers in a tenth of a second, without DuckDB and gRPC.
    with uncollected():
        from spanglass_server.alerting.ports import AlertStoreError  # noqa: PLC0415
        from spanglass_server.anomalies.model import AnomalyStoreError  # noqa: PLC0415
        from spanglass_server.findings.model import FindingStoreError  # noqa: PLC0415
        from spanglass_server.health.store.sqlite import HealthStoreError  # noqa: PLC0415
        from spanglass_server.incidents.ports import IncidentStoreError  # noqa: PLC0415
        from spanglass_server.issues.ports import IssueStoreError  # noqa: PLC0415
        from spanglass_server.notifications.ports import NotificationStoreError  # noqa: PLC0415
        from spanglass_server.process.app import run  # noqa: PLC0415
        from spanglass_server.reports.errors import ReportStoreError  # noqa: PLC0415
        from spanglass_server.saved.model import SavedStoreError  # noqa: PLC0415
        from spanglass_server.slo.store.store import SloStoreError  # noqa: PLC0415
        from spanglass_server.store.segment_files.catalog import CatalogError  # noqa: PLC0415

    def announce(http_port: int, grpc_port: int) -> None:
        print(banner(settings, http_port, grpc_port), file=sys.stderr, flush=True)  # noqa: T201 - for the terminal

    stores = (
        *(IssueStoreError, AlertStoreError, NotificationStoreError, IncidentStoreError, HealthStoreError),
        *(FindingStoreError, SavedStoreError, ReportStoreError, SloStoreError, AnomalyStoreError),
    )
    try:
        run(settings, tokens, jobs, on_ready=announce)
    except (OSError, CatalogError, *stores) as error:
        return _fail(str(error), EXIT_FAILED)
    return EXIT_OK


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the collector of reference cycles from what is made meanwhile, then and later: it is there to stay.

    Of 1.2 s of processor time that imports take, 0.1 s are its passes over modules half imported, and each later pass
    takes 60 ms more.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="spanglass serve",
        description="Run the server: OTLP in, API and pages out, one data directory.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"YAML file of settings ({_CONFIG_VARIABLE})")
    for row in TABLE.values():
        text = f"{row.help.replace('`', '').replace('%', '%%')} [{row.name}]"
        if row.flag and row.type.name == "bool":
            parser.add_argument(row.flag, action="store_const", const="true", dest=row.name, help=text)
        elif row.flag:
            default = f" (default {row.type.format(row.default)})"
            parser.add_argument(row.flag, dest=row.name, metavar=row.type.name.upper(), help=text + default)
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any setting by its dotted name; repeatable"
    )
    parser.add_argument("--check", action="store_true", help="print the settings in force and stop")
    return parser


def _settings(arguments: argparse.Namespace) -> Settings:
    flags = {row.name: getattr(arguments, row.name) for row in TABLE.values() if row.flag}
    overrides = parse_assignments(arguments.set) | {name: text for name, text in flags.items() if text is not None}
    file = arguments.config or os.environ.get(_CONFIG_VARIABLE)
    return load(file=Path(file) if file else None, environ=os.environ, overrides=overrides)


def _print_settings(settings: Settings) -> None:
    for row, text in describe(settings):
        print(f"{row.name} = {text}")  # noqa: T201 - what was asked for


def _check_written(settings: Settings) -> int:
    """Say what is wrong with what is written in files. A server starts all the same: its pages tell."""
    # as above
    from spanglass_server.process.parts import dashboards  # noqa: PLC0415
    from spanglass_server.process.parts.analysis import slos  # noqa: PLC0415
    from spanglass_server.process.parts.checks import health  # noqa: PLC0415
    from spanglass_server.process.parts.on_call import alert_rules, incidents, notifications  # noqa: PLC0415

    parts = (dashboards, alert_rules, health, incidents, notifications, slos)
    problems = [problem for part in parts for problem in part.problems_of(settings)]
    for problem in problems:
        print(f"spanglass serve: {problem}", file=sys.stderr)  # noqa: T201 - the terminal is the interface
    return EXIT_USAGE if problems else EXIT_OK


def _configure_log(level: str) -> None:
    """One line an event on stderr. Requests are counted, not logged: at 2000 a second a log of them helps nobody."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each scrape otherwise
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, logging.getLogger().level))


def _fail(message: str, code: int) -> int:
    print(f"spanglass serve: {message}", file=sys.stderr)  # noqa: T201 - the terminal is the interface
    return code
