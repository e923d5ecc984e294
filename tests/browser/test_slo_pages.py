"""The pages of objectives over made-up ones: tried, refused, made, deleted."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

NAME = "localStorage.setItem('spanglass.name', 'Kim')"


def test_an_objective_is_tried_and_made(open_page):
    """A wrong target is told at its field; one that is tried says what it would have had; made, it has its page."""
    page = open_page("shop", "/slos/new", allow=("400",))
    page.evaluate(NAME)
    page.fill("[name=name]", "Shop")
    page.check("[name=source][value=check]")
    page.fill("[name=check]", "shop")
    page.fill("[name=target]", "12")
    page.click("#slo-form .main")
    page.wait_for_selector("[name=target][aria-invalid=true]")
    assert "'12' is no target" in page.locator("#said").inner_text()
    page.fill("[name=target]", "99%")
    page.click("#try")
    page.wait_for_selector("#tried.ok")
    assert "99.1666 % were good: 12 of 1440 were bad, 14.4 may be" in page.locator("#tried").inner_text()
    page.click("#slo-form .main")
    page.wait_for_url("**/slos/shop")
    page.wait_for_selector("html[data-slo]")
    assert page.locator("#episodes tbody tr").count() == 2
    assert "Kim" in page.locator("#changes").text_content()
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#delete")
    page.wait_for_url("**/slos")
    assert page.locator("[data-slo]").count() == 2
