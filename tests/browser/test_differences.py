"""Selecting an area of durations and what is different about it, and pages of operations, in a real browser."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from made_up import HOSTILE

pytestmark = pytest.mark.browser

AREA = "svg[data-area]"


def query(page):
    """Read the parameters of a page's URL."""
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def test_a_drag_over_durations_says_what_is_different(open_page):
    """From the page of traces: two clicks and a drag end at the ranked keys, of the spans that were dragged over."""
    page = open_page("shop", "/traces?service=checkout&last=1h")
    page.get_by_role("link", name="Durations").click()
    box = page.locator(AREA).bounding_box()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.22 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.99 * box["width"], box["y"] + 0.32 * box["height"], steps=3)
    assert "spans" in page.locator("#at").inner_text()
    page.mouse.up()
    page.wait_for_url("**/differences?*")

    asked = query(page)
    assert (asked["service"], asked["last"]) == ("checkout", "1h")
    assert int(asked["selected_min"][:-2]) < 600_000_000 <= int(asked["selected_max"][:-2])
    assert asked["selected_start"] < asked["selected_end"]
    first = page.locator("#differences li").first
    assert first.inner_text().split("\n")[0].startswith("service.version 2.14.0")
    first.get_by_role("link", name="service.version").first.click()
    page.wait_for_url("**filter=*")
    assert query(page)["filter"] == 'service.version = "2.14.0"'
    assert query(page)["selected_min"] == asked["selected_min"]


def test_keys_select_an_area_and_fields_do(open_page):
    """Arrows move a cell, Shift widens, Enter opens; without script the form selects by filter, time and duration."""
    page = open_page("shop", "/differences?service=checkout")
    page.locator(AREA).focus()
    for key in ("ArrowLeft", "ArrowDown", "ArrowDown", "Shift+ArrowLeft", "Shift+ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url("**selected_min=*")
    assert page.locator("#differences li").count() == 3

    plain = open_page("shop", "/differences?service=checkout", script=False)
    plain.get_by_label("that match").first.fill("status = error")
    plain.get_by_label("that took at least").fill("500ms")
    plain.get_by_role("button", name="Compare").click()
    assert query(plain)["selected"] == "status = error"
    assert plain.locator("#differences li").count() == 3
    before = open_page("shop", "/differences?service=checkout", script=False)
    before.get_by_role("link", name="With the time before").click()
    assert "Nothing is different" in before.locator("#differences").inner_text()
    bad = open_page("shop", "/differences?selected_min=slow", allow=("400",))
    assert "'slow' is not a duration" in bad.get_by_role("alert").inner_text()
    assert bad.get_by_label("that took at least").get_attribute("aria-invalid") == "true"


@pytest.mark.parametrize(("scenario", "width"), [("hostile", 390), ("empty", 1440)])
def test_any_telemetry_is_shown_inert(open_page, scenario, width):
    """Hostile names are text; without spans the page says how to begin; nothing is wider than a phone."""
    page = open_page(scenario, "/differences?selected=status%3Derror", width=width, scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if scenario == "hostile":
        assert HOSTILE[:20] in page.locator("#differences").inner_text()
        assert "could be chance" in page.locator("#differences").inner_text()
    if scenario == "empty":
        assert page.locator(".empty").count() == 1


@pytest.mark.parametrize(("scenario", "width"), [("shop", 1440), ("hostile", 390)])
def test_an_operation_says_what_its_requests_are_made_of(open_page, scenario, width):
    """Where slow requests differ comes first, then calls, statements, callers, errors, versions; names are text."""
    page = open_page(scenario, "/services/checkout?operation=POST%20%2Forders", width=width, scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    name = "SELECT price" if scenario == "shop" else HOSTILE
    first = " ".join(page.locator("#typical p").first.inner_text().split())
    assert first.startswith("A slow request spends 240 ms more in")
    assert page.locator("#typical p a").inner_text().startswith(name[:20])
    assert page.locator("#typical tbody tr").count() == 4
    assert page.locator("#statements tbody tr").count() == 1
    assert page.locator("#callees tbody tr").all_inner_texts()[0].startswith("POST /charge payments")
    assert page.locator("#callees tbody tr").count() == 1  # what payments call is not called from here
    assert "90" in page.locator("#callers").inner_text()
    assert page.locator("#errors tbody tr").count() == 2
    page.get_by_role("link", name="2.14.0").click()
    page.wait_for_url("**/differences?*release=2.14.0*")
