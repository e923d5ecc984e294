"""The serve command up to the moment the server starts: options, settings, the lock, and exit codes."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from spanglass_server.alerting.ports import AlertStoreError
from spanglass_server.health.store.sqlite import HealthStoreError
from spanglass_server.incidents.ports import IncidentStoreError
from spanglass_server.issues.ports import IssueStoreError
from spanglass_server.notifications.ports import NotificationStoreError
from spanglass_server.process.lockfile import DataDirectoryError, data_directory_lock
from spanglass_server.process.serve import banner, command
from spanglass_server.settings.settings import load
from spanglass_server.settings.table import TABLE
from spanglass_server.store.segment_files.catalog import SCHEMA_VERSION, LocalCatalog


@pytest.fixture
def serve(tmp_path):
    """Run ``spanglass serve WORDS`` in an empty directory, without the developer's own settings."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith("SPANGLASS_")}

    def run(*words, **more):
        return subprocess.run(
            [sys.executable, "-m", "spanglass.cli.main", "serve", *words],
            cwd=tmp_path,
            env={**environ, **more},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    return run


def test_check_shows_the_settings_in_force(serve, tmp_path):
    """Flags, ``--set``, environment and file all reach the settings; secrets stay hidden."""
    (tmp_path / "s.yaml").write_text("query: {threads: 3}\n")

    result = serve(
        *("--check", "--port", "5000", "--set", "retention.traces=7d", "--insecure"),
        SPANGLASS_CONFIG="s.yaml",
        SPANGLASS_READ_TOKEN="hunter2",  # noqa: S106 - not a password of anyone
    )

    shown = dict(line.split(" = ", 1) for line in result.stdout.splitlines())
    assert (result.returncode, result.stderr, list(shown)) == (0, "", list(TABLE))
    changed = {name: text for name, text in shown.items() if text != TABLE[name].type.format(TABLE[name].default)}
    assert changed == {
        "server.port": "5000",
        "server.insecure": "true",
        "auth.read_token": "***",
        "retention.traces": "7d",
        "query.threads": "3",
    }


def test_check_reads_dashboards_too(serve, tmp_path):
    """Mistakes in dashboards of the settings file and of the directory are told with their places, exit code 2."""
    (tmp_path / "s.yaml").write_text("monitoring:\n  dashboards:\n    - name: A\n      panes: []\n")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x.yaml").write_text("name: B\nrange: soon\n")

    result = serve("--check", "--config", "s.yaml", "--set", "dashboards.dir=d")

    assert result.returncode == 2
    assert [line.partition(";")[0] for line in result.stderr.splitlines()] == [
        "spanglass serve: s.yaml:4:7: monitoring.dashboards[0].panes: unknown key 'panes'",
        "spanglass serve: d/x.yaml:2:8: range: 'soon' is not a number",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--port", "http"], "command line: server.port: expected a whole number from 0 to 65535 (got 'http')"),
        (["--set", "a.b=1"], "command line: unknown setting 'a.b'; docs/settings.md lists all settings"),
        (["--config", "no.yaml"], "the settings file no.yaml can't be read: No such file or directory"),
        (["--host", "192.0.2.1"], "server.host '192.0.2.1' can be reached from other machines"),
    ],
)
def test_wrong_settings(serve, tmp_path, words, message):
    """A wrong setting is exit code 2 and one line, before anything is written to disk."""
    result = serve(*words)

    assert (result.returncode, result.stdout, list(tmp_path.iterdir())) == (2, "", [])
    assert result.stderr.startswith(f"spanglass serve: {message}")
    assert result.stderr.count("\n") == 1


def test_second_server_is_refused(serve, tmp_path):
    """A data directory that is in use is refused with the process that holds it."""
    data = tmp_path / "data"
    with data_directory_lock(data):
        result = serve("--data", str(data))

    assert result.returncode == 1
    assert result.stderr == (
        f"spanglass serve: the data directory {data} is in use by another server (process {os.getpid()}): "
        "stop that one, or give another directory with --data\n"
    )


def test_lock_is_free_again(tmp_path):
    """After its block the lock can be taken again, whatever the file that stayed behind says."""
    with data_directory_lock(tmp_path):
        pass
    (tmp_path / "lock").write_text("999999\n")

    with data_directory_lock(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_data_directory_that_is_a_file(tmp_path):
    """A data directory that can't be made says what to do."""
    file = tmp_path / "file"
    file.write_text("")

    with pytest.raises(DataDirectoryError, match="give another with --data"), data_directory_lock(file):
        pass


def newer(path):
    """Make the catalog one of a newer server."""
    LocalCatalog(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()


def overwritten(path):
    """Make the catalog a file of something else."""
    path.write_bytes(b"not a database, but as long as one " * 200)


def half_gone(path):
    """Cut the catalog's file within its pages."""
    LocalCatalog(path).close()
    path.write_bytes(path.read_bytes()[:5000])


def nonsense(path):
    """Put a segment into the catalog that no server wrote."""
    LocalCatalog(path).close()
    connection = sqlite3.connect(path)
    named = "id, signal, file, row_count, byte_count, min_time_ns, max_time_ns, arrived_ns, columns"
    connection.execute(f"INSERT INTO segments ({named}) VALUES (1, 'spans', 'f', 1, 1, 1, 1, 1, 'no JSON')")  # noqa: S608
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (newer, "the data directory has catalog version .* start the newer server that wrote it, or choose another"),
        (
            overwritten,
            r"the catalog .*catalog\.sqlite is damaged \(file is not a database\): restore the data directory",
        ),
        (half_gone, r"the catalog .*catalog\.sqlite is damaged \(database disk image is malformed\): restore the data"),
        (nonsense, r"the catalog .*catalog\.sqlite is damaged \(Expecting value: .*\): restore the data directory"),
    ],
)
def test_a_catalog_that_cant_be_used(serve, tmp_path, spoil, message):
    """A newer or damaged catalog is exit code 1 and a line that says what to do; nothing in the directory changes."""
    data = tmp_path / "data"
    data.mkdir()
    spoil(data / "catalog.sqlite")
    before = (data / "catalog.sqlite").read_bytes()

    result = serve("--data", str(data), "--port", "0", "--set", "server.grpc_port=0")

    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert re.search(f"^spanglass serve: {message}", result.stderr, re.MULTILINE), result.stderr
    assert (data / "catalog.sqlite").read_bytes() == before


@pytest.mark.parametrize(
    "error", [AlertStoreError, HealthStoreError, IncidentStoreError, IssueStoreError, NotificationStoreError]
)
def test_any_store_that_cant_be_used(monkeypatch, capsys, tmp_path, error):
    """One that is newer or damaged is exit code 1 and its line, whichever it is."""

    def run(*_, **__):
        raise error("the store is damaged: restore it")

    monkeypatch.setattr("spanglass_server.process.app.run", run)
    monkeypatch.setattr("spanglass_server.process.serve._configure_log", lambda _: None)
    assert command(["--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err.endswith("spanglass serve: the store is damaged: restore it\n")


def test_banner():
    """The banner names the ports really bound, with brackets around an IPv6 address."""
    settings = load(overrides={"server.host": "::1", "data.dir": "/d"})

    text = banner(settings, 50001, 50002)

    assert text.splitlines()[2:6] == [
        "  Pages and API   http://[::1]:50001",
        "  OTLP/HTTP       http://[::1]:50001/v1/traces, /v1/metrics, /v1/logs",
        "  OTLP/gRPC       [::1]:50002",
        f"  Data            {Path('/d')}",
    ]
