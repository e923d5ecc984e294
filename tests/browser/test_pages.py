"""The pages in a real browser, over made-up data and its extremes."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from acting import open_details
from made_up import HOSTILE, MS, NOW_NS, log

from spanglass_server.access.browsers import CONTENT_SECURITY_POLICY
from spanglass_server.pages.rendering import format as fmt

pytestmark = pytest.mark.browser

TRACE = "/traces/4f1c2b77d06e4b9c8a53f0e1b2c6a90e"
PATHS = (
    "/services",
    "/services/checkout",
    "/services/checkout?operation=POST%20%2Forders",
    "/traces",
    "/differences?service=checkout&selected_min=600ms",
    TRACE,
    f"{TRACE}?view=logs",
    "/logs",
    "/issues",
    "/issues/CHECKOUT-12",
    "/releases",
    "/server",
)
REFUSED = ("Failed to load resource",)


#: Notes, for the page after this one, that the waiting line was shown, and over how many rows.
WATCH_WAITING = """() => new MutationObserver(([{ target }]) => {
  if (!target.hidden) sessionStorage.seen = `shown over ${document.querySelectorAll("tbody tr").length} rows`;
}).observe(document.getElementById("wait"), { attributes: true })"""


def query(page):
    """Read the parameters of a page's URL."""
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def fits(page):
    """Whether the page needs no scrolling sideways."""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_pages_open_without_trouble(open_page, path, scheme):
    """No error in the console, no violation of the policy, no request to another host; one heading."""
    page = open_page("shop", path, scheme=scheme)
    assert page.locator("h1").count() == 1


@pytest.mark.parametrize("path", PATHS)
def test_answers_carry_the_policy_and_nothing_inline(serve, path):
    """Every page has the strict policy, and its HTML has no inline script, style or handler."""
    answer = serve("shop").fetch(path)
    html = answer.text
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert re.findall(r"<script(?![^>]* (?:src=|type=\"application/json\"))|<style|\sstyle=|\son[a-z]+=\"", html) == []


@pytest.mark.parametrize("width", [390, 720])
@pytest.mark.parametrize(
    ("scenario", "path"),
    [("shop", path) for path in PATHS]
    + [("hostile", path) for path in PATHS]
    + [("huge", TRACE), ("empty", "/traces")],
)
def test_no_page_scrolls_sideways(open_page, scenario, path, width):
    """On a phone of 390 px, and at 200 % zoom on a laptop, all fits the width."""
    assert fits(open_page(scenario, path, width=width, height=844))


@pytest.mark.parametrize("range_", ["last=15m", "start=2026-11-12T10:15:00Z&end=2026-11-28T22:45:00Z"])
def test_the_bar_fits_at_every_width(open_page, range_):
    """From a phone to a desk the bar takes no more than there is: a long range is cut, and its form stays whole."""
    page = open_page("many", f"/traces?{range_}")
    too_wide = []
    for width in (*range(320, 640, 35), 390, *range(641, 1501, 20)):
        page.set_viewport_size({"width": width, "height": 700})
        if not fits(page):
            too_wide.append(width)
    assert too_wide == []
    page.set_viewport_size({"width": 390, "height": 700})
    page.locator(".range > summary").click()
    box = page.locator(".range > .pop").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert page.locator("#range").bounding_box()["width"] >= 90


def test_a_short_range_is_whole_on_a_desk(open_page):
    """From 1320 pixels on the search in the bar gives way, and the range is told in full."""
    page = open_page("many", "/traces?last=15m")
    label = page.locator(".range > summary span")
    cut = []
    for width in range(1320, 1500, 20):
        page.set_viewport_size({"width": width, "height": 700})
        if label.evaluate("span => span.scrollWidth > span.clientWidth"):
            cut.append(width)
    assert (label.inner_text(), cut) == ("Last 15 minutes", [])


@pytest.mark.parametrize("path", PATHS)
def test_hostile_telemetry_stays_text(open_page, path):
    """Scripts and markup in names, attributes, bodies and stacks are shown, never run."""
    page = open_page("hostile", path)
    for opened in page.locator("details:not(.range)").all():
        opened.evaluate("it => { it.open = true; }")
    assert page.evaluate("window.pwned") is None
    assert page.locator("main img, a[href^='javascript']").count() == 0
    assert page.locator("main").inner_text().count("onerror=") > 0


