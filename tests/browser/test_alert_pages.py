"""The pages of alerting in a real browser: what fires, what becomes of it, by mouse and by keyboard alone."""

from __future__ import annotations

import pytest
from made_up_alerts import MadeUpAlerts

pytestmark = pytest.mark.browser


@pytest.fixture
def alerts(serve):
    """Return the made-up alerts of the shop, unchanged at first."""
    found = serve("shop").api.alerts
    assert isinstance(found, MadeUpAlerts)
    found.reset()
    yield found
    found.reset()


def titles(page):
    """Return the titles of the alerts in the list, in order."""
    return [text.split(" is ")[0] for text in page.locator(".alerts tbody tr .w b").all_inner_texts()]


def test_alerts_are_dealt_with_by_keyboard_alone(open_page, alerts):
    """The most urgent is first; a acknowledges and z takes it back; d and r ask why; focus stays in the list."""
    page = open_page("shop", "/alerts")
    assert titles(page) == [
        "Error rate of checkout",
        "p95 of payments",
        "Disk / of shop-2",
        "Nightly export took longer than an hour",
    ]
    row = " ".join(page.locator(".alerts tbody tr").first.inner_text().replace("\u202f", " ").split())
    for said in ("Critical", "checkout", "team=shop", "8.2%", "Firing", "Ines", "92"):
        assert said in row
    for key in "ja":
        page.keyboard.press(key)
    page.locator("#who input").press_sequentially("Kim")
    page.keyboard.press("Enter")
    page.wait_for_selector("tr[data-status=acknowledged] >> text=checkout")
    assert page.locator("#said").inner_text().startswith("Acknowledged “Error rate of checkout")
    assert page.evaluate("document.activeElement.closest('tr').dataset.alert") == next(iter(alerts.alerts))
    page.keyboard.press("z")
    page.wait_for_selector("tr[data-status=active] >> text=checkout")
    page.keyboard.press("d")
    page.locator("#why input").press_sequentially("a drill")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelectorAll('.alerts tbody tr').length === 3")
    assert page.locator(".nav .count").inner_text().endswith("3")
    for key in ("x", "j", "x", "r"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelectorAll('.alerts tbody tr').length === 1")
    assert [(body.get("status"), body.get("reason"), body["by"]) for _, _, body in alerts.changes] == [
        ("acknowledged", None, "Kim"), ("active", None, "Kim"), ("dismissed", "a drill", "Kim"),
        ("resolved", None, "Kim"), ("resolved", None, "Kim"),
    ]  # fmt: skip
    page.locator(".tabs a", has_text="History").click()
    page.wait_for_selector(".tabs [aria-current] >> text=History")
    assert page.locator(".alerts tbody tr").count() == 5


def test_filters_stand_in_the_address_and_ten_thousand_alerts_in_pages(open_page):
    """A link shows the same; what can't be ordered is listed newest first; nothing is wider than a phone."""
    page = open_page("many", "/alerts?severity=error&service=payments", width=390)
    assert "newest first" in page.locator("main").inner_text()
    assert set(page.locator(".alerts tbody tr .badge").all_inner_texts()) == {"Error", "Firing"}
    page.locator("a[rel=next]").click()
    page.wait_for_url("**cursor=50**")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
