"""The pages of alerting in a real browser: what fires, what becomes of it, by mouse and by keyboard alone."""

from __future__ import annotations

import pytest
from made_up_alerts import MadeUpAlerts
from test_accessibility import AXE, IMPACTS, OPEN_ALL, RUN

pytestmark = pytest.mark.browser


#: The first alert of the shop, which has all evidence.
ALERT = "/alerts/00000001-0000-4000-8000-000000000000"
#: Scenario and path of each page in its states, in a wide light window and in a narrow dark one.
WIDE = (
    ("empty", "/alerts"), ("shop", "/alerts"), ("shop", ALERT), ("shop", "/rules"), ("shop", "/rules/high-error-rate"),
    ("shop", "/rules/slow/edit"), ("hostile", "/rules/x/edit"),
)  # fmt: skip
NARROW = (
    ("shop", "/alerts?view=history"), ("shop", "/alerts?text=nothing"), ("shop", ALERT), ("empty", "/rules"),
    ("shop", "/rules/high-error-rate/edit"), ("hostile", "/alerts"), ("hostile", ALERT), ("hostile", "/rules/x"),
)  # fmt: skip


@pytest.fixture
def rules(serve):
    """Return the made-up rules of the shop, unchanged at first."""
    found = serve("shop").api.rules
    found.reset()
    yield found
    found.reset()


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
    assert [text.split(" is ")[0] for text in page.locator(".follows b").all_inner_texts()] == ["p95 of payments"]
    row = " ".join(page.locator(".alerts tbody tr").first.inner_text().replace("\u202f", " ").split())
    for said in ("Critical", "checkout", "team=shop", "8.2% against 5.0 %", "Firing", "Ines", "92"):
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


def named(page):
    """Give the reader's name beforehand."""
    page.evaluate("localStorage.setItem('spanglass.name', 'Kim')")


def test_an_alert_tells_its_cause_and_takes_notes(open_page, alerts):
    """Cause, values, what sets it apart, traces, issue, change, the past; a note and the status are kept by name."""
    page = open_page("shop", ALERT)
    named(page)
    text = " ".join(page.locator("main").inner_text().replace("\u202f", " ").split())
    for said in ("Probable cause: 391 of 4 760", "critical 5.0 %", "shop.currency NOK", "98.0%",
                 "POST /orders the worst",
                 "CHECKOUT-12", "checkout 2.14.0 took over", "2 min before", "Resolved by Kim rolled back",
                 "Ines Looking at the price list.", "Part of this problem 1 alert", "p95 of payments"):  # fmt: skip
        assert said in text
    page.keyboard.press("c")
    page.keyboard.type("Rolled back.")
    page.keyboard.press("Enter")
    page.wait_for_selector("#history >> text=Rolled back.")
    page.locator("#history input").blur()
    page.keyboard.press("a")
    page.wait_for_selector(".sub [data-status=acknowledged]")
    assert page.locator("#alert-acts [data-become]").all_inner_texts() == ["Reopen", "Resolve", "Dismiss"]
    assert [body for _, _, body in alerts.changes] == [
        {"text": "Rolled back.", "by": "Kim"}, {"status": "acknowledged", "by": "Kim"}
    ]  # fmt: skip


def test_alerts_at_the_same_time_are_one_band_in_charts(open_page):
    """Bands of one level that overlap are one; others, and moments, are left as they are."""
    page = open_page("shop", "/alerts")
    marks = [(1, 4, "warn"), (3, 6, "warn"), (8, 9, "warn"), (2, 5, "err"), (7, 7, "err"), (4, 5, None)]
    found = page.evaluate(
        """async (marks) => {
          const { bands } = await import(new URL("charts/marks.js", document.querySelector("script[type=module]").src));
          const made = marks.map(([time, end, level]) => ({ time, end, level }));
          return bands(made).map(({ time, end, level }) => [time, end, level]);
        }""",
        marks,
    )
    assert found == [[1, 6, "warn"], [8, 9, "warn"], [2, 5, "err"]]


