"""The pages of incidents over made-up ones: read, changed by mouse and keys, at every width, whatever is in them."""

from __future__ import annotations

import re

import pytest
from made_up import HOSTILE

pytestmark = pytest.mark.browser

NAME = "localStorage.setItem('spanglass.name', 'Kim')"


def settled(page, text):
    """Wait for what the page says was done."""
    page.wait_for_selector(f"#said >> text={text}")


def test_an_incident_is_worked_on(open_page):
    """Steps are ticked, people and notes added, alerts taken out, words saved, resolved by key."""
    page = open_page("shop", "/incidents/INC-2")
    page.evaluate(NAME)
    assert page.locator("h1").inner_text() == "Payments fail again"
    assert page.locator("#steps header .note").inner_text() == "1 of 2 done"
    page.locator("[data-step='2']").click()
    page.wait_for_selector("[data-step='2'][aria-checked=true]")
    assert page.locator("#steps header .note").inner_text() == "2 of 2 done"
    page.keyboard.press("c")
    page.keyboard.type("It is the bank")
    page.keyboard.press("Enter")
    settled(page, "The note is added")
    page.locator("#mine").click()
    page.wait_for_selector(".people >> text=Kim")
    page.locator("[data-lead=Kim]").click()
    settled(page, "Kim leads now")
    page.locator(".incident-alerts tr", has_text="p95 of checkout").locator("[data-out]").click()
    settled(page, "Taken out")
    assert page.locator(".incident-alerts tbody tr").count() == 1
    page.locator("#words [name=cause]").fill("The gateway of the bank")
    page.locator("#words button").click()
    settled(page, "Saved")
    page.locator("h1").click()
    page.keyboard.press("r")
    page.locator("#why textarea").fill("switched over")
    page.locator("#why .main").click()
    settled(page, "Resolved INC-2")
    lines = page.locator(".timeline").inner_text()
    for said in ("Kim resolved: switched over", "Kim changed: cause", "It is the bank", "Ines did the step: Look at"):
        assert said in lines
    assert "Payments fail" in page.locator(".aside").inner_text()  # the past one, with how it ended
    assert "switched to the second provider" in page.locator(".aside").inner_text()
    assert [re.sub(r"\s", " ", text) for text in page.locator(".figs dd").all_inner_texts()][3] == "25 min"


def test_one_is_opened_by_hand_and_its_postmortem_written(open_page):
    """The form names what is wrong with a field; the draft is there to be changed, kept, and thrown away again."""
    page = open_page("shop", "/incidents?open=1&title=Invoices", allow=("Failed to load resource",))
    page.evaluate(NAME)
    assert page.locator("#new-incident [name=title]").input_value() == "Invoices"
    page.locator("#new-incident [name=services]").fill("billing, payments")
    page.locator("#new-incident [name=started_at]").fill("tomorrow")
    page.locator("#new-incident .main").click()
    page.wait_for_selector("#new-problem:not([hidden])")
    page.locator("#new-incident [name=started_at]").fill("now-10m")
    page.locator("#new-incident .main").click()
    page.wait_for_url("**/incidents/INC-3")
    page.wait_for_selector("html[data-incident]")
    page.keyboard.press("p")
    page.wait_for_url("**/incidents/INC-3/postmortem")
    page.wait_for_selector("html[data-ready]")
    area = page.locator("[name=text]")
    assert area.input_value().startswith("# INC-3: Invoices\n")
    area.fill("# What we learned")
    page.locator("#postmortem .main").click()
    settled(page, "Saved")
    page.reload()
    page.wait_for_selector("#draft")
    assert area.input_value() == "# What we learned"
    page.locator("#draft").click()
    page.wait_for_function("() => document.querySelector('[name=text]').value.startsWith('# INC-3')")


def test_lists_and_report(open_page):
    """What goes on, by keys; what is over with how it ended; how long it took; nothing of it is wider than a phone."""
    page = open_page("empty", "/incidents", width=390)
    page.wait_for_selector(".empty >> text=No incident goes on")
    page = open_page("shop", "/incidents", width=390)
    page.evaluate(NAME)
    before = page.locator(".incidents tbody tr").count()
    page.keyboard.press("j")
    page.keyboard.press("r")
    page.locator("#why .main").click()
    page.wait_for_function("(count) => document.querySelectorAll('.incidents tbody tr').length < count", arg=before)
    for path in (
        "/incidents?view=over",
        "/incidents?view=report&last=7d",
        "/incidents/INC-1",
        "/incidents/INC-1/postmortem",
    ):
        page.goto(page.url.split("/incidents")[0] + path)
        page.wait_for_selector("html[data-ready]")
        assert page.evaluate("document.documentElement.scrollWidth") == 390, path
    page.goto(page.url.split("/incidents")[0] + "/incidents?view=report&last=7d")
    assert "Over in time" in page.locator("main").inner_text()
    page.goto(page.url.split("/incidents")[0] + "/incidents?view=over")
    assert "switched to the second provider" in page.locator(".incidents").inner_text()


def test_hostile_and_many(open_page):
    """Text from outside is text; six hundred alerts are counted, thirty drawn; sixty incidents take two pages."""
    page = open_page("hostile", "/incidents/INC-1")
    assert page.locator("h1").inner_text().startswith(HOSTILE[:20])
    page = open_page("many", "/incidents")
    assert page.locator(".incidents tbody tr").count() == 50
    page = open_page("many", "/incidents/INC-1")
    assert page.locator(".incident-alerts tbody tr").count() == 30
    assert "the first 500 of 600" in page.locator("main").inner_text()
