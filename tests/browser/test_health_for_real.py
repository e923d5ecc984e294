"""A check from its first letter to an outage and the recovery: a real server, a real target, a real browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import httpx
import pytest

pytestmark = pytest.mark.browser

_PATIENCE_MS = 60_000  # only a failure waits so long
SETTINGS = ("egress.allow=127.0.0.1", "health.check_interval=1s", "health.status_page=true",
            "health.status_page_title=Shop & Co", "alerting.enabled=false")  # fmt: skip


class Target(BaseHTTPRequestHandler):
    """What is looked at: well until it is told to be not."""

    status = 200

    def do_GET(self):
        """Answer with the status that it has now."""
        body = b"orders: up" if type(self).status == 200 else b"orders: down"
        self.send_response(type(self).status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def target():
    """Listen on a free port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Target) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/health"
        server.shutdown()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Start a server whose checks run each second, and give its address."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith("SPANGLASS_")}
    words = [sys.executable, "-m", "spanglass.cli.main", "serve", "--data", "data", "--port", "0", "--grpc-port", "0"]
    for setting in SETTINGS:
        words += ["--set", setting]
    folder = tmp_path_factory.mktemp("health")
    with subprocess.Popen(words, cwd=folder, env=environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = iter(process.stderr.readline, "")
            url = next(found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
            with httpx.Client(base_url=url, trust_env=False, timeout=120) as client:
                yield SimpleNamespace(url=url, client=client)
        finally:
            process.terminate()
            process.wait(180)


def shows(page, path, words, place="main"):
    """Open a page again and again until a place of it has some words; the text of it all."""
    end = time.monotonic() + _PATIENCE_MS / 1000
    while True:
        page.goto(path)
        text = page.inner_text("main")
        if all(word in page.locator(place).first.inner_text() for word in words):
            return text
        assert time.monotonic() < end, (words, text)
        time.sleep(0.3)


def tried_out(page):
    """Try the check of the form until it is well: on a busy machine an answer may come too late."""
    end = time.monotonic() + _PATIENCE_MS / 1000
    while True:
        page.locator("#try").click()
        page.locator("#try:enabled").wait_for()
        if page.locator("#tried.ok").is_visible():
            return
        assert time.monotonic() < end, page.locator("#tried").inner_text()


def test_a_check_is_made_fails_and_recovers(server, target, open_page):
    """The form tries and keeps it; its outage is seen in health, on its page, on the status page; and so is its end."""
    page = open_page(server, "/health/checks/new", allow=("Failed to load resource",))
    page.evaluate("localStorage.setItem('spanglass.name', 'Kim')")
    page.locator("[name=name]").fill("Shop")
    page.locator("[name='http.url']").fill("shop")
    page.locator("button", has_text="Create").click()
    page.wait_for_selector("[name='http.url'][aria-invalid]")
    page.locator("[name='http.url']").fill(target)
    page.locator("[name='http.contains']").fill("orders: up")
    tried_out(page)
    page.locator("summary", has_text="More").last.click()
    page.locator("[name=public]").check()
    page.locator("button", has_text="Create").click()
    page.wait_for_url("**/health/checks/shop")
    shows(page, f"{server.url}/health/checks/shop", ["Healthy", "HTTP", target, "As YAML"])

    Target.status = 503
    text = shows(page, f"{server.url}/health/checks/shop", ["Unhealthy", "503", "still down"])
    assert "Latest runs" in text
    assert "Shop unhealthy" in " ".join(shows(page, f"{server.url}/health", ["Unhealthy", "of 100", "costs"]).split())
    anybody = httpx.get(f"{server.url}/status/api-shop/badge.svg", trust_env=False, timeout=120)
    assert "Shop: down" in anybody.text
    shows(page, f"{server.url}/status", ["Shop & Co", "Some of it is down", "still down"])

    Target.status = 200
    shows(page, f"{server.url}/health/checks/shop", ["Healthy"], ".head")
    assert page.locator("h2", has_text="Outages").count() == 1
    row = "tbody tr:has(a[href='/health/checks/shop'])"
    shows(page, f"{server.url}/health?view=changes", ["Healthy"], row)
    mine = page.locator(f"{row} .badge").all_inner_texts()
    assert mine == ["Healthy", "Unhealthy", "Healthy"]
    page.goto(f"{server.url}/health/checks/shop")
    page.locator("#run").click()
    page.wait_for_selector("#said >> text=It is healthy", timeout=_PATIENCE_MS)
    page.locator("#enable").click()
    page.wait_for_selector("#enable >> text=Switch on", timeout=_PATIENCE_MS)
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("#delete").click()
    page.wait_for_url("**/health?view=checks")
    assert page.locator("tbody tr", has_text="Shop").count() == 0
