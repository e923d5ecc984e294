"""The views of a trace beside its waterfall: flame graph, table of spans, services."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from fake_api import TRACE_ID
from made_up import checkout_trace, in_columns, in_waterfall
from test_accessibility import AXE, IMPACTS, RUN

from spanglass_server.pages.rendering.columns import unpack
from spanglass_server.pages.trace_views import flame, table
from spanglass_server.pages.trace_views.paths import folded

pytestmark = pytest.mark.browser

TRACE = f"/traces/{TRACE_ID}"
COMPARED = f"/traces/compare?a={TRACE_ID}&b={'e' * 32}"
#: Scenarios and paths with markup of their own.
VIEWS = (
    *(("hostile", f"{TRACE}?view={view}") for view in ("flame", "flame&frame=0", "spans", "services")),
    ("hostile", f"{COMPARED}&show=all"),
    ("shop", COMPARED),
    ("shop", f"/traces/compare?a={TRACE_ID}"),
)


def parameters(page):
    """Read the parameters of a page's URL."""
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def drawn(page):
    """Return the place, left end and width of each frame in the page, in tenths of a per cent."""
    return page.evaluate("""() => [...document.querySelectorAll(".fl-f")].map((it) => [
      Number(new URLSearchParams(it.querySelector("a").getAttribute("href").split("?")[1]).get("frame")),
      Math.round(10 * parseFloat(it.getAttribute("x"))), Math.round(10 * parseFloat(it.getAttribute("width")))])""")


def test_views_are_sound(open_page):
    """Hostile telemetry is text in each view, nothing runs sideways on a phone, and axe finds nothing."""
    for scenario, view in VIEWS:
        page = open_page(scenario, view, width=390, scheme="dark")
        assert page.evaluate("window.pwned") is None
        assert page.locator("main img, a[href^='javascript']").count() == 0
        assert scenario != "hostile" or page.locator("main").inner_text().count("onerror=") > 1
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
        page.evaluate(AXE)
        assert page.evaluate(RUN, IMPACTS) == [], view
        open_page.close(page)


def test_a_flame_graph_is_looked_at_from_near(open_page):
    """A frame that is chosen takes the whole width, and its figures stand beside it; Escape goes one further out."""
    page = open_page("shop", f"{TRACE}?view=flame")
    page.locator(".fl-f a[aria-label^='pricing.total_for']").click()
    assert drawn(page)[3][1:] == [0, 1000]
    assert page.locator("#frame h2.title").inner_text() == "pricing.total_for"
    assert "frame" in parameters(page)
    page.locator(".fl-f a[aria-label^='SELECT price']").focus()
    page.keyboard.press("Enter")
    assert page.locator("#frame dd").nth(2).inner_text() == "18"
    page.keyboard.press("Escape")
    assert page.locator("#frame h2.title").inner_text() == "pricing.total_for"
    page.keyboard.press("f")
    page.keyboard.type("select")
    assert page.locator("#tools output").inner_text() == "62.9\u202f%"  # 16 + 34 + 18 * 65 of 1 940 ms
    page.locator("#frame a").click()
    page.wait_for_selector("#wf")
    assert page.locator("#detail h2.title").inner_text() == "pricing.total_for"


@pytest.mark.parametrize("place", ["", "&frame=3"])
def test_script_and_server_draw_the_same_flames(open_page, place):
    """Without script the server's frames stand where the script's do; narrower ones only the script draws."""
    scripted = drawn(open_page("shop", f"{TRACE}?view=flame{place}"))
    served = drawn(open_page("shop", f"{TRACE}?view=flame{place}", script=False))
    assert len(served) > 5
    assert [frame for frame in scripted if frame[0] in {at for at, _, _ in served}] == served


