"""From the overview to the cause of each fault of the demo shop: counted clicks, in a real Chromium, on a real server.

Each fault has minutes of its own. What they hold is stored and looked at for findings before the server starts.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from made_up_faults import LENGTH_S, SECOND, WELL_S, Told, minutes, requests

from loadgen.server import ServerProcess
from spanglass_server.findings.agenda import MINUTE_NS
from spanglass_server.findings.looker import Looker
from spanglass_server.findings.store.store import FILE_NAME, FindingStore
from spanglass_server.pace import Pace
from spanglass_server.process.storage_node import StorageNode
from spanglass_server.receive.otlp_json.reading import otlp_json_to_protobuf
from spanglass_server.self_metrics.registry import Telemetry
from spanglass_server.settings.settings import load
from spanglass_server.signals import Signal

sys.path.append(str(Path(__file__).parents[2] / "demo"))

from shop.faults import FAULTS  # found on the path that the line above sets

pytestmark = pytest.mark.browser

MOST_CLICKS = 3
ISSUES = 8  # of all faults
MOST_STEPS = 50  # of the background's work; seven do it
APART_S = 600  # between the beginnings of two faults
PATIENCE_S = 60  # only a failure waits so long
#: The links that a reader follows from the overview, by how they begin (patterns); then the first element of the last
#: page that matches, and what it names.
WAYS = {
    "payment_failure": (["Latest trace"], ".hint", ["POST /charges of payment", "ProviderTimeout: no answer"]),
    "product_failure": (["ValueError: weight"], "section:has(> header > h2:text('What sets these'))",
                        ["shop.product.id p-13", "100%"]),
    "slow_query": (["Slow query"], "main code", ["reviews NOT INDEXED"]),
    "n_plus_one": ([r"N\+1 queries"], "main", ["20 statements of one form", "WHERE p.id = ?"]),
    "memory_leak": (["shop-1", "web"], "main", ["web 6400", "Memory 110 MiB"]),
    "queue_lag": (["fulfilment", "process orders"], "main", ["process orders", "5s"]),
    "payment_down": (["Latest trace"], ".hint", ["127.0.0.1:8083", "ConnectError: All connection attempts failed"]),
    "log_errors": (["json.decoder.JSONDecodeError"], "main h1", ["JSONDecodeError", "Expecting value"]),
    "lock_contention": (["Waiting for a lock or pool"], "main", ["wait for the price lock"]),
    "sequential_calls": (["Calls one after the other"], "main", ["GET /api/products/{product_id}", "/reviews"]),
    "slow_external": (["Slow external call"], "main", ["a host that sends no spans", "GET fraud.example/scores"]),
    "tenant_release": (["checkout", "What is different"], "#differences", ["shop.pricing.release", "2.0", "shop.tenant",
                                                                           "acme"]),
    "retry_storm": ([r"All (\d+|findings)$", "Retries"], "main", ["is made 4 times", "POST 127.0.0.1:8081/charges"]),
}  # fmt: skip


def store(folder, bodies, now_ns):
    """Store requests in a data directory, and look at them for findings as the server does in the background."""
    settings = load(overrides={"data.dir": str(folder), "storage.min_free_disk_bytes": "0"})
    node = StorageNode(settings, Telemetry(), lambda: now_ns)
    try:
        for name, body in bodies:
            signal = Signal(name)
            asyncio.run(node.ingest.submit(signal, otlp_json_to_protobuf(signal, body)))
        findings = FindingStore(Path(folder) / FILE_NAME)
        looker = Looker(findings, node.engine.run_here,
                        lambda: node.store.contents.snapshot.arrived[Signal.SPANS].time_ns, lambda: now_ns,
                        Pace(lambda: 0.0, lambda: 0.0))  # fmt: skip
        looker.step()
        for _ in range(MOST_STEPS):
            if not (looker.has_news() or looker.is_past_due()):
                break
            looker.step()
        else:
            pytest.fail(f"{MOST_STEPS} steps of the background's work were not enough")
        findings.close()
    finally:
        node.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Start a server over the minutes of all faults; gives its address and where each fault begins, in Unix ns."""
    folder = tmp_path_factory.mktemp("clicks") / "data"
    now_ns = time.time_ns()
    first_ns = (now_ns // MINUTE_NS) * MINUTE_NS - (len(FAULTS) + 1) * APART_S * SECOND
    starts = {fault.name: first_ns + place * APART_S * SECOND for place, fault in enumerate(FAULTS)}
    told = Told()
    for name, start_ns in starts.items():
        minutes(told, start_ns, name)
    store(folder, requests(told).items(), now_ns)
    with (
        ServerProcess(folder, {"alerting.shipped": "false"}) as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE_S) as client,
    ):
        until = time.monotonic() + PATIENCE_S  # issues of what is stored are told apart in the background
        while len(client.get("/api/v1/issues", params={"start": 0}).json()["issues"]) < ISSUES:
            assert time.monotonic() < until, "the issues do not come"
            time.sleep(0.05)
        yield SimpleNamespace(url=server.url, starts=starts, client=client)


def ask(shop, name, *, broken):
    """Ask for what the demo's own filter finds while a fault is on, or before."""
    fault = next(fault for fault in FAULTS if fault.name == name)
    start_ns, signal = shop.starts[name], fault.page.removeprefix("/")
    switched_ns, end_ns = start_ns + WELL_S * SECOND, start_ns + LENGTH_S * SECOND
    window = {"start": switched_ns, "end": end_ns} if broken else {"start": start_ns, "end": switched_ns}
    answer = shop.client.get(f"/api/v1{fault.page}", params={**window, "filter": fault.filter_text, "limit": 1})
    return answer.raise_for_status().json()[signal]


def test_the_minutes_are_what_the_demo_says(shop):
    """Each fault's filter finds something after the switch, and nothing before it, as the demo's page promises."""
    for fault in FAULTS:
        if fault.filter_text:
            assert not ask(shop, fault.name, broken=False), fault.name
            assert ask(shop, fault.name, broken=True), fault.name


def test_each_cause_is_three_clicks_away(shop, browser):
    """From the overview of its minutes at most three links lead to a page that names the cause of each fault.

    Without script, so that nothing but links is used.
    """
    assert set(WAYS) == {fault.name for fault in FAULTS}
    context = browser.new_context(viewport={"width": 1440, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_S * 1000)
    for name, (links, place, texts) in WAYS.items():
        start_ns = shop.starts[name]
        page.goto(f"{shop.url}/?start={start_ns}&end={start_ns + LENGTH_S * SECOND}")
        assert len(links) <= MOST_CLICKS
        for link in links:
            with page.expect_navigation(wait_until="domcontentloaded"):
                page.locator("main").get_by_role("link", name=re.compile(f"^{link}")).first.click()
        found = " ".join(page.locator(place).first.inner_text().split())
        assert [text for text in texts if text not in found] == [], (name, page.url, found[:500])
    context.close()