def test_hostile_completions_stay_text(open_page):
    """Keys and values offered by the filter box are text, too."""
    page = open_page("hostile", "/traces")
    page.locator(".filter input[name=filter]").press_sequentially("img")
    page.locator("#completions [role=option]").first.wait_for()
    assert page.evaluate("window.pwned") is None
    assert HOSTILE[:20] in page.locator("#completions").inner_text()


@pytest.mark.parametrize(("path", "rows"), [("/services", 8), ("/traces", 23), ("/logs", 40), (TRACE, 38)])
def test_pages_read_without_script(open_page, path, rows):
    """With script off, the first result is there."""
    page = open_page("shop", path, script=False)
    assert page.locator("tbody tr, .log > .log-r, .wf-rows .wf-r").count() == rows


def test_completion_by_keyboard(open_page):
    """Typing offers keys with their types; tab takes one; values follow; enter searches; all is in the URL."""
    page = open_page("shop", "/traces")
    page.keyboard.press("f")
    page.keyboard.type("cur")
    page.locator("#completions [role=option]").first.wait_for()
    field = page.locator(".filter input[name=filter]")
    assert field.get_attribute("aria-expanded") == "true"
    assert page.locator("#completions [aria-selected=true]").inner_text().split("\n") == [
        "shop.currency",
        "text",
    ]
    page.keyboard.press("Tab")
    page.keyboard.type("= N")
    page.locator("#completions [role=option] >> text=NOK").wait_for()
    page.keyboard.press("Tab")
    assert field.input_value() == 'shop.currency = "NOK" '
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_url("**filter=**")
    assert query(page) == {"filter": 'shop.currency = "NOK"'}


def test_completion_is_a_combobox(open_page):
    """Arrows move the active option, which the field names; escape closes and keeps the text."""
    page = open_page("shop", "/traces")
    page.keyboard.press("f")
    page.keyboard.type("s")
    page.locator("#opt-1").wait_for()
    page.keyboard.press("ArrowDown")
    field = page.locator(".filter input[name=filter]")
    assert field.get_attribute("aria-activedescendant") == "opt-1"
    page.keyboard.press("Escape")
    assert [field.get_attribute("aria-expanded"), field.input_value()] == ["false", "s"]


def test_a_broken_filter_says_where(open_page):
    """The field is marked and the message says what is wrong at which column and what to do."""
    page = open_page("shop", "/traces?filter=duration%20%3E%20500mz", allow=REFUSED)
    assert page.locator(".filter input[name=filter]").get_attribute("aria-invalid") == "true"
    assert page.locator("#bad").inner_text().startswith("“500mz” at 12: a duration ends in ns, us, ms, s, m or h.")
    assert page.locator(".filter .t-bad").inner_text() == "500mz"


