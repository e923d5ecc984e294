"""The real Prometheus of Debian posts the alerts of its rules to the real server, in the place of an Alertmanager."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from loadgen.server import HOST, free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from loadgen.server import ServerProcess

_PATIENCE_S = 120.0  # only a failure waits so long
RULE = {
    "alert": "AlwaysOn",
    "expr": "vector(1)",
    "labels": {"severity": "page"},
    "annotations": {"summary": "It is on"},
}


def until(condition: Callable[[], Any]) -> Any:
    """Wait for something and return it."""
    end = time.monotonic() + _PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
    return found


@contextmanager
def prometheus(folder: Path, program: str, server: ServerProcess) -> Iterator[None]:
    """Prometheus with a rule that always fires, and the server as its Alertmanager."""
    target = server.url.removeprefix("http://")
    config = {
        "global": {"evaluation_interval": "1s"},
        "rule_files": [str(folder / "rules.yml")],
        "alerting": {"alertmanagers": [{"path_prefix": "/alertmanager", "static_configs": [{"targets": [target]}]}]},
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    (folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "g", "rules": [RULE]}]}))
    (port,) = free_ports(1)
    options = {
        "config.file": folder / "prometheus.yml",
        "storage.tsdb.path": folder / "tsdb",
        "web.listen-address": f"{HOST}:{port}",
        # An alert that it no longer posts is over four times as long afterwards: less, and a busy machine ends it.
        "rules.alert.resend-delay": "5s",
    }
    with (folder / "prometheus.log").open("wb") as log:
        command = [program, *(f"--{name}={value}" for name, value in options.items())]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.kill()
            process.wait()
            print((folder / "prometheus.log").read_text()[-4000:])  # noqa: T201 - pytest shows it when the test failed


@pytest.mark.slow
def test_alerts_of_prometheus_last_as_long_as_it_posts_them(
    shared_server: ServerProcess, need: Callable[[str], None], tmp_path: Path
) -> None:
    """An alert of its rules is one of ours, once however often it is posted, and over when Prometheus is gone."""
    program = shutil.which("prometheus")
    if program is None:
        need("there is no prometheus: apt-get install --no-install-recommends prometheus, and stop its service")

    def alerts(status: str) -> list[Any]:
        path = f"/api/monitoring/alerts/?source=alertmanager&status={status}"
        found: list[Any] = shared_server.request("GET", path).json()["alerts"]
        return found

    with prometheus(tmp_path, str(program), shared_server):
        (alert,) = until(lambda: alerts("open"))
        assert (alert["title"], alert["severity"], alert["count"]) == ("It is on", "critical", 1)
        first = _posted(shared_server)
        later = until(lambda: _later(shared_server, first["endsAt"]))
        assert (later["labels"]["severity"], later["fingerprint"]) == ("page", first["fingerprint"])
        assert [each["id"] for each in alerts("open")] == [alert["id"]]
    until(lambda: not alerts("open"))
    assert [each["id"] for each in alerts("all")] == [alert["id"]]


def _posted(server: ServerProcess) -> Any:
    """The alert as Alertmanager's clients see it."""
    (found,) = server.request("GET", "/alertmanager/api/v2/alerts?filter=alertname%3D%22AlwaysOn%22").json()
    return found


def _later(server: ServerProcess, ends: str) -> Any:
    """The alert as soon as it was posted once more."""
    found = _posted(server)
    return found if found["endsAt"] > ends else None
