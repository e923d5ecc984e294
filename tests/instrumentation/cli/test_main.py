"""The command as a whole: errors, exit codes, missing extras, and what an import costs."""

from __future__ import annotations

import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from spanglass.cli.options import EXAMPLES

ROOT = Path(__file__).parents[3]

HIDE = """
import sys
sys.modules.update(dict.fromkeys({hidden!r}))
from spanglass.cli.main import main
sys.exit(main({words!r}))
"""

# Thirty processes would import the same thirty times.
HELP = """
from contextlib import suppress
from spanglass.cli.main import main
for name in {names!r}:
    with suppress(SystemExit):
        main([*name.split(), "--help"])
    print(end="\\0")
"""


def python(code, env):
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, timeout=180, check=False)


def test_server_not_running(run):
    """When nothing listens, the error says how to start the server or name another."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        result = run("traces", url=url)

    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr.decode() == (
        f"spanglass traces: no server answers at {url}\n"
        "  start one with: spanglass serve\n"
        "  or name another with --url\n"
    )


def test_filter_error_points_at_the_column(canned, run):
    """A filter's error shows the filter and marks the column; the exit code is that of usage."""
    error = {
        "code": "bad_filter",
        "message": "an operator is missing",
        "field": "filter",
        "column": 14,
        "expected": ["=", "!="],
        "hint": "quote values with spaces",
    }
    canned.answer("/api/v1/traces", {"error": error}, status=400)

    result = run("traces", "service.name web")

    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.decode() == (
        "spanglass traces: filter: an operator is missing\n"
        "    service.name web\n"
        "                 ^\n"
        "  expected =, !=\n"
        "  quote values with spaces\n"
    )


@pytest.mark.parametrize(
    ("status", "code", "exit_code", "hint"),
    [
        (401, "unauthorized", 1, "give the server's token with --token, or in SPANGLASS_READ_TOKEN"),
        (403, "forbidden", 1, "the token is known and may not do this"),
        (404, "not_found", 3, ""),
        (400, "bad_request", 2, ""),
        (500, "internal", 1, ""),
        (503, "unavailable", 1, "the server is starting, stopping or overloaded: try again in a moment"),
        (504, "timeout", 1, "narrow the time range with --last, or the filter"),
        (507, "out_of_memory", 1, "narrow the time range with --last, or the filter"),
    ],
)
def test_server_errors(canned, run, status, code, exit_code, hint):
    """Every kind of error has its exit code and says what to do next."""
    canned.answer("/api/v1/services", {"error": {"code": code, "message": "words"}}, status=status)

    result = run("services")

    assert result.returncode == exit_code
    assert result.stderr.decode() == "spanglass services: words\n" + (f"  {hint}\n" if hint else "")


def test_other_servers(canned, run):
    """An answer that is not Spanglass's is said to be so, whether it is an error or not."""
    canned.answer("/api/v1/services", b"<html>hello</html>")
    canned.answer("/api/v1/services", b"<html>gone</html>", status=502)

    fine, broken = run("services"), run("services")

    assert fine.stderr.decode() == (
        "spanglass services: the server answered 200 without JSON\n  is --url the address of a Spanglass server?\n"
    )
    assert broken.stderr.decode() == "spanglass services: the server answered 502 Bad Gateway\n"
    assert (fine.returncode, broken.returncode) == (1, 1)


def test_redirects_are_not_followed(canned, run):
    """A redirect is an error: following it could hand the token to another server."""
    canned.answer("/api/v1/services", b"", status=302, headers={"Location": "/api/v1/status"})

    result = run("services", "--token", "secret")

    assert (result.returncode, len(canned.received)) == (1, 1)
    assert canned.received[0].headers["authorization"] == "Bearer secret"
    assert b"secret" not in result.stderr


@pytest.mark.parametrize(
    "url", ["localhost:4318", "ftp://localhost", "http://", "http://user:pw@host", "http://h:99999"]
)
def test_bad_urls(run, url):
    """What is no address of a server is refused with an example."""
    result = run("status", "--url", url)

    assert result.returncode == 2
    assert result.stderr.decode() == (
        f"spanglass status: --url {url!r} is not the address of a server\n  write it like http://127.0.0.1:4318\n"
    )


def test_unknown_command(run):
    """An unknown command lists those there are."""
    result = run("tracez")

    assert result.returncode == 2
    assert result.stderr.decode() == (
        "spanglass: unknown command 'tracez'\n"
        "  did you mean trace?\n"
        "  the commands are run, doctor, bootstrap, traces, trace, differences, self-time, profiles, "
        "findings, logs, metrics, query, issues, issue, releases, dashboards, rules, alerts, incidents, "
        "routes, channels, silences, oncall, deliveries, checks, slo, views, pins, services, users, tasks, "
        "coverage, costs, retention, report, anomalies, trends, capacity, forecast, sql, export, import, send, "
        "status, serve\n"
    )


def test_unknown_option(run):
    """A wrong option is exit code 2."""
    result = run("traces", "--lst=1h")

    assert (result.returncode, result.stdout) == (2, b"")
    assert b"unrecognized arguments: --lst=1h (did you mean --last?)" in result.stderr


def test_help_has_examples(command):
    """The help of each command that asks the server shows commands to begin with."""
    *helps, rest = python(HELP.format(names=list(EXAMPLES)), command).stdout.decode().split("\0")

    assert (len(helps), rest) == (len(EXAMPLES), "")
    for (name, examples), shown in zip(EXAMPLES.items(), helps, strict=True):
        assert all(f"  spanglass {name} {words}".rstrip() in shown for words in examples), name


def test_help_and_version(run):
    """Help is exit code 0 and lists every command; no command at all is a mistake; the version is the package's."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    usage, nothing, told = run("--help"), run(), run("--version")

    assert (usage.returncode, nothing.returncode, nothing.stdout) == (0, 2, usage.stdout)
    assert told.stdout.decode() == f"spanglass {version}\n"


def test_tables_need_no_library(canned, command):
    """The commands that ask a server work right after `pip install spanglass`: tables are our own."""
    canned.answer("/api/v1/services", {"services": [{"service": "web"}]})
    table = python(HIDE.format(hidden=["rich"], words=["services"]), command)

    assert (table.returncode, table.stderr) == (0, b"")
    assert table.stdout.decode().splitlines()[1].startswith("web")


def test_missing_server_extra(command):
    """Without the server's libraries, ``serve`` names the extra to install."""
    result = python(HIDE.format(hidden=["yaml"], words=["serve"]), command)

    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr.decode() == (
        "spanglass: the command 'serve' needs the extra [server] (there is no module yaml)\n"
        "  install it: pip install 'spanglass[server]'\n"
    )


def test_import_is_light(command):
    """Importing the package, or the command line, loads nothing but the standard library."""
    code = (
        "import sys, spanglass, spanglass.cli.main, spanglass.cli.queries.traces\n"
        "heavy = 'duckdb pyarrow starlette uvicorn grpc rich numpy yaml opentelemetry spanglass_server'.split()\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    result = python(code, command)

    assert (result.stdout, result.stderr) == (b"[]\n", b"")


def test_installed_command(command):
    """The installed script is this command."""
    script = Path(sys.executable).with_name("spanglass")
    result = subprocess.run([script, "--version"], env=command, capture_output=True, timeout=180, check=False)

    assert (result.returncode, result.stdout.split()[0]) == (0, b"spanglass")