def test_the_table_sorts_and_finds(open_page):
    """Columns sort without asking the server, both ways, and find narrows; the server reads both off the URL."""
    page = open_page("shop", f"{TRACE}?view=spans")
    page.locator("#spans th a", has_text="Duration").click()
    assert page.locator("#spans td.w a").first.inner_text() == "POST /checkout"
    page.locator("#spans th a", has_text="Duration").click()
    assert page.locator("#spans td.w a").first.inner_text() == "GET session:*"
    assert parameters(page) == {"view": "spans", "sort": "duration", "order": "asc"}
    page.keyboard.press("f")
    page.keyboard.type("cart")
    page.locator("#table-count", has_text="3 spans").wait_for()
    names = page.locator("#spans td.w a").all_inner_texts()
    again = open_page("shop", f"{page.url.removeprefix(page.served.url)}", script=False)
    assert again.locator("#spans td.w a").all_inner_texts() == names
    again.locator("#spans td.w a").first.click()
    assert parameters(again)["span"]
    assert again.locator("#detail h2.title").inner_text().startswith(names[0])


def test_only_rows_near_the_window_are_in_the_page(open_page):
    """The table is as high as all its rows, and holds some of them, down to the last."""
    page = open_page("shop", f"{TRACE}?view=spans&sort=self", height=150)
    assert page.locator("#spans tr[aria-rowindex='39']").count() == 0
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.locator("#spans tr[aria-rowindex='39']").wait_for()
    assert page.locator("#spans tr[aria-rowindex='2']").count() == 0


@pytest.mark.parametrize("script", [True, False])
def test_a_span_says_what_it_means(open_page, script):
    """A statement, a message, a call of a model, links both ways: as sections of their own, whoever draws them."""
    seen = {}
    for place in (2, 3, 4):
        page = open_page("talk", f"{TRACE}?span={place:016x}", script=script)
        sections = page.locator("#detail .sec")
        sections.nth(2).wait_for()
        seen |= {text.split("\n")[0]: text for text in sections.all_inner_texts()}
    assert "postgresql · shop · 20 rows" in seen["Statement"]
    assert "\nLEFT JOIN order_line o ON o.sku = p.sku\n  AND o.at > $1\nWHERE" in seen["Statement"]
    assert "send answers" in seen["Message"]
    assert "m-17" in seen["Message"]
    assert "gpt-5-2026 asked for gpt-5" in seen["Model"]
    assert "0.0032\nUSD" in seen["Model"].replace(" ", "\n") or "0.0032USD" in seen["Model"]
    assert "assistant\nTea, by far." in seen["Model"]
    assert "bbbbbbbb…" in seen["Links to"]
    assert "process answers" in seen["Linked from"]
    assert page.locator("section.flow", has_text="Linked from").count() == 1


def test_logs_stand_with_their_span(open_page):
    """Log records of the chosen span are in its details, those of no other."""
    page = open_page("shop", f"{TRACE}?span={33:016x}")
    page.locator("#detail .log-r").first.wait_for()
    page.locator("#detail .log-r summary").first.click()
    page.locator("#detail .log-r[open] dl").first.wait_for()
    page.keyboard.press("k")
    page.locator("#detail h2.title", has_text="SELECT price").wait_for()
    page.locator("#detail .log-r").first.wait_for(state="detached")


def test_two_traces_side_by_side(open_page):
    """A sentence says what differs, the list and the table show where; a trace offers others to compare it with."""
    page = open_page("shop", TRACE)
    page.get_by_role("link", name="Compare").click()
    page.locator("h2", has_text="The fastest").wait_for()
    assert "POST /checkout took 1.94\u202fs" in page.locator("main").inner_text()
    page.goto(page.served.url + COMPARED)
    said = page.locator(".hint").inner_text().replace("\u202f", " ")
    assert said == (
        "B takes 1.13 s less: 1.94 s in A, 810 ms in B. The largest difference is SELECT price WHERE sku = ? of "
        "checkout: 1.17 s in A, 6 ms in B, called 18 × and 1 ×."  # noqa: RUF001 - the sign that the page shows
    )
    rows = page.locator("tr.slower, tr.faster, tr.appeared, tr.vanished")
    assert rows.count() == 7
    assert "only in B" in page.locator("tr.appeared").inner_text()
    assert "only in A" in page.locator("tr.vanished").inner_text()
    page.get_by_role("link", name="paths").click()
    assert page.locator(".paths tbody tr").count() == 22
    page.locator("tr.faster", has_text="SELECT price").locator("td a").last.click()
    assert page.locator("#detail h2.title").inner_text() == "SELECT price WHERE sku = ?"


