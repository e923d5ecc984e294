"""The pages of performance findings over made-up ones: read, dismissed, opened again, whatever is in them."""

from __future__ import annotations

import pytest
from made_up_findings import TRACE_ID

pytestmark = pytest.mark.browser

NAME = "localStorage.setItem('spanglass.name', 'Kim')"


def test_from_a_service_to_the_trace_and_dismissed(open_page):
    """A service tells what costs most; its page says what to do; traces show it; dismissed it is told why."""
    page = open_page("shop", "/services/inventory")
    page.locator("#findings a", has_text="N+1 queries").click()
    page.wait_for_url("**/findings/1")
    page.wait_for_selector("html[data-ready]")
    page.evaluate(NAME)
    assert "Ask for all of them at once" in page.locator(".hint.warn").inner_text()
    assert page.locator("#evidence tbody tr").count() == 3
    assert page.locator("#evidence tbody a").first.get_attribute("href").endswith("?span=" + "0b" * 8)
    page.keyboard.press("d")
    page.locator("#why textarea").fill("a report, run by night")
    page.locator("#why .main").click()
    page.wait_for_selector("#reopen")
    assert "Kim dismissed it: a report, run by night" in page.locator(".hint:not(.said)").first.inner_text()
    page.locator("#reopen").click()
    page.wait_for_selector("#dismiss")
    page.goto(page.served.url + "/findings?state=dismissed")
    assert "Ines: mails may take their time" in page.locator("tbody").inner_text()


def test_a_trace_says_what_could_be_faster(open_page):
    """What is found in a trace stands above its spans, with the way to the finding."""
    page = open_page("shop", f"/traces/{TRACE_ID.hex()}")
    page.wait_for_selector("#found [data-kind=n_plus_one]")
    assert "24 times, about 700" in page.locator("#found").inner_text()
    assert page.locator("#found a.btn").get_attribute("href") == "/findings/1"


def test_a_leak_stands_first_and_shows_the_processes_that_grow(open_page):
    """How fast it grows, which processes since when and with which release, and their memory as a chart."""
    page = open_page("shop", "/findings")
    first = page.locator("#findings-list tbody tr").first
    assert "its processes" in first.inner_text()
    assert "220" in first.inner_text()
    first.locator("a").first.click()
    page.wait_for_selector("#processes")
    rows = [" ".join(row.inner_text().split()) for row in page.locator("#processes tbody tr").all()]
    assert [row.split()[0] for row in rows] == ["web-1", "web-1-b"]
    assert "web-1.host pid 6400" in rows[0]
    assert "2.14.0 first served" in rows[0]
    assert page.locator("figure .c-l, svg .c-l").count() == 2
    assert "2 of 3 processes" in page.locator(".hint.warn").inner_text()


@pytest.mark.parametrize("path", ["/findings?state=all", "/findings/1", "/findings/40"])
def test_hostile_telemetry_is_inert_and_fits(open_page, path):
    """Whatever is in names and statements is text, and nothing is wider than a narrow window."""
    page = open_page("hostile", path, width=390, scheme="dark")
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
