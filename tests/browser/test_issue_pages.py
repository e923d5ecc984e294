"""The pages of error tracking in a real browser: finding issues, reading one, changing what becomes of it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from acting import open_details

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("issues")]

ISSUE = "/issues/CHECKOUT-12"


@pytest.fixture
def issues(serve):
    """Return the made-up issues of the shop, unchanged at first."""
    found = serve("shop").api.issues
    found.reset()
    yield found
    found.reset()


def named(page):
    """Answer the question for the reader's name."""
    page.locator("#who input").fill("Ines")
    with page.expect_navigation():
        page.locator("#who").get_by_role("button", name="Go on").click()
    page.wait_for_selector("html[data-ready]")


def query(page):
    """Read the parameters of a page's URL."""
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def ids(page):
    """Return the ids of the issues in the list, in order."""
    return page.locator(".issues tbody tr").evaluate_all("rows => rows.map((row) => row.dataset.issue)")


def test_the_list_says_of_each_issue_what_decides(open_page):
    """Title, culprit, service, events, users, age, release, state, assignee stand in its row; the newest is first."""
    page = open_page("shop", "/issues")
    assert ids(page) == ["STOREFRONT-7", "CHECKOUT-12", "CHECKOUT-3", "MAILER-2"]
    text = page.locator("tr[data-issue=CHECKOUT-3]").inner_text().replace("\u202f", " ")
    for said in ("TimeoutError", "payments did not answer", "shop.checkout.payments in charge", "checkout", "61", "58",
                 "4 min ago", "40 d ago", "2.14.0", "Regressed", "Ines"):  # fmt: skip
        assert said in text


def test_states_are_tabs_with_counts_and_everything_is_in_the_url(open_page):
    """A state and a sort order are links whose URL alone shows the same list."""
    page = open_page("shop", "/issues")
    tabs = [" ".join(text.split()) for text in page.locator(".tabs a").all_inner_texts()]
    assert tabs == ["Open 4", "New 1", "Ongoing 2", "Regressed 1", "Resolved 1", "Ignored 1", "All 6"]
    page.locator(".tabs a", has_text="All").click()
    page.get_by_role("link", name="Events").click()
    page.wait_for_url("**sort=events**")
    assert query(page) == {"state": "all", "sort": "events", "order": "desc"}
    assert ids(page)[:2] == ["STOREFRONT-7", "CHECKOUT-12"]


def test_the_filter_box_asks_for_occurrences(open_page):
    """Completion and checking are those of the derived signal."""
    page = open_page("shop", "/issues?filter=cu")
    page.keyboard.press("f")
    page.locator(".filter input[name=filter]").press_sequentially("r")
    page.locator("#completions [role=option]").first.wait_for()
    asked = [params["signal"] for path, params in page.served.api.asked if path.endswith(("/keys", "/filter/check"))]
    assert set(asked[-2:]) == {"occurrences"}


def test_rows_are_selected_and_resolved_by_keys(open_page, issues):
    """Key j moves, x selects, e resolves those selected after asking once for a name; the page says what was done."""
    page = open_page("shop", "/issues")
    for key in ("j", "x", "j", "x", "x", "j", "x"):
        page.keyboard.press(key)
    assert page.locator("#picked").inner_text() == "2 selected"
    page.keyboard.press("e")
    named(page)
    assert issues.changes == [
        ("PATCH", "issues", {"state": "resolved", "ids": ["STOREFRONT-7", "CHECKOUT-3"], "actor": "Ines"})
    ]
    assert page.locator("#said").inner_text() == "Resolved 2 issues."
    assert ids(page) == ["CHECKOUT-12", "MAILER-2"]
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.wait_for_function("() => document.querySelector('#said')?.textContent === 'Resolved CHECKOUT-12.'")
    assert ids(page) == ["MAILER-2"]


def test_enter_opens_an_issue(open_page):
    """The focused row's issue opens."""
    page = open_page("shop", "/issues")
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{ISSUE}")


def test_merging_asks_for_two_and_names_the_one_that_stays(open_page, issues):
    """Those selected become one with the issue that has most events; the issue's page undoes it."""
    page = open_page("shop", "/issues")
    merge = page.locator("#merge")
    page.locator("tr[data-issue=CHECKOUT-3] input").check()
    assert merge.is_disabled()
    page.locator("tr[data-issue=CHECKOUT-12] input").check()
    assert merge.inner_text() == "Merge into CHECKOUT-12"
    merge.click()
    named(page)
    assert issues.changes[-1][2] == {"ids": ["CHECKOUT-12", "CHECKOUT-3"], "into": "CHECKOUT-12", "actor": "Ines"}
    assert page.locator("#said").inner_text().startswith("Merged CHECKOUT-3 into CHECKOUT-12.")
    page.goto(page.served.url + ISSUE)
    with page.expect_navigation():
        page.get_by_role("button", name="Unmerge").click()
    page.goto(page.served.url + "/issues")
    assert "CHECKOUT-3" in ids(page)


