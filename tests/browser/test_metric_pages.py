"""The pages of metrics, hosts and the overview in Chromium, over stored points with the whole API between."""

from __future__ import annotations

import importlib.util
import socket
import threading
import time
from pathlib import Path

import pytest
import uvicorn
from in_process import application
from metric_tables import CUMULATIVE, SECOND, T0, counter, gauge, histogram, point
from test_accessibility import AXE, IMPACTS, OPEN_ALL, RUN

from spanglass_server.pages.metrics.explore import EXAMPLES

pytestmark = pytest.mark.browser

NOW_NS = (T0 + 600) * SECOND
TRACE = "4f1c2b77d06e4b9c8a53f0e1b2c6a90e"
#: A page of each kind, and states with markup of their own.
PAGES = (
    *("/", "/metrics", "/metrics/shop.duration", "/metrics/shop.orders?by=shop.currency", "/metrics/nothing"),
    *("/metrics/explore", "/metrics/explore?query=shop_orders_total"),
    *("/hosts", "/hosts/db", "/processes", "/processes/db/7"),
)


def made_up():
    """Make ten minutes of a counter, a histogram with exemplars, a host with a full disk, and requests."""
    at = {"resource.host.name:str": "db"}
    rows, process = [], {**at, "resource.process.pid:int": 7}
    disk = {"metric_name": "system.filesystem.usage", "temporality": CUMULATIVE, "is_monotonic": False, **at}
    for t in range(0, 600, 30):
        for currency, rate in (("EUR", 2), ("<b>NOK</b>", 1)):
            rows.append(counter(t, t * rate, metric_name="shop.orders", **{"point.shop.currency:str": currency}))
        dots = {"exemplar_time_ns": [(T0 + t) * SECOND], "exemplar_value_double": [1.5], "exemplar_value_int": [None],
                "exemplar_trace_id": [bytes.fromhex(TRACE)], "exemplar_span_id": [b"\x01" * 8]}  # fmt: skip
        rows.append(histogram(t, [t, t, t // 4, 0], 2.0 * t, metric_name="shop.duration", metric_unit="s", **dots))
        rows += [
            counter(t, t, metric_name="system.cpu.time", **at, **{"point.cpu.mode:str": m}) for m in ("user", "idle")
        ]
        for state, size in (("used", 98), ("free", 2)):
            rows.append(point("sum", t, value_int=size << 30, **disk, **{"point.system.filesystem.state:str": state}))
        rows.append(gauge(t, 1e8, metric_name="process.memory.usage", **process))
    spans = [
        {"trace_id": t.to_bytes(16), "span_id": t.to_bytes(8), "name": "GET /", "kind": 2,
         "start_time_ns": (T0 + t) * SECOND, "duration_ns": 10**8, "status_code": 0, "resource.service.name:str": "web"}
        for t in range(1, 600, 5)
    ]  # fmt: skip
    return {"metrics": rows, "spans": spans}


@pytest.fixture(scope="module")
def session():
    """Open a session over the made-up records."""
    path = Path(__file__).parents[1] / "backend/conftest.py"
    spec = importlib.util.spec_from_file_location("table_session", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    opened = module.TableSession(**made_up())
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def url(session):
    """Serve the pages over them on a free port, and return the address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(application(session, NOW_NS), log_level="warning", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(120)


@pytest.fixture
def page(browser, url):
    """Open a window of a desk; nothing may go wrong unseen."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=url, timezone_id="Europe/Berlin")
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    troubles = []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    yield opened
    context.close()
    assert [text for text in troubles if "404" not in text] == []  # the page of a metric that is not there


def show(page, path):
    """Open a page, ready with its charts."""
    page.goto(path)
    page.wait_for_selector("html[data-ready]")


def test_a_metric_is_explored(page):
    """Found by a part of its name, drawn at once, grouped, its exemplar opens a trace, its expression goes on."""
    show(page, "/metrics?last=10m")
    page.keyboard.press("f")
    page.keyboard.type("DURATION")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="shop.duration").click()
    page.wait_for_selector("html[data-ready] .c-plot canvas")
    assert page.locator(".c-plot canvas").count() == 2  # lines and distribution
    assert f"/traces/{TRACE}" in page.locator(".c-exs a").first.get_attribute("href")
    show(page, "/metrics/shop.orders?last=10m")
    page.get_by_label("By").fill("shop.currency")
    page.get_by_label("By").press("Enter")
    page.wait_for_selector("html[data-ready] .c-legend")
    assert page.locator(".c-legend li").all_inner_texts()[0].split("\n")[0] == "EUR"
    assert page.locator(".series td").first.inner_text() == "EUR"
    page.get_by_role("link", name="Edit").click()
    page.wait_for_selector("html[data-ready] .c-plot canvas")
    box = page.get_by_label("Expression", exact=True)
    assert box.input_value() == "sum by (shop_currency) (rate(shop_orders_total[5m]))"


def test_the_overview_goes_on_and_leaves_the_focus(page, session):
    """New records show without a reload: focus, scroll and paused charts stay; paused it stands still."""
    page.clock.install()
    show(page, "/?last=10m")
    assert "disk" in page.locator(".now").inner_text()
    link = page.locator("table a", has_text="web").first
    link.focus()
    page.evaluate("document.activeElement.mine = 'kept'")
    session.execute("UPDATE stored_spans SET status_code = 2")
    page.clock.run_for(11_000)
    page.locator(".now", has_text="of requests fail").wait_for()
    assert page.evaluate("document.activeElement.mine") == "kept"
    assert page.evaluate("document.activeElement.innerText") == "web"
    page.get_by_role("button", name="Live").click()
    session.execute("UPDATE stored_spans SET status_code = 0")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(30_000)
    assert [url for url in asked if "/notifications/bell" not in url] == [], "only the bell goes on"


def test_axe_and_narrow_windows_have_nothing_to_say(page):
    """Every page is accessible, and does not scroll sideways on a phone, in the dark."""
    page.emulate_media(color_scheme="dark")
    for path in PAGES:
        page.set_viewport_size({"width": 1440, "height": 900})
        show(page, f"{path}{'&' if '?' in path else '?'}last=10m")
        page.evaluate(OPEN_ALL)
        page.evaluate(AXE)
        assert page.evaluate(RUN, IMPACTS) == [], path
        page.set_viewport_size({"width": 390, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_a_chart_not_yet_drawn_anew_does_not_widen_the_page(page):
    """A window made narrower never scrolls sideways, also before its charts have followed."""
    page.add_init_script("window.ResizeObserver = class { observe() {} unobserve() {} disconnect() {} }")
    show(page, "/hosts/db?last=10m")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("width", [390, 1440])
def test_examples_of_promql_are_whole(page, width):
    """Each is a link that can be read and clicked, with all of its expression below it."""
    page.set_viewport_size({"width": width, "height": 844})
    show(page, "/metrics/explore")
    lines = page.locator(".empty .list a, .empty .list .mono").evaluate_all(
        """all => all.map((one) => {
          const around = one.closest("p");
          return [one.textContent, one.offsetWidth > 40 && around.scrollWidth <= around.clientWidth];
        })"""
    )
    assert [text for text, _ in lines] == [text for example in EXAMPLES for text in example]
    assert [text for text, is_whole in lines if not is_whole] == []


def test_the_box_for_stacks_has_an_example_of_stacks(page):
    """Stacks are kept as log records, and have no severity."""
    show(page, "/profiles")
    box = page.locator(".filter input[name=filter]")
    assert box.get_attribute("placeholder") == 'Filter stacks: service.name = "checkout"'