def test_brush_by_mouse_and_by_keyboard(open_page):
    """Dragging on a chart, or arrows with shift and enter, zoom the page to that range."""
    page = open_page("shop", "/traces")
    box = page.locator("svg[data-brush]").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20, steps=3)
    page.mouse.up()
    page.wait_for_url("**start=**")
    page.wait_for_selector("html[data-ready]")
    assert length_s(page) in range(895, 906)
    page.locator("svg[data-brush]").focus()
    for key in ("ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.wait_for_function("before => location.href !== before", arg=page.url)
    assert length_s(page) in range(36, 40)  # three of 72 buckets


def length_s(page):
    """How long the range in a page's URL is, in whole seconds."""
    start, end = (fmt.parse_time_ns(query(page)[name]) for name in ("start", "end"))
    return (end - start) // 10**9


def test_sorting_is_a_link_and_lives_in_the_url(open_page):
    """A heading sorts; the URL says so; the heading shows it."""
    page = open_page("shop", "/traces")
    page.get_by_role("link", name="Duration", exact=True).click()
    page.wait_for_url("**sort=duration**")
    assert page.locator("th[aria-sort]").inner_text() == "Duration"
    assert page.locator("tbody tr").first.locator("td.strong").inner_text().replace("\u202f", "") == "1.94s"


def test_pages_of_a_list_do_not_shift(open_page):
    """The next page keeps the range it began with and shows other traces."""
    page = open_page("many", "/traces?limit=500")
    first = page.locator("tbody tr").first.inner_text()
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**cursor=500**")
    assert {"start", "end", "limit", "cursor"} == set(query(page))
    assert page.locator("tbody tr").count() == 500
    assert page.locator("tbody tr").first.inner_text() != first


def test_facets_filter_and_unfilter(open_page):
    """A value of a facet adds its term to the filter, and takes it away again."""
    page = open_page("shop", "/traces?last=6h")
    page.locator(".facet a.pick", has_text="NOK").click()
    page.wait_for_url("**filter=**")
    assert query(page) == {"last": "6h", "filter": 'shop.currency = "NOK"'}
    page.locator(".facet a.pick[aria-current]", has_text="NOK").click()
    page.wait_for_url("**/traces?last=6h")


def test_several_values_of_a_facet_are_alternatives(open_page):
    """A second value joins the first by ``in``, by keyboard too; ticks follow the filter, in whatever words it is."""
    page = open_page("shop", "/traces?filter=status%3Aerror%20service%3Aweb")
    ticked = page.locator(".facet a.pick[aria-current]")
    assert ticked.all_inner_texts() == ["web", "error"]
    page.locator(".facet a.pick", has_text="cart").first.press("Enter")
    page.wait_for_url("**in**")
    assert query(page) == {"filter": 'status:error service in (web, "cart")'}
    asked = [params for path, params in page.served.api.asked if path == "/api/v1/facets"]
    assert asked[-1]["count"] == "alternatives"


def test_a_picker_and_its_facet_are_one_choice(open_page):
    """What a picker chose is ticked; a second value takes it into the filter."""
    page = open_page("shop", "/traces?service=web&limit=20")
    assert page.locator(".facet a.pick[aria-current]").all_inner_texts() == ["web"]
    page.locator(".facet a.pick", has_text="cart").first.click()
    page.wait_for_url("**filter=**")
    assert query(page) == {"limit": "20", "filter": 'service.name in ("web", "cart")'}


def test_more_values_of_a_facet(open_page):
    """The rest of a facet's values opens by a link, which the URL keeps, and closes again."""
    page = open_page("shop", "/traces")
    page.get_by_role("link", name="3 more values").click()
    page.wait_for_url("**more=http.route**")
    asked = [params for path, params in page.served.api.asked if path == "/api/v1/facets"]
    assert ("http.route", "200") in {(params.get("keys"), params.get("limit")) for params in asked[-2:]}
    page.get_by_role("link", name="Fewer values").click()
    page.wait_for_url(lambda url: "more" not in url)


def test_pickers_choose_a_service(open_page):
    """Choosing a service searches at once, and its operations are offered."""
    page = open_page("shop", "/traces")
    page.locator("select[name=service]").select_option("checkout")
    page.wait_for_url("**service=checkout**")
    assert "pricing.total_for" in page.locator("select[name=operation]").inner_text()


def test_waterfall_by_keyboard(open_page):
    """J and k walk, e goes to the next error, arrows fold; the detail and the URL follow."""
    page = open_page("shop", TRACE)
    title = page.locator("#detail .title")
    assert title.inner_text() == "pricing.convert"
    page.keyboard.press("k")
    assert title.inner_text() == "SELECT price WHERE sku = ?"
    page.keyboard.press("k")
    assert title.inner_text() == "pricing.total_for"
    before = page.locator(".wf-r").count()
    page.keyboard.press("ArrowLeft")
    assert page.locator(".wf-r").count() == before - 2
    page.keyboard.press("ArrowRight")
    assert page.locator(".wf-r").count() == before
    page.keyboard.press("e")
    assert title.inner_text() == "pricing.convert"
    assert query(page) == {"span": f"{33:016x}"}
    assert page.evaluate("document.activeElement.textContent") == "pricing.convert"


def test_repeats_fold_and_unfold(open_page):
    """Eighteen like queries are one row with a count, until it is opened."""
    page = open_page("shop", TRACE)
    assert page.locator(".fold").inner_text() == "18 \u00d7"
    page.locator(".wf-r", has=page.locator(".fold")).locator(".twist").click()
    assert page.locator(".op", has_text="SELECT price").count() == 18


def test_find_in_a_trace(open_page):
    """Find marks the rows, counts the hits, and enter walks them; the URL remembers."""
    page = open_page("shop", TRACE)
    page.keyboard.press("f")
    page.keyboard.type("stock")
    page.locator(".wf-r.hit >> nth=1").wait_for()
    assert page.locator(".wf-r.hit").count() == 2
    page.keyboard.press("Enter")
    assert page.locator("#detail .title").inner_text() == "SELECT stock FOR UPDATE stock_item"
    assert query(page) == {"find": "stock", "span": f"{12:016x}"}


@pytest.mark.parametrize(("text", "names"), [
    ("currency: NOK", ["pricing.convert"]),
    ("no rate for", ["pricing.convert"]),
    (f"{35:016x}", ["POST /charge"]),
    ("/V1/CHARGES", ["POST cards.example"]),
    ("nowhere", []),
])  # fmt: skip
def test_find_looks_into_attributes_messages_ids_and_targets(open_page, text, names):
    """What a span has is found without asking the server, and enter does not wait for the pause after typing."""
    page = open_page("shop", TRACE)
    asked = len(page.served.api.asked)
    page.keyboard.press("f")
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    assert page.locator(".wf-r.hit .op").all_inner_texts() == names
    assert page.locator("#tools output").inner_text() == str(len(names))
    assert [path for path, _ in page.served.api.asked[asked:] if "/spans/" not in path] == []


def test_a_trace_is_asked_for_once(open_page, serve):
    """Head and waterfall are of one answer; of a chosen span only its details are asked, and only the first time."""
    api = serve("shop").api
    asked = len(api.asked)
    page = open_page("shop", TRACE, own=True)
    asked_for = [each for each in api.asked[asked:] if not each[0].endswith("/findings")]  # another question
    of_page = [(path, params) for path, params in asked_for if path.startswith(f"/api/v1{TRACE}")]
    once = [(f"/api/v1{TRACE}", {"format": "waterfall"}), (f"/api/v1{TRACE}/spans/{33:016x}", {})]
    assert of_page == 2 * once, "a first visit loads twice: to learn the reader's time zone"
    asked = len(api.asked)
    for _ in range(2):
        page.locator(".wf-r", has_text="POST /charge").click()
        page.locator("#detail dl", has_text="500").or_(page.locator("#detail dl", has_text="200")).first.wait_for()
        page.locator(".wf-r", has_text="pricing.convert").click()
        page.locator("#detail .exc").wait_for()
    assert [path for path, _ in api.asked[asked:]] == [f"/api/v1{TRACE}/spans/{35:016x}"]


def test_details_that_do_not_come_leave_what_the_row_says(open_page):
    """A span that can't be read shows its name, its figures and why there is no more."""
    page = open_page("shop", TRACE, allow=REFUSED)
    page.route("**/spans/*", lambda route: route.fulfill(status=504, json={"error": {"message": "stopped after 30 s"}}))
    page.locator(".wf-r", has_text="ROLLBACK").click()
    page.locator("#detail .note.err").wait_for()
    assert page.locator("#detail .title").inner_text() == "ROLLBACK"
    assert page.locator("#detail .note.err").inner_text() == "The details could not be read: stopped after 30 s"


def test_an_exception_shows_its_own_frames_first(open_page):
    """Frames of the application stand open or by themselves, library frames are folded into a line."""
    page = open_page("shop", TRACE)
    assert page.locator("#detail .exc h3").inner_text() == "CurrencyNotPriced"
    assert page.locator("#detail .frame.app b").all_inner_texts() == ["convert", "place_order"]
    assert "2 library frames" in page.locator("#detail .frames").inner_text()


def test_ten_thousand_spans_scroll(open_page):
    """Only rows near the window are in the page, the last span can be reached by scrolling and by key."""
    page = open_page("huge", TRACE)
    assert page.locator(".wf-r").count() < 200
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.locator(".wf-r[aria-rowindex='10001']").wait_for()
    assert page.locator(".wf-r").count() < 200
    page.keyboard.press("Home")
    page.locator(".wf-r[aria-rowindex='2'][aria-current]").wait_for()
    page.evaluate("document.querySelector('.wf-r[aria-rowindex=\"30\"]').kept = true")
    page.evaluate("scrollTo(0, 25 * document.querySelector('.wf-r').offsetHeight)")
    page.locator(".wf-r[aria-rowindex='60']").wait_for()
    assert page.evaluate("document.querySelector('.wf-r[aria-rowindex=\"30\"]').kept"), (
        "rows that stay are not made anew"
    )
    for row, drawn in ((60, 40), (31, 9), (0, 2)):  # a few rows above what is drawn are drawn, too
        page.evaluate(
            """(row) => { const { top, height } = document.querySelector(".wf-r").getBoundingClientRect();
              const first = Number(document.querySelector(".wf-r").getAttribute("aria-rowindex")) - 2;
              scrollBy(0, top + (row - first + 0.5) * height); }""",
            row,
        )
        page.locator(f".wf-r[aria-rowindex='{drawn}']").wait_for()
        page.locator(f".wf-r[aria-rowindex='{drawn - 4}']").wait_for(state="detached")
    page.keyboard.press("End")
    page.locator(".wf-r[aria-rowindex='10001'][aria-current]").wait_for()


def test_the_last_rows_of_a_short_waterfall_are_drawn(open_page):
    """A trace of some dozen rows in a low window is drawn to its end: no step of scrolling is too short for that."""
    page = open_page("shop", f"{TRACE}?fold=0", height=150)
    count = int(page.locator("#wf").get_attribute("aria-rowcount"))
    assert page.locator(f".wf-r[aria-rowindex='{count}']").count() == 0
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.locator(f".wf-r[aria-rowindex='{count}']").wait_for()


def test_following_logs_waits_for_the_reader(open_page):
    """New lines come on top; with a line open they wait and are counted; a click lets them in."""
    page = open_page("shop", "/logs?follow=1")
    api = page.served.api
    api.late_logs = [log(900, NOW_NS + MS, "web", "info", "first new line")]
    page.locator(".log-r", has_text="first new line").wait_for()
    open_details(page.locator(".log-r > summary").nth(2))
    api.late_logs = [
        log(901, NOW_NS + 2 * MS, "web", "warn", "second new line"),
        log(902, NOW_NS + 3 * MS, "web", "info", "third new line"),
    ]
    page.get_by_role("button", name="Paused, 2 new").click()
    page.locator(".log-r", has_text="third new line").wait_for()
    assert [text.split()[-3] for text in page.locator(".log-r > summary code").all_inner_texts()[:3]] == [
        "third",
        "second",
        "first",
    ]


def test_following_more_than_fits(open_page):
    """While it is paused lines are counted; then the page has at most 500 rows, with one where lines are missing."""
    page = open_page("shop", "/logs?follow=1")
    api = page.served.api
    page.get_by_role("button", name="Following").wait_for()
    page.get_by_role("button", name="Pause", exact=True).click()
    assert page.locator("#hold").is_hidden()
    assert page.evaluate("document.activeElement.id") == "follow"
    api.late_logs, api.left_out = [log(n, NOW_NS + n, "web", "info", f"line {n}") for n in range(490)], 2010
    page.get_by_role("button", name=re.compile(r"^Paused, 2\D?500 new")).click()
    page.locator("#log > :first-child", has_text="line 489").wait_for()
    assert page.locator(".log-r").count() == 499
    assert re.match(r"2\D?010 lines left out", page.locator(".log-gap").inner_text())
    assert page.locator("#log > :nth-child(490)", has_text="line 0").count() == 1
    assert page.locator(".log-r:nth-child(490) + .log-gap").count() == 1
    page.get_by_role("button", name="Following").click()
    page.get_by_role("button", name="Follow", exact=True).wait_for()


def test_following_loses_nothing_and_stops_when_refused(open_page):
    """What is answered after following was switched off comes when it is on again; a refusal is told, not repeated."""
    page = open_page("shop", "/logs", allow=("401",))
    late, held = log(903, NOW_NS + MS, "web", "info", "a late line"), []

    def answer(route):
        lines = [late] if "after=n-0&" in route.request.url else []
        route.fulfill(json={"logs": lines, "next_cursor": None, "newest_cursor": "n-1", "left_out": 0})

    def refuse(route):
        route.fulfill(status=401, json={"error": {"code": "unauthorized", "message": "no token", "hint": "Send one."}})

    asked = "**/api/v1/logs?*"
    answers = [held.append]
    page.route(asked, lambda route: answers[-1](route))  # noqa: PLW0108 - the last one at that time
    with page.expect_request(asked):
        page.get_by_role("button", name="Follow", exact=True).click()
    page.get_by_role("button", name="Following").click()
    answers.append(answer)
    with page.expect_response(asked):
        answer(held[0])
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.get_by_role("button", name="Follow", exact=True).click()
    page.locator(".log-r", has_text="a late line").wait_for()
    answers.append(refuse)
    assert page.get_by_role("alert").inner_text() == "Following has stopped: no token. Send one."
    assert page.get_by_role("button", name="Follow", exact=True).get_attribute("aria-pressed") == "false"
    assert "follow" not in page.url


def test_log_lines_lead_to_their_trace(open_page):
    """An open line links to its span."""
    page = open_page("shop", "/logs")
    open_details(page.locator(".log-r summary").first)
    page.locator(".log-r[open] .chip", has_text="Trace").click()
    page.wait_for_url(f"**{TRACE}?span={33:016x}")


@pytest.mark.parametrize("path", ["/services", "/traces", "/logs"])
def test_empty_pages_show_the_command_that_fills_them(open_page, path):
    """With no data every list says how to send some to this very server."""
    page = open_page("empty", path)
    first, second = page.locator(".empty pre").all_inner_texts()
    assert first == f"SPANGLASS_ENDPOINT={page.served.url} spanglass run app.py"
    assert f"OTEL_EXPORTER_OTLP_ENDPOINT={page.served.url}" in second


def test_an_empty_page_fills_itself(open_page):
    """The page of an empty server shows the services once there are some, without being asked to."""
    page = open_page("empty", "/services")
    api = page.served.api
    try:
        api.woken, api.first_ns = True, NOW_NS - MS
        page.locator("tbody tr").first.wait_for()
    finally:
        api.woken, api.first_ns = False, None


def test_a_young_server_shows_the_time_that_has_data(open_page):
    """Without a range in the URL the shortest preset that holds all data is taken, and marked among the presets."""
    page = open_page("one", "/services")
    api = page.served.api
    kept, api.first_ns = api.first_ns, NOW_NS - 61_000 * MS
    try:
        page.reload()
        page.wait_for_selector("html[data-ready]")
        assert page.locator("details.range summary").get_attribute("aria-label") == "Time range: Last 5 minutes"
        assert page.locator(".range [aria-current]").text_content() == "5 min"
        assert page.locator(".range input[name=start]").input_value() == "now-5m"
        api.first_ns = NOW_NS - 20_000 * MS
        page.reload()
        page.wait_for_selector("html[data-ready]")
        assert page.locator(".range [aria-current]").text_content() == "1 min"
    finally:
        api.first_ns = kept


@pytest.mark.parametrize("path", ["/services", "/traces", "/logs"])
def test_an_empty_range_of_the_past_leads_to_others(open_page, path):
    """Where the range ended long ago, nothing must be started: the way leads to other ranges."""
    page = open_page("empty", f"{path}?start=2025-01-01T00:00:00Z&end=2025-01-02T00:00:00Z")
    assert page.locator(".empty a.btn").all_inner_texts() == ["Zoom out", "Last hour", "Last 7 days"]
    assert page.locator(".empty pre").count() == 0


def test_services_open_with_what_is_wrong(open_page):
    """The failing service stands first, with its share, since when, and why, one click from the trace that shows it."""
    page = open_page("shop", "/services?last=1h")
    assert page.locator(".now li").count() == 1
    said = page.locator(".now li p").inner_text()
    assert re.fullmatch(
        r"checkout: 12\.0% of requests fail since 12:\d\d, 3\.1% before\. "
        r"The last failure began in pricing\.convert of checkout: CurrencyNotPriced: no rate for 'NOK'",
        said,
    )
    page.locator(".now .btn").click()
    assert page.locator(".wf-r[aria-current] .op").inner_text() == "pricing.convert"


def test_a_young_trace_without_root_is_on_its_way(serve):
    """Exporters send in batches: what is seconds old has no missing root, what is minutes old has."""
    html = serve("rootless").fetch("/traces").text
    assert re.findall(r'<span class="badge(?: warn)?">(arriving|no root)</span>', html) == [
        *["arriving"] * 3,
        "no root",
    ]


@pytest.mark.parametrize(
    ("scenario", "path", "title", "step"),
    [
        ("shop", "/nowhere", "There is no page here.", "Overview"),
        ("shop", "/traces/dead0000000000000000000000000000", "There is nothing here.", "Search traces"),
        ("shop", "/traces/xyz", "There is nothing here.", "Search traces"),
        ("timeout", "/services", "The search ran out of time.", "Last 15 min"),
        ("timeout", TRACE, "The trace could not be read in time.", "Try again"),
    ],
)
def test_errors_say_what_to_do_next(open_page, scenario, path, title, step):
    """An error page has a title, what happened, and a link that helps."""
    page = open_page(scenario, path, allow=REFUSED)
    assert page.locator("h1").inner_text() == title
    assert page.locator("main a.btn").first.inner_text() == step


def test_a_timeout_keeps_the_search(open_page):
    """When a search runs out of time, the filter stays and a shorter range is one click away."""
    page = open_page("timeout", "/traces?filter=a%20%3D%201", allow=REFUSED)
    assert page.locator(".filter input[name=filter]").input_value() == "a = 1"
    assert page.get_by_role("link", name="Last 15 min").get_attribute("href") == "/traces?filter=a%20%3D%201&last=15m"


def test_the_waiting_line_shows_while_the_old_answer_stays(open_page):
    """A slow answer is announced above the old page."""
    page = open_page("slow", "/services")
    page.evaluate(WATCH_WAITING)
    page.get_by_role("link", name="p99").click()
    page.wait_for_url("**sort=p99**")
    assert page.evaluate("sessionStorage.seen") == "shown over 8 rows"


def test_the_theme_is_kept(open_page):
    """The switch overrides the system, and the next page has it before its first paint."""
    page = open_page("shop", "/services", scheme="light")
    for _ in range(2):
        page.locator("#theme-switch").click()
    page.goto(page.served.url + "/logs")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    assert page.locator("#theme-switch").get_attribute("aria-label") == "Theme: dark"


def test_times_are_the_readers(open_page):
    """The browser's zone reaches the server by a cookie, and what the reader writes is turned into UTC for the URL."""
    page = open_page("shop", "/traces", own=True)
    assert page.evaluate("document.documentElement.dataset.zone") == "Europe/Berlin"
    assert page.locator("tbody time").first.inner_text() == "13:00:00.123"
    open_details(page.locator("details.range summary"))
    page.locator("input[name=start]").fill("12:15")
    page.locator("input[name=end]").fill("2025-11-21 12:45")
    page.get_by_role("button", name="Apply").first.click()
    page.wait_for_url("**/traces?start=**")
    assert query(page) == {"start": "2025-11-21T11:15:00Z", "end": "2025-11-21T11:45:00Z"}


def test_script_and_server_write_the_same(open_page):
    """Durations and counts read the same, whether the server or the browser wrote them."""
    page = open_page("shop", "/services")
    durations = [
        0,
        7,
        999,
        1500,
        999_600,
        5_100_000,
        88_040_000,
        1_940_000_000,
        59_990_000_000,
        65 * 10**9,
        120 * 10**9,
        36 * 10**11,
        54 * 10**11,
    ]
    module = page.locator("script[type=module]").get_attribute("src").replace("main.js", "time.js")
    write = "async ([module, all]) => { const t = await import(module); return "
    write += "all.map((v) => [t.durationText(v), t.grouped(v), t.percent(v)]); }"
    shares = [0, 0.0004, 0.082, 0.9996, 0.99987, 1]
    found = page.evaluate(write, [module, [*durations, *shares]])
    assert found == [
        [fmt.duration_text(value), fmt.grouped(round(value)), fmt.THIN.join(fmt.percent_parts(value))]
        for value in [*durations, *shares]
    ]


def test_jump_finds_traces_services_and_text(open_page):
    """The box on every page opens an id's trace, a service, or a search."""
    for text, url in (
        ("4F1C2B77D06E4B9C8A53F0E1B2C6A90E", TRACE),
        ("checkout", "/services/checkout"),
        ("lost order", "/traces?filter=%22lost%20order%22"),
    ):
        page = open_page("shop", "/logs")
        page.keyboard.press("/")
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        page.wait_for_url(page.served.url + url)


def test_rows_are_walked_by_keyboard(open_page):
    """J and k move the focus among rows, enter opens one; the list of keys is a question mark away."""
    page = open_page("shop", "/services")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == "checkout"
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    page.locator("tbody a", has_text="checkout").first.press("Enter")
    page.wait_for_url("**/services/checkout")
