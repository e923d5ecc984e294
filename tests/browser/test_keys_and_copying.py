"""Keys and copying in Chromium: lists and jumps by keys; pages, spans, log lines and charts as Markdown."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

TRACE = "/traces/4f1c2b77d06e4b9c8a53f0e1b2c6a90e"
COPIED = "navigator.clipboard.readText()"


def copied(page, act):
    """Do something that copies, and return the text."""
    page.evaluate("navigator.clipboard.writeText('')")
    act()
    page.wait_for_function("navigator.clipboard.readText().then((text) => text !== '')")
    return page.evaluate(COPIED)


def opened(open_page, scenario, path):
    """Open a page that may use the clipboard."""
    page = open_page(scenario, path)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return page


def test_lists_and_jumps_by_keys(open_page):
    """The help names the page's keys and the jumps; j, k and Enter walk a list, u goes up; keys can be switched off."""
    page = open_page("shop", "/traces?last=1h")
    page.keyboard.press("?")
    jumps = dict(page.locator("#help [data-go]").evaluate_all("(all) => all.map((a) => [a.dataset.go, a.pathname])"))
    assert jumps["l"] == "/logs"
    assert len(jumps) == page.locator("#help [data-go]").count()
    page.keyboard.press("Escape")

    for key in "jjk":
        page.keyboard.press(key)
    first = page.locator(".rows tbody tr td > a").first
    assert first.evaluate("(link) => link === document.activeElement")
    page.keyboard.press("Enter")
    page.wait_for_url("**/traces/*")
    page.wait_for_selector("html[data-ready]")
    page.keyboard.press("?")
    assert "pin the trace" in page.locator("#own-keys").inner_text()
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    page.wait_for_url("**/traces")
    page.wait_for_selector("html[data-ready]")
    page.keyboard.press("g")
    assert page.locator("#chord").is_visible()
    page.keyboard.press("l")
    page.wait_for_url("**/logs*")
    page.wait_for_selector("html[data-ready]")

    page.keyboard.press("?")
    page.locator("#help [name=keys]").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('.log') === null")
    page.locator("#show-keys").focus()
    page.keyboard.press("Enter")
    page.locator("#help [name=keys]").check()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('.log-r') !== null")


def test_what_is_shown_is_copied(open_page):
    """A trace, its span, a log line and a chart become Markdown with whole addresses; a link has times that stay."""
    page = opened(open_page, "shop", TRACE)
    url = page.served.url
    trace = copied(page, lambda: page.keyboard.press("Y"))
    assert "# POST /checkout\n" in trace
    assert f"\n  - storefront [SessionMiddleware]({url}{TRACE}?span=0000000000000002) 8 ms" in trace
    assert trace.strip().endswith(url + TRACE)
    span = copied(page, lambda: page.locator("[data-copy-part='#detail']").click())
    assert "## pricing.convert" in span
    assert "- shop.currency: NOK" in span

    page.goto(url + "/logs?last=1h")
    page.wait_for_selector("html[data-ready]")
    page.locator(".log-r summary").first.click()
    line = copied(page, page.locator(".log-r [data-copy-part]").first.click)
    assert "- severity: ERROR" in line
    link = copied(page, lambda: page.keyboard.press("y"))
    assert link == f"{url}/logs?start=2025-11-21T11%3A00%3A00.123456789Z&end=2025-11-21T12%3A00%3A00.123456789Z"

    page.goto(url + "/findings/1")
    page.wait_for_selector("html[data-ready]")
    chart = copied(page, page.locator("main .sec > header > .copies").first.click)
    assert "| time | requests |\n| --- | --- |\n" in chart


def test_copied_telemetry_is_no_markup(open_page):
    """What Markdown or HTML would take as markup is escaped or code."""
    page = opened(open_page, "hostile", TRACE)
    text = copied(page, lambda: page.locator("[data-copy-part='#main']").click())
    in_words = "".join(part for place, part in enumerate(text.split("`")) if place % 2 == 0)
    assert "<img" not in in_words.replace("\\<", "")
    assert "\\<" in text