def test_merging_is_undone_at_once(open_page, issues):
    """The line that says what was merged has a button that takes all of it apart again."""
    page = open_page("shop", "/issues")
    page.evaluate("localStorage.setItem('spanglass.name', 'Ines')")
    page.locator("#pick-all").check()
    assert page.locator("#picked").inner_text() == "4 selected"
    with page.expect_navigation():
        page.locator("#merge").click()
    with page.expect_navigation():
        page.locator("#said").get_by_role("button", name="Undo").click()
    assert len(ids(page)) == 4
    assert [body for _, path, body in issues.changes if path == "issues/unmerge"] == [
        {"id": "STOREFRONT-7", "merge": merge, "actor": "Ines"} for merge in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("button", "sent"),
    [
        ("In the newest release", {"resolution": "in_release"}),
        ("In the next release", {"resolution": "in_next_release"}),
    ],
)
def test_an_issue_is_resolved_in_a_release(open_page, issues, button, sent):
    """The menu beside "Resolve" says in which release it must not occur any more."""
    page = open_page("shop", ISSUE)
    page.evaluate("localStorage.setItem('spanglass.name', 'Ines')")
    page.locator("#acts summary[aria-label='Resolve in a release']").click()
    with page.expect_navigation():
        page.locator("#acts").get_by_role("button", name=button).click()
    assert issues.changes[-1][2] == {"state": "resolved", **sent, "actor": "Ines"}
    assert "Resolved in" in page.locator(".sub").inner_text()


def test_a_name_that_is_not_given_changes_nothing(open_page, issues):
    """Closing the question for a name is no answer to it."""
    page = open_page("shop", ISSUE)
    page.locator("#acts").get_by_role("button", name="Resolve", exact=True).click()
    page.locator("#who").get_by_role("button", name="Cancel").click()
    page.locator("#who").wait_for(state="detached")
    assert issues.changes == []


def test_an_issue_is_ignored_until_and_reopened(open_page, issues):
    """The menu's fields say until when; the head says it afterwards, and offers to reopen."""
    page = open_page("shop", ISSUE)
    page.locator("#acts summary", has_text="Ignore").click()
    form = page.locator("#acts form", has_text="more events")
    form.locator("input").fill("250")
    form.get_by_role("button").click()
    named(page)
    wanted = {"state": "ignored", "until": {"events": 250}, "actor": "Ines"}
    assert issues.changes == [("PATCH", "issues/CHECKOUT-12", wanted)]
    assert "Ignored until 250 more events" in page.locator(".sub").inner_text()
    with page.expect_navigation():
        page.get_by_role("button", name="Reopen").click()
    assert issues.changes[-1] == ("PATCH", "issues/CHECKOUT-12", {"state": "ongoing", "actor": "Ines"})


def test_a_refused_change_is_said_and_nothing_is_lost(open_page):
    """The API's sentence stands above the page, which stays as it was."""
    page = open_page("shop", ISSUE, allow=("Failed to load resource",))
    page.evaluate("localStorage.setItem('spanglass.name', 'Ines')")
    page.locator("#acts summary[aria-label='Resolve in a release']").click()
    form = page.locator("#acts form.line", has_text="In the release")
    form.locator("input").fill("no such")
    form.get_by_role("button").click()
    page.locator("#said.err").wait_for()
    assert "has no release 'no such'" in page.locator("#said").inner_text()


def test_menus_close_by_escape_and_enter_sends_the_field_it_stands_in(open_page, issues):
    """Escape gives the focus back to the menu's button; Enter in the name's field assigns."""
    page = open_page("shop", ISSUE)
    summary = page.locator("#acts summary", has_text="Assign")
    summary.click()
    page.locator("#acts input[name=assignee]").focus()
    page.keyboard.press("Escape")
    assert page.locator("#acts .menu[open]").count() == 0
    assert summary.evaluate("it => it === document.activeElement")
    summary.click()
    page.locator("#acts input[name=assignee]").fill("Jun")
    page.keyboard.press("Enter")
    named(page)
    assert issues.changes[-1][2] == {"assignee": "Jun", "actor": "Ines"}
    assert "Jun" in page.locator(".sub").inner_text()


def test_comments_stand_in_the_activity(open_page):
    """Key c goes to the field; what was written stands there with its author, without another question for the name."""
    page = open_page("shop", ISSUE)
    page.evaluate("localStorage.setItem('spanglass.name', 'Jun')")
    page.keyboard.press("c")
    page.keyboard.type("The price list of October lacks NOK.")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    first = page.locator("#history li").first.inner_text()
    assert "Jun" in first
    assert "The price list of October lacks NOK." in first


