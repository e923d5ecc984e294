"""Spans that have not ended, and estimates, on the pages in a real browser."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

TRACE = "/traces/4f1c2b77d06e4b9c8a53f0e1b2c6a90e"


@pytest.fixture
def api(serve):
    """Yield the API behind the pages, with its spans open; a test may end them."""
    served = serve("open").api
    served.open, served.lost_root = True, False
    yield served
    served.open, served.lost_root = True, False


def texts(page, selector):
    """Return the texts of all elements that are shown, in one line each."""
    return [" ".join(text.split()) for text in page.locator(selector).all_inner_texts() if text]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_what_runs_stands_above_the_results(open_page, api, script):  # noqa: ARG001 - its spans are open
    """The panel counts what is open, shows how long each runs, the first at once; their own calls are not listed."""
    hour = 12 if script else 11  # without script times are in UTC
    page = open_page("open", "/traces", script=script)
    assert texts(page, "#open h2, #open header .note") == ["Running now", "6 running, 2 lost with their processes"]
    rows = texts(page, "#open tr[data-open]")
    assert [row.split(" running ")[0] for row in rows] == [
        f"POST /checkout storefront {hour}:59:45",
        f"GET /export storefront {hour}:59:57",
        f"mailer.send_all checkout {hour}:59:17",
    ]  # fmt: skip
    page.locator("#open summary").click()  # all rows are in the page, also without script
    assert texts(page, "#open tr[data-open]")[-2:] == [
        f"GET /export catalog {hour}:43:17 lost, last heard {hour}:59:05",
        f"nightly mailer {hour}:35:57 lost, last heard {hour}:59:05",
    ]  # fmt: skip
    assert page.locator("table.stack tbody tr").first.locator(".badge.run").inner_text() == "running"
    page.locator("#open a").first.click()
    page.wait_for_url("**/traces/4f1c*")
    assert page.locator("h1").inner_text() == "POST /checkout"


def test_the_panel_is_of_the_chosen_service(open_page, api):
    """It asks for the service that the page shows, and a page later in the list does without it."""
    page = open_page("open", "/traces?service=payments")
    assert [row.split()[0] for row in texts(page, "#open tr[data-open]")] == ["GET", "charge"]
    assert open_page("open", "/traces?cursor=20").locator("#open").count() == 0
    assert open_page("shop", "/traces").locator("#open").count() == 0
    assert ("/api/v1/running", "payments") in [(path, params.get("service")) for path, params in api.asked]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_running_trace(open_page, api, script):  # noqa: ARG001 - its spans are open
    """The waterfall says what runs and what was lost, in words and in its bars; nothing is said to be missing."""
    page = open_page("open", TRACE, script=script)
    assert texts(page, ".sub .badge") == ["3 running", "1 lost"]
    assert page.locator(".hint.warn").count() == 1, "only where the time goes"
    shown = [text.split(" ")[0] for text in texts(page, ".wf-r .badge")]
    assert shown == ["running", "running", "lost", "running"]
    assert page.locator(".wf-t text").all_text_contents() == [f"lost, last heard {12 if script else 11}:59:19"]
    assert (page.locator(".wf-o").count(), page.locator(".wf-l").count()) == (3, 1)
    assert page.locator(".detail .fig dt").first.inner_text() == "So far"


def test_words_of_a_lost_span_find_a_place(open_page, api):
    """Beside a bar that leaves no room on either side there are none; they stand beside the name then."""
    api.lost_root = True
    page = open_page("open", TRACE)
    said = "lost, last heard 12:59:59"
    assert texts(page, ".wf-r .badge")[0] == said
    assert said not in page.locator(".wf-t text").all_text_contents()
    assert said in texts(page, "#detail .badge")


def test_running_spans_count_on(open_page, api):  # noqa: ARG001 - its spans are open
    """The seconds go on while the page is open."""
    page = open_page("open", TRACE)
    badge = page.locator(".wf-r .badge.run").first
    seen = badge.inner_text()
    page.wait_for_function("([seen]) => document.querySelector('.wf-r .badge.run').textContent !== seen", arg=[seen])
    assert badge.inner_text().startswith("running ")


def test_what_ends_while_the_page_is_open(open_page, api):
    """Rows stay where they are and say that their span has ended; a trace says that it has gone on, and shows it."""
    traces, trace = open_page("open", "/traces"), open_page("open", TRACE)
    api.open = False
    traces.locator("#open tr[data-open] .badge", has_text="ended").first.wait_for()
    assert {text.rsplit(" ", 1)[1] for text in texts(traces, "#open tr[data-open]")} == {"ended"}
    trace.locator("#later").wait_for()
    assert texts(trace, "#later") == ["This trace has gone on: 33 new, 3 no longer running. Show"]
    assert texts(trace, ".wf-r .badge")[0].startswith("running"), "nothing moves by itself"
    trace.locator("#later a").click()
    trace.wait_for_selector("html[data-ready]")
    assert trace.locator(".badge.run").count() == 0


def test_nothing_moves_for_those_who_want_it_still(open_page, api):  # noqa: ARG001 - its spans are open
    """The open end of a bar fades in and out, but not where motion is reduced."""
    page = open_page("open", TRACE)
    name = "getComputedStyle(document.querySelector('.wf-o')).animationName"
    assert page.evaluate(name) == "open"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(name) == "none"


@pytest.mark.parametrize("path", ["/traces", TRACE, "/services", "/services/checkout"])
@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_scrolls_sideways(open_page, api, path, width):  # noqa: ARG001 - its spans are open
    """Badges and notes fit on a phone as well."""
    page = open_page("open", path, width=width)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_estimates_say_so(open_page, api):  # noqa: ARG001 - a sampler keeps one in ten
    """Figures that are scaled up have a sign with an explanation; exact ones have none."""
    page = open_page("open", "/services")
    assert [text.startswith("~") for text in texts(page, "tbody td:nth-child(2) b")] == [
        *[True] * 2,
        False,
        *[True] * 5,
    ]
    explained = "Estimated from 10.0\u202f% of the spans: a sampler kept only those."
    assert page.locator("abbr").first.get_attribute("title") == explained
    assert "estimated, a sampler keeps a part" in page.locator(".sub").inner_text()
    service = open_page("open", "/services/checkout")
    assert "estimated from 10.0\u202f% of requests" in service.locator(".figs").inner_text()
    assert "estimated from 10.0\u202f% of them" in open_page("open", "/traces").locator(".sec .note").first.inner_text()
    assert open_page("shop", "/services").locator("abbr").count() == 0
