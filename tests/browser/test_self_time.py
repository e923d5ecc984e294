"""Where time goes over a range, in Chromium: flame graphs of spans and of functions, their tables, where they lead."""

from __future__ import annotations

import pytest
from fake_api import TRACE_ID
from test_accessibility import AXE, IMPACTS, RUN

pytestmark = pytest.mark.browser


def test_views_are_sound(open_page):
    """Hostile names are text in each view, nothing runs sideways on a phone, and axe finds nothing."""
    for view in ("self-time?view=paths", "profiles"):
        page = open_page("hostile", f"/{view}", width=390, scheme="dark")
        assert page.evaluate("window.pwned") is None
        assert "onerror=" in page.locator("main").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
        page.evaluate(AXE)
        assert page.evaluate(RUN, IMPACTS) == [], view
        open_page.close(page)


def test_frames_lead_on(open_page):
    """A frame that is chosen, by keyboard too, takes the whole width, says its figures, and leads to its operation."""
    page = open_page("shop", "/self-time?last=1h")
    frames = page.locator(".fl-f a")
    assert frames.count() == 5
    frames.nth(1).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator("#frame h2.title").inner_text() == "SELECT price"
    assert page.get_by_role("button", name="Whole range").is_enabled()
    assert page.locator("#frame dd a").first.get_attribute("href") == f"/traces/{'e' * 32}?span={'a' * 16}"
    page.locator("#frame dd a", has_text="SELECT price").click()
    page.wait_for_url("**/services/checkout?*operation=SELECT*price*")
    without = open_page("shop", "/self-time?frame=1", script=False)
    assert without.locator(".fl-f.above").count() == 1
    assert "self time" in without.locator("#frame").inner_text()


def test_profiles_of_everything_and_of_a_span(open_page):
    """A function says where it stands, a span of a profiled trace leads to its functions; without any it says how."""
    page = open_page("shop", "/profiles?service=checkout")
    page.locator(".fl-f a", has_text="Cart.total").click()
    assert page.locator("#frame h2.title").inner_text() == "Cart.total"
    assert page.locator("#frame dd", has_text="/srv/shop.cart.py:41").count() == 1
    assert page.get_by_label("Find functions").count() == 1
    assert "60 samples" in page.locator(".fl-f a[aria-current]").get_attribute("aria-label")
    page = open_page("talk", f"/traces/{TRACE_ID}")
    link = page.get_by_role("link", name="Functions of this span and of all below it")
    assert "&span_id=" in link.get_attribute("href")
    page.keyboard.press("ArrowDown")
    link.click()
    page.wait_for_url("**/profiles?trace_id=*span_id=*")
    assert "SPANGLASS_PROFILER=1" in open_page("empty", "/profiles").locator("main").inner_text()