def test_the_stack_is_shown_as_in_a_trace(open_page):
    """Frames with source and variables, causes below; the first frame of the application is open."""
    page = open_page("shop", ISSUE)
    stack = page.locator("#stack")
    assert stack.locator(".frame.app[open]").first.inner_text().split("\n")[0] == "convert"
    assert "caused by" in stack.inner_text()
    assert stack.locator(".locals").first.inner_text().startswith("cents")


def test_a_stack_of_another_sdk_is_shown_by_its_frames(open_page):
    """Without the structure, frames are read from the text: libraries are one line."""
    page = open_page("shop", "/issues/CHECKOUT-3")
    stack = page.locator("#stack")
    assert stack.locator(".frame.app b").all_inner_texts() == ["convert", "place_order"]
    libraries = stack.locator(".frame:not(.app) > summary", has_text="library frames")
    open_details(libraries)
    assert "starlette" in stack.inner_text()


def test_events_are_walked_one_by_one(open_page):
    """Earlier, later, first and latest are links; j and k follow them; the view stays the same."""
    page = open_page("shop", f"{ISSUE}?view=attributes")
    page.keyboard.press("j")
    page.wait_for_url("**event=o1**")
    assert query(page) == {"view": "attributes", "event": "o1"}
    page.wait_for_selector("html[data-ready]")
    page.keyboard.press("k")
    page.wait_for_url("**event=o0**")
    page.get_by_role("link", name="First").click()
    page.wait_for_url("**event=first**")
    assert page.get_by_label("Earlier event").count() == 0


def test_the_trace_stands_in_place_around_the_failing_span(open_page):
    """The failing span is marked, those above it and its neighbours are there, each a link into the trace."""
    page = open_page("shop", f"{ISSUE}?view=trace")
    rows = page.locator(".wf.small .wf-r")
    assert rows.first.locator(".op").inner_text() == "POST /checkout"
    assert page.locator(".wf.small [aria-current] .op").inner_text() == "pricing.total_for"
    assert "traces/4f1c" in rows.last.locator("a").get_attribute("href")


def test_an_issue_reads_without_script(open_page):
    """Figures, stack, fingerprint and activity are there; what needs script is not offered."""
    page = open_page("shop", ISSUE, script=False)
    text = page.locator("main").inner_text()
    for said in ("412", "no rate for 'NOK'", "in price list 2026-10", "shop.checkout.pricing total_for", "First seen"):
        assert said in text
    assert page.locator("#acts").is_hidden()


def test_markdown_is_copied(open_page):
    """The button copies what a colleague needs: title, figures, stack, variables."""
    page = open_page("shop", ISSUE)
    text = page.get_by_role("button", name="Copy as Markdown").get_attribute("data-copy")
    for said in (
        "# CHECKOUT-12: CurrencyNotPriced",
        "412 events",
        "| shop.currency | NOK | 97% | 9% |",
        "Traceback",
        "currency = 'NOK'",
    ):
        assert said in text


def test_an_issue_whose_records_are_gone_still_reads(open_page):
    """What was told is not stored any more: the page says so."""
    page = open_page("shop", "/issues/MAILER-2")
    assert "not stored any more" in page.locator("#event").inner_text()


def test_the_empty_page_says_how_errors_get_here(open_page):
    """Without any issue the page has the command that sends some."""
    page = open_page("empty", "/issues")
    assert "Exceptions get here by themselves" in page.locator("main").inner_text()


def test_an_issue_id_is_jumped_to(open_page):
    """Typed into the box of "Jump to", in any case of letters."""
    page = open_page("shop", "/services")
    page.keyboard.press("/")
    page.keyboard.type("checkout-12")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{ISSUE}")


def test_many_issues_have_pages(open_page):
    """The next page has an absolute range, so that what arrives meanwhile does not shift it."""
    page = open_page("many", "/issues")
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**cursor=50**")
    assert {"start", "end"} <= set(query(page))


def test_a_service_has_its_open_issues(open_page):
    """Those with most events stand on its page with their states; the others are one click away."""
    page = open_page("shop", "/services/checkout")
    rows = [text.replace("\t", " ") for text in page.locator("#issues tbody tr").all_inner_texts()]
    assert [row.split(" ")[0] for row in rows] == ["CurrencyNotPriced", "TimeoutError"]
    assert "Regressed" in rows[1]
    page.locator("#issues").get_by_role("link", name="All").click()
    page.wait_for_url("**/issues?service=checkout")


def test_an_event_that_is_not_stored_is_said(open_page):
    """A link to an event whose retention has passed leads to the issue, and to its latest event."""
    page = open_page("shop", f"{ISSUE}?event=gone", allow=("Failed to load resource",))
    assert "no occurrence 'gone' that is stored" in page.locator("#event").inner_text()
    page.get_by_role("link", name="Latest event").click()
    page.locator("#stack .frame").first.wait_for()
