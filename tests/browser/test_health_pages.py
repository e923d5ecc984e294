"""Pages of health over made-up checks: what they show, by any width, theme and text from outside."""

from __future__ import annotations

import re

import pytest
from test_accessibility import AXE, IMPACTS, OPEN_ALL, RUN

pytestmark = pytest.mark.browser

PATHS = ("/health", "/health?view=checks", "/health/checks/backup", "/health/components/service-checkout",
         "/health/checks/shop/edit")  # fmt: skip


def test_pages_of_health_can_be_read_by_everybody(open_page):
    """Narrow and in the dark, no page is wider than the window, and axe finds nothing."""
    page = open_page("shop", PATHS[0], width=390, scheme="dark")
    found = {}
    for path in PATHS:
        page.goto(page.served.url + path)
        page.wait_for_selector("html[data-ready]")
        page.evaluate(OPEN_ALL)
        page.evaluate(AXE)
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        found[path] = page.evaluate(RUN, list(IMPACTS)) + (["wider than the window"] if wide else [])
    assert {path: bad for path, bad in found.items() if bad} == {}


def test_health_says_what_is_wrong_first_and_leads_there(open_page):
    """From the list to the component that costs most points, to its check; text from outside stays text."""
    page = open_page("shop", "/health")
    assert page.locator(".now li").first.inner_text().startswith("Payments unhealthy the status is 503, not 2xx")
    page.locator(".now li a").first.click()
    page.locator(".aside a", has_text="Payments").click()
    page.wait_for_url("**/health/checks/payments")
    assert page.locator(".figs dd", has_text="99.951").count() == 4
    assert page.locator("svg.days rect").count() == 90
    for path in ("/health", "/health/checks/x", "/health/components/x"):
        open_page("hostile", path)


def test_thousands_of_checks_are_pages(serve):
    """Two thousand checks are listed 200 at a time, the worst first, and narrowed by words and status."""

    def rows(query):
        answer = serve("many").fetch(f"/health?view=checks{query}")
        found = re.findall(r'<tr><td><span class="badge[^>]*>.*?</svg>(\w+)</span>.*?<b>(.*?)</b>', answer.text)
        assert answer.status_code == 200
        return found

    assert (len(rows("")), rows("")[0][0]) == (200, "Unhealthy")
    found = rows("&q=check+19&status=degraded")
    assert {status for status, _ in found} == {"Degraded"}
    assert all(re.search(r"Check \d*19", name) for _, name in found)