def test_a_rule_is_written_tried_and_saved_by_keyboard(open_page, rules):
    """A mistake is marked at its column; what it says now and did follows the text; a quieter threshold is taken."""
    page = open_page("shop", "/rules/new")
    named(page)
    page.locator("[name=name]").press_sequentially("Checkout fails")
    page.keyboard.press("Tab")
    page.keyboard.type("err")
    option = page.locator("[role=option]").first
    option.wait_for()
    on_top = """(one) => { const { x, y } = one.getBoundingClientRect();
      return one.contains(document.elementFromPoint(x + 9, y + 9)); }"""
    assert option.evaluate(on_top), "the list of completions is not cut off by the field"
    page.keyboard.press("Control+a")
    page.keyboard.type("error_rate >> 1%")
    page.wait_for_selector("#bad.err >> text=Column 13")
    assert page.locator(".t-bad").inner_text() == ">"
    page.locator("[name=condition]").fill("error_rate > 2%")
    page.wait_for_selector("#now-says >> text=1 of 3 keys holds now")
    page.wait_for_selector("#figures >> text=3")
    assert page.locator("#fires tbody tr").count() == 3
    page.locator("#test").press("Enter")
    page.wait_for_selector("[data-last='7d'][aria-pressed=true]")
    page.wait_for_load_state("networkidle")  # what is pressed is drawn anew with the answer
    page.locator("#quieter button", has_text="above 6%").press("Enter")
    page.wait_for_function("() => document.querySelectorAll('#fires tbody tr').length === 1")
    assert page.locator("[name=condition]").input_value() == "error_rate > 6%"
    page.locator("[name=critical]").fill("20%")
    page.locator(".more summary").click()
    page.locator("[name=responses]").fill("hook")
    page.locator("#save").press("Enter")
    page.wait_for_url("**/rules/checkout-fails")
    assert rules.changes == [
        (
            "POST",
            "",
            {
                "rule": {
                    "name": "Checkout fails",
                    "condition": "error_rate > 6%",
                    "critical": "20%",
                    "responses": ["hook"],
                },
                "by": "Kim",
            },
        )
    ]


def test_a_rule_that_somebody_else_changed_is_not_overwritten(open_page, rules):
    """A conflict is told with what theirs says; replacing it is a choice; keys without a field stay."""
    page = open_page("shop", "/rules/high-error-rate/edit", allow=("Failed to load resource",))
    named(page)
    rules.conflict = True
    page.locator("[name=warning]").fill("3%")
    page.locator("#save").click()
    page.get_by_role("button", name="Replace theirs").click()
    page.wait_for_url("**/rules/high-error-rate")
    (_, _, first), (_, _, second) = rules.changes
    assert (first["version"], second["version"]) == ("v1", "v2")
    kept = [second["rule"][name] for name in ("warning", "labels", "hysteresis")]
    assert kept == ["3%", {"team": "shop"}, 0.05]


def test_rules_are_switched_found_and_tuned(open_page, rules):
    """A switch in the list, a search, thresholds in their units: all are sent with the reader's name.

    Keys that fire are counted where their data ended, too.
    """
    rules.rules["high-error-rate"].update(keys=0, firing=1_000)
    page = open_page("shop", "/rules?q=team%3Dshop")
    named(page)
    assert page.locator(".rules tbody tr").count() == 1
    assert "1\u202f000 firing, 2 pending, no data" in page.locator(".rules tbody tr").inner_text()
    page.get_by_role("switch", name="High error rate is on").click()
    page.wait_for_selector(".rules >> text=Disabled")
    page.locator(".rules td > a").click()
    page.wait_for_selector("html[data-rule]")
    page.locator("[name=warning_threshold]").fill("3%")
    page.locator("[name=duration]").fill("")
    with page.expect_navigation():
        page.locator("#tune button", has_text="Apply").click()
    tuned = {"warning_threshold": 0.03, "duration": None}
    assert rules.changes == [
        ("POST", "high-error-rate/disable", {"by": "Kim"}),
        ("PUT", "thresholds", {"thresholds": {"high-error-rate": tuned}, "by": "Kim"}),
    ]


@pytest.mark.parametrize(("pages", "scheme", "width"), [(WIDE, "light", 1400), (NARROW, "dark", 390)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(open_page, pages, scheme, width):
    """No page of alerting has a violation in any state, and what comes from outside stays text."""
    found = {}
    for scenario, path in pages:
        page = open_page(scenario, path, scheme=scheme, width=width, allow=("Failed to load resource",))
        page.evaluate(OPEN_ALL)
        page.evaluate(AXE)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        violations = page.evaluate(RUN, IMPACTS) + ([f"{wide} px too wide"] if wide > 0 else [])
        if page.evaluate("window.pwned") is not None:
            violations.append("hostile text was run")
        if violations:
            found[f"{scenario} {path}"] = violations
        open_page.close(page)
    assert found == {}


def test_badges_cover_no_words_on_a_phone(open_page):
    """On the page of a rule, what follows a badge in a row stands beside or below it."""
    page = open_page("shop", "/rules/high-error-rate", width=390)
    covered = """() => [...document.querySelectorAll('.tbl.stack tr')].flatMap((row) => {
      const boxes = [...row.cells].flatMap((cell) => [...cell.children]).map((one) => one.getBoundingClientRect());
      return boxes.filter((a, i) => boxes.slice(i + 1).some((b) => a.width && b.width && a.right > b.left + 1
        && b.right > a.left + 1 && a.bottom > b.top + 1 && b.bottom > a.top + 1));
    }).length"""
    assert page.locator(".tbl.stack .badge").count() > 1
    assert page.evaluate(covered) == 0
