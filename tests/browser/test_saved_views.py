"""Saved views in Chromium, from the menu to the navigation, and traces that are pinned."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

SEARCH = "/traces?filter=status%3Aerror&last=6h"


def test_saved_opened_and_deleted(open_page):
    """What a page shows gets a name; the navigation has it, and opens its page so; the page of views changes it."""
    page = open_page("shop", SEARCH, allow=("409",))
    page.evaluate("localStorage.setItem('spanglass.name', 'Vera')")
    page.keyboard.press("v")
    form = page.locator("#save-view")
    form.locator("[name=view_name]").fill("Failing traces")
    form.locator("[name=view_pinned]").check()
    form.locator("[name=view_default]").check()
    form.get_by_role("button", name="Save").click()
    page.wait_for_selector(".kept a[aria-current=page]")
    assert page.locator(".kept").inner_text().strip() == "Failing traces"

    page.keyboard.press("v")
    form.locator("[name=view_name]").fill("Failing traces")
    form.get_by_role("button", name="Save").click()
    page.wait_for_selector("#save-view [role=alert]:not([hidden])")
    assert "has the name 'Failing traces' already" in form.inner_text()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement === document.querySelector('#views > summary')")

    page.goto(page.served.url + "/logs?last=15m")
    assert page.locator(".nav a", has_text="Traces").get_attribute("href") == "/traces?filter=status%3Aerror&last=6h"
    page.locator(".kept a").click()
    page.wait_for_url(f"**{SEARCH}")

    page.goto(page.served.url + "/views")
    page.wait_for_selector("html[data-ready]")
    page.locator("[data-switch=default]").click()
    page.wait_for_selector("[data-switch=default][aria-pressed=false]")
    assert page.locator(".nav a", has_text="Traces").get_attribute("href") == "/traces"
    page.locator("[data-delete]").click()
    page.wait_for_selector("main .empty")
    assert page.locator(".kept").count() == 0


def test_views_of_others_are_inert_text(open_page):
    """A name that somebody else gave is text in the navigation, the menu and the table, and fits a narrow window."""
    page = open_page("hostile", "/views", width=390, scheme="dark")
    page.locator("#views > summary").click()
    assert page.locator("#saved-views tbody tr").count() == 1
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_trace_is_pinned_with_a_note(open_page):
    """A key pins a trace with a note, which stands on its page and in the list, until it is unpinned."""
    trace = "/traces/4f1c2b77d06e4b9c8a53f0e1b2c6a90e"
    page = open_page("shop", trace)
    page.evaluate("localStorage.setItem('spanglass.name', 'Vera')")
    page.keyboard.press("p")
    page.locator("#pin-why textarea").fill("the bank <b>answers</b> late")
    page.get_by_role("button", name="Pin", exact=True).last.click()
    page.wait_for_selector("#pinned")
    assert "Pinned by Vera. the bank <b>answers</b> late" in page.locator("#pinned").inner_text()

    page.goto(page.served.url + "/pinned")
    assert "filter=is%3Apinned&start=2" in page.locator("main form a").get_attribute("href")
    page.goto(page.served.url + "/pinned?q=bank")
    assert "the bank <b>answers</b> late" in page.locator("#pins tbody").inner_text()
    page.locator("#pins tbody a").click()
    page.wait_for_url(f"**{trace}")
    page.wait_for_selector("html[data-ready]")
    page.locator("#pin-trace").click()
    page.get_by_role("button", name="Unpin").click()
    page.wait_for_selector("#pin-trace:not([aria-pressed])")
    assert page.locator("#pinned").count() == 0
