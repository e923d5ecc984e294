"""The pages of anomalies over made-up ones: from a service to one, called fine with a reason, told of again."""

from __future__ import annotations

import pytest
from made_up_alerts import alert

pytestmark = pytest.mark.browser


def test_from_a_service_to_an_anomaly_that_is_fine(open_page):
    """A service says what is unusual; its page what the requests have in common; who calls it fine can take it back."""
    page = open_page("shop", "/services/payments")
    page.locator("#unusual a").first.click()
    page.wait_for_url("**/anomalies/1")
    page.wait_for_selector("html[data-ready]")
    page.evaluate("localStorage.setItem('spanglass.name', 'Kim')")
    assert "payment.provider" in page.locator("#differences").inner_text()
    page.keyboard.press("d")
    page.locator("#why textarea").fill("the bank told us")
    page.locator("#why select").select_option("now+24h")
    page.locator("#why .main").click()
    page.locator(".hint", has_text="Kim said that this is fine").wait_for()
    page.goto(page.served.url + "/anomalies?state=fine")
    row = page.locator("#feedback tr", has_text="the bank told us")
    row.locator("button").click()
    page.locator("#feedback", has_text="taken back by Kim").wait_for()


def test_an_alert_leads_to_its_anomaly(open_page):
    """The alert of an anomaly links it and has what its requests have in common; one of another kind does not."""
    page = open_page("shop", "/anomalies", width=390)
    name, figure = (page.locator(f"[data-anomaly='1'] {part}").first.bounding_box() for part in ("a", ".strong"))
    assert name["y"] < figure["y"]
    labels = {"anomaly": "1", "kind": "failures", "subject": "payments POST /charges"}
    made = [alert(71, "it fails", "warning", labels=labels), alert(72, "it", "info", labels=labels | {"kind": "logs"})]
    alerts = page.served.api.alerts.alerts
    alerts |= {one["id"]: one for one in made}
    page.goto(f"{page.served.url}/alerts/{made[1]['id']}")
    assert page.locator("#anomaly").count() == 0
    page.goto(f"{page.served.url}/alerts/{made[0]['id']}")
    assert "payment.provider" in page.locator("#differences").inner_text()
    page.locator("#anomaly a").click()
    page.wait_for_url("**/anomalies/1")
    right = page.locator("#fine").bounding_box()
    assert right["x"] + right["width"] <= 390
    for one in made:
        del alerts[one["id"]]
