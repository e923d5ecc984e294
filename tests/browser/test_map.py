"""The service map in Chromium: nodes in their places, calls between them, by mouse and by keyboard."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll(".map-n")].map((node) => node.getBoundingClientRect());
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) => meet(a, b))).length;
}"""
FILLED = """() => {
  const { left, width } = document.querySelector(".map-view").getBoundingClientRect();
  const rights = [...document.querySelectorAll(".map-n")].map((node) => node.getBoundingClientRect().right);
  return (Math.max(...rights) - left) / width;
}"""
INKED = """() => {
  const { width, height } = document.querySelector(".map canvas");
  const { data } = document.querySelector(".map canvas").getContext("2d").getImageData(0, 0, width, height);
  return data.some((one) => one);
}"""


def test_shop(open_page):
    """Callers stand left of callees, none on another; a node says what it is, lights its calls, and can be found."""
    page = open_page("shop", "/map?earlier=1h")
    page.wait_for_selector("[data-placed]")
    left = {
        name: page.locator(f".map-n[title='{name}']").bounding_box()["x"] for name in ("web", "checkout", "payment")
    }
    assert left["web"] < left["checkout"] < left["payment"]
    assert page.evaluate(OVERLAPS) == 0
    page.wait_for_function(INKED)
    page.locator(".map-n[title='checkout']").focus()
    assert page.locator(".map-n.off").count() == 3  # catalog, fulfilment, and the payment's service
    assert page.locator(".map-says").inner_text().startswith("checkout: ")
    page.get_by_label("Find on the map").fill("postgres")
    assert page.locator(".map-n:not(.off)").get_attribute("title") == "orders"
    page.get_by_label("Find on the map").press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_url("**/traces?filter=*postgresql*")


def test_around_a_service(open_page):
    """A service leads to the map around it, from there to its page; one that is not there is said to be none."""
    page = open_page("shop", "/map", width=390, height=844, scheme="dark")
    page.wait_for_selector("[data-placed]")
    top = {name: page.locator(f".map-n[title='{name}']").bounding_box()["y"] for name in ("web", "checkout")}
    assert top["web"] < top["checkout"]
    page.locator(".map-n[title='checkout']").click()
    page.wait_for_url("**/map?focus=checkout")
    page.wait_for_selector("[data-placed]")
    assert page.locator(".map-n.focus").get_attribute("href") == "/services/checkout"
    nothing = open_page("shop", "/map?focus=nobody", allow=("404",))
    assert "No spans of service" in nothing.locator("main").inner_text()


def test_many_services(open_page):
    """80 services with 240 calls are placed beside the page's script, none on another."""
    page = open_page("many", "/map")
    page.wait_for_selector("[data-placed]")
    assert (page.locator(".map-n").count(), page.evaluate(OVERLAPS)) == (80, 0)
    assert page.evaluate(FILLED) > 0.8  # it is tall: its layers stand as far apart as there is room
    assert page.locator(".map-says").inner_text() == ""
    page.get_by_label("Smaller").click()
    page.wait_for_function(INKED)


def test_hostile_names(open_page):
    """Names of services and hosts are text, on the map and in the table."""
    page = open_page("hostile", "/map")
    page.wait_for_selector("[data-placed]")
    assert page.locator(".map-n").first.inner_text().startswith("<script>alert(1)</script>")
    assert page.locator("main img, main script").count() == 0
