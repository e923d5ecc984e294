"""Pages of hostile telemetry on a phone: names are text, keep to their place, and hide nothing that is the page's."""

from __future__ import annotations

import pytest
from made_up import HOSTILE

pytestmark = pytest.mark.browser

#: Each page, and what of its own words must be read whole although names without end stand beside them.
PAGES = (
    ("/logs?view=patterns", ".badge.err"),
    ("/logs/log-1", ".log-r.hit .sev"),
    ("/sessions/s-1", "#course .badge"),
    ("/services/checkout", ".hint .btn"),
    ("/findings?state=all", "[data-finding='1'] .strong"),
    ("/anomalies", "[data-anomaly='1'] .strong"),
    ("/slos", "[data-slo=up] .badge"),
    ("/slos/up", "#slo-rules tbody .n"),
    ("/pinned", "#pins td[data-l=errors]"),
    ("/views", "[data-switch=default]"),
)
WHOLE = """(it) => { const { left, right, width } = it.getBoundingClientRect();
  return width > 0 && left >= 0 && right <= innerWidth && it.scrollWidth <= it.clientWidth + 1; }"""
#: Marks of direction that are in a name end with it: each name that has one stands in an element of its own.
LEAKS = """() => {
  const apart = (it) => {
    const { unicodeBidi, display } = getComputedStyle(it);
    return /isolate|plaintext/.test(unicodeBidi) || !display.startsWith("inline");
  };
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (!data.includes("\\u202e")) continue;
    let up = parentElement;
    while (!apart(up)) up = up.parentElement;
    if (up.textContent.trim() === data.trim() || up.matches("code, pre, bdi, .svc")) continue;
    found.push(`${up.tagName}.${up.className}`);
  }
  return [...new Set(found)]; }"""


def test_hostile_names_keep_to_their_place(open_page):
    """Nothing runs, nothing is wider than the window, the page's own words are whole and not turned around."""
    for path, own in PAGES:
        page = open_page("hostile", path, width=390, scheme="dark")
        assert page.evaluate("window.pwned") is None, path
        assert page.locator("main img, main script:not([type]), a[href^='javascript']").count() == 0, path
        assert HOSTILE[:20] in page.locator("main").inner_text(), path
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        assert page.locator(own).first.evaluate(WHOLE), path
        assert page.evaluate(LEAKS) == [], path
        open_page.close(page)
