"""The server scrapes the targets of its settings file: those that work, and those that do not."""

from __future__ import annotations

import json
import time
import urllib.parse
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

from loadgen.server import HOST, free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loadgen.server import ServerProcess

_PATIENCE_S = 120.0  # only a failure waits so long


class Targets(BaseHTTPRequestHandler):
    """One path a kind of target."""

    release = Event()

    def do_GET(self) -> None:
        """Answer as the path says."""
        if self.path == "/hangs":
            self.release.wait(_PATIENCE_S)
            return
        if self.path == "/token" and self.headers["authorization"] != "Bearer s3cret":
            self.send_error(401)
            return
        body = b"#" * 2_000_000 if self.path == "/floods" else b"<html>" if self.path == "/page" else b"good 1\n"
        self.send_response(200)
        self.send_header("content-type", "text/plain; version=0.0.4")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def targets() -> Iterator[tuple[int, int]]:
    """Ports of an application of prometheus_client, and of targets that are made here."""
    registry = CollectorRegistry()
    Counter("shop_requests", "Requests.", ["code"], registry=registry).labels("200").inc(3)
    Histogram("shop_seconds", "Durations.", buckets=(1,), registry=registry).observe(0.5)
    application, thread = start_http_server(0, HOST, registry=registry)
    made = ThreadingHTTPServer((HOST, 0), Targets)
    other = Thread(target=made.serve_forever)
    other.start()
    try:
        yield application.server_port, made.server_port
    finally:
        Targets.release.set()
        for server in (application, made):
            server.shutdown()
            server.server_close()
        thread.join()
        other.join()


def ask(server: ServerProcess, path: str, **parameters: str) -> Any:
    """Ask Prometheus' API."""
    return server.request("GET", f"/prometheus/api/v1/{path}?{urllib.parse.urlencode(parameters)}").json()["data"]


def values(server: ServerProcess, query: str) -> dict[str, str]:
    """The values of an instant query by job."""
    return {found["metric"]["job"]: found["value"][1] for found in ask(server, "query", query=query)["result"]}


def until(condition: Callable[[], Any]) -> Any:
    """Wait for something and return it."""
    end = time.monotonic() + _PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
    return found


def errors(server: ServerProcess) -> dict[str, str]:
    """Why the latest scrape of each job failed; empty where it did not."""
    return {target["scrapePool"]: target["lastError"] for target in ask(server, "targets")["activeTargets"]}


def test_targets_that_work_and_targets_that_do_not(new_server, tmp_path):
    """Each target is scraped by itself and says why it fails; the end of the server ends the series."""
    (nobody,) = free_ports(1)
    (tmp_path / "token").write_text("s3cret\n")
    with targets() as (application, made):
        plain = {"interval": "1s", "targets": [f"{HOST}:{made}"]}
        jobs = [
            {"job": "shop", "interval": "1s", "targets": [f"{HOST}:{application}"], "labels": {"env": "test"}},
            {"job": "token", **plain, "path": "/token", "bearer_token_file": str(tmp_path / "token")},
            {"job": "hangs", **plain, "path": "/hangs", "timeout": "500ms"},
            {"job": "floods", **plain, "path": "/floods", "max_body": "1MiB"},
            {"job": "page", **plain, "path": "/page"},
            {"job": "denied", **plain, "path": "/token"},
            {"job": "nobody", "interval": "1s", "targets": [f"{HOST}:{nobody}"]},
        ]
        (tmp_path / "settings.yaml").write_text(json.dumps({"scrape": jobs}))  # JSON is YAML
        server = new_server(config=str(tmp_path / "settings.yaml"))
        server.start()
        up = {job["job"]: "1" if job["job"] in ("shop", "token") else "0" for job in jobs}
        until(lambda: values(server, "up") == up)
        until(lambda: values(server, "shop_requests_total") == {"shop": "3"})
        buckets = "sum by (job) (shop_seconds_bucket{le='+Inf',env='test'})"
        until(lambda: values(server, buckets) == {"shop": "1"})
        until(lambda: values(server, "good") == {"token": "1"})
        said = {"hangs": "0.5 s", "floods": "max_body", "page": "text format", "denied": "401", "nobody": "Connect"}
        until(lambda: all(text in errors(server)[job] for job, text in said.items()))
        page = server.request("GET", "/server").body.decode()
        assert "Scraped targets" in page
        assert "127.0.0.1" in page
        assert server.request("GET", "/healthz").status == 200
        server.stop()
    server.settings.clear()
    server.start()
    assert values(server, "up") == {}
    assert values(server, "max_over_time(up{job='shop'}[5m])") == {"shop": "1"}
