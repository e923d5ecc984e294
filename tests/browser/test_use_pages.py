"""The pages of users and background tasks, in Chromium: whatever is in them they fit, and lead on by the keyboard."""

from __future__ import annotations

import pytest
from test_accessibility import AXE, IMPACTS, RUN

pytestmark = pytest.mark.browser


def violations(page):
    """What axe finds on a page."""
    page.evaluate(AXE)
    return page.evaluate(RUN, IMPACTS)


def test_hostile_ids_are_inert_and_fit(open_page):
    """Whatever is in ids and names is text, nothing is wider than a narrow window, and an id's page opens."""
    for path in ("/tasks", "/coverage", "/costs", "/users"):
        page = open_page("hostile", path, width=390, scheme="dark")
        assert page.evaluate("window.pwned") is None
        assert "onerror=" in page.locator("main").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        assert violations(page) == [], path
    page.locator("#users tbody a").first.press("Enter")  # its middle is cut off: the id is long
    page.wait_for_url("**/users/%3Cimg*")
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate("window.pwned") is None
    assert page.locator("h1").inner_text().startswith("<img src=x")
    assert page.locator("#course tbody tr").count() == 4
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []


def test_from_users_to_a_step(open_page):
    """By the keyboard from the list to a user, to the errors alone, and to the trace of one of them."""
    page = open_page("shop", "/users?last=1h")
    assert violations(page) == []
    page.locator("#users tbody a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/users/u-4711?last=1h")
    page.get_by_role("link", name="Errors", exact=True).last.click()
    page.wait_for_url("**only=errors")
    step = page.locator("#course tbody a").last
    assert step.get_attribute("href") == f"/traces/{'0a' * 16}?span={'0b' * 8}"
    assert violations(open_page("empty", "/tasks")) == []