def test_a_side_that_is_wrong_is_named(open_page):
    """What the reader wrote stays in the form, and the page says which side is wrong, and how."""
    page = open_page("shop", "/traces/compare?a=broken&b=x", allow=("Failed to load resource",))
    assert page.get_by_role("alert").inner_text() == "A could not be compared. Expected a value, at character 9."
    assert page.locator(".compare [name=a]").input_value() == "broken"


def test_services_add_up():
    """Operations and services are sums over all paths; the longest span of an operation is that of its paths."""
    trace = unpack(in_columns(checkout_trace(TRACE_ID)))
    paths, left_out = folded(trace)
    operations = table.operations(paths)
    services = table.services(trace, operations)
    assert left_out == 0
    assert sum(one["spans"] for one in operations) == sum(one["spans"] for one in services) == len(trace["spans"])
    assert sum(one["critical_ns"] for one in services) == trace["duration_ns"]
    assert services[0]["service"] == "checkout"
    assert services[0]["share"] == pytest.approx(1.4769 / 1.931, rel=0.02)
    query = next(one for one in operations if one["name"].startswith("SELECT price"))
    assert (query["spans"], query["longest_ns"], query["self_time_ns"]) == (18, 65_000_000, 18 * 65_000_000)


def test_spans_of_a_waterfall_are_those_of_its_columns():
    """What is left out of a waterfall's answer is made again: each span, its times on the critical path, its parent."""
    answer = in_columns(checkout_trace(TRACE_ID))
    of_columns, of_waterfall = (unpack(one)["spans"] for one in (answer, in_waterfall(answer, indexed=False)))
    assert [*of_waterfall] == [*of_columns]
    assert of_waterfall.critical_ns() == [sum(took for _, took in one["critical"]) for one in of_columns]
    assert [one["parent_key"] for one in of_waterfall][:3] == [None, of_columns[0]["key"], of_columns[1]["key"]]
    assert set(of_columns[0]) > {"span_id", "attributes", "critical", "name"}
    for name in set(of_columns[0]) & set(answer["columns"]):  # a span by itself is read otherwise than all at once
        assert [one[name] for one in of_waterfall] == [*of_waterfall.column(name)]


def test_a_large_trace_is_found_by_attributes_that_are_fetched(open_page, serve, monkeypatch):
    """Of a trace that came without them, attributes are asked for when something is looked for, once."""
    api = serve("shop").api
    monkeypatch.setattr(api, "indexes", False)
    page = open_page("shop", TRACE)
    asked = len(api.asked)
    page.keyboard.press("f")
    page.keyboard.type("currency: NOK")
    page.locator(".find output", has_text=re.compile("^1$")).wait_for()
    page.keyboard.press("Enter")
    page.locator("#detail h2.title", has_text="pricing.convert").wait_for()
    page.keyboard.type("x")
    page.locator(".find output", has_text=re.compile("^0$")).wait_for()
    assert [params for _, params in api.asked[asked:] if "format" in params] == [{"format": "attributes"}]


def test_a_frame_that_is_none_is_the_whole_trace():
    """What a URL says that is no place of a path is left alone."""
    assert [flame.chosen([{}, {}], text) for text in ("1", "2", "-1", "x", "")] == [1, -1, -1, -1, -1]
