"""Telling people from the first channel to a silence: a real server, a real sink, a real browser."""

from __future__ import annotations

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import test_alerting_for_real as real

pytestmark = pytest.mark.browser

ROUTES = """group_by: [alertname]
group_wait: 1s
routes:
  - match: ['team="shop"']
    channels: [hook]
"""


@pytest.fixture(scope="module")
def sink():
    """Serve HTTP on the loopback, and give the address and a queue of the bodies that come."""
    bodies = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"taken")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/hook", bodies
        server.shutdown()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Start a server that may connect to the loopback."""
    with real.running(tmp_path_factory.mktemp("notifying"), (*real.SETTINGS, "egress.allow=127.0.0.1")) as found:
        yield found


def opened(page, path, mark="ready"):
    """Open a page and wait for its script."""
    page.goto(page.served.url + path)
    page.wait_for_selector(f"html[data-{mark}]")


def test_a_channel_a_route_an_alert_and_a_silence(server, sink, open_page):
    """The test message arrives; an alert takes the route that "what if" says; a silence made from it hides it."""
    address, bodies = sink
    page = open_page(server, "/channels/new?kind=webhook", allow=("Failed to load resource",))
    page.evaluate("localStorage.setItem('spanglass.name', 'Kim')")
    page.locator("[name='@name']").fill("hook")
    page.locator("[name=url]").fill("127.0.0.1/hook")
    page.locator("#channel .btn.main").click()
    page.wait_for_selector("[name=url][aria-invalid]")
    page.locator("[name=url]").fill(address)
    page.locator("#channel .btn.main").click()
    page.wait_for_url("**/channels/hook")
    page.wait_for_selector("html[data-channels]")
    page.locator("#channel-acts [data-test]").press("Enter")
    page.wait_for_selector("#said >> text=hook took the test message")
    assert bodies.get(timeout=60)

    opened(page, "/routes/edit", "thing")
    page.locator("[name=yaml]").fill(ROUTES.replace("[hook]", "[hok]"))
    page.wait_for_selector("#bad >> text=line 5:")
    page.locator("[name=yaml]").fill(ROUTES)
    page.locator("#thing .btn.main").click()
    page.wait_for_url("**/routes")
    page.locator("[name=labels]").fill("team=shop")
    page.wait_for_selector("#who >> text=1 channel is told")
    assert page.locator(".hit .cond").inner_text() == 'team="shop"'

    labels = {"team": "shop", "service_name": "checkout"}
    raised = server.client.post("/api/monitoring/alerts/", json={"title": "Orders stand still", "labels": labels})
    assert "Orders stand still" in json.dumps(bodies.get(timeout=60))
    alert = raised.raise_for_status().json()["id"]
    path = f"/api/v1/notifications/alerts/{alert}"
    real.until(server.client, path, lambda told: [one["state"] for one in told["deliveries"]] == ["sent"])
    opened(page, f"/alerts/{alert}", "alert")
    assert page.locator("#told .told-table tbody tr").inner_text().split()[:2] == ["Sent", "hook"]
    page.locator("#bell summary").click()
    page.wait_for_selector("#bell-list >> text=Orders stand still")
    page.keyboard.press("Escape")

    page.locator("#alert-acts a", has_text="Silence").click()
    page.wait_for_selector("html[data-silence]")
    page.locator("[name=matchers]").fill('team="shop"')
    page.wait_for_selector("#preview >> text=1 open alert")
    page.locator("[name=comment]").fill("it is known")
    page.keyboard.press("Enter")
    page.wait_for_url("**/silences")
    opened(page, f"/routes?alert={alert}")
    assert "Nobody is told" in page.locator("#who").inner_text()
    opened(page, f"/alerts/{alert}", "alert")
    assert "Silenced by Kim" in page.locator("#told").inner_text()
