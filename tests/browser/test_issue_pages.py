"""The pages of error tracking in a real browser: finding issues, reading one, changing what becomes of it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from acting import open_details
from made_up_issues import TRACE_ID

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


def test_a_stack_of_another_language_is_shown_by_its_frames(open_page):
    """What the core reads of a panic of Go has functions, files and lines, too."""
    page = open_page("shop", "/issues/INVENTORY-4")
    assert page.locator("#stack .frame.app b").all_inner_texts() == ["main.(*Shelf).Reserve", "main.handleReserve"]
    assert "app/inventory/shelf.go:71" in "".join(page.locator("#stack .frame.app").first.inner_text().split())


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


def rule_form(page):
    """Open the form for a rule of grouping."""
    open_details(page.locator("#rule > summary"))
    return page.locator("#rule-form")


def test_a_rule_is_tried_before_it_is_saved(open_page, issues):
    """Only what was previewed can be saved; the preview says which issues would merge or split, with numbers."""
    page = open_page("shop", ISSUE)
    form = rule_form(page)
    save = page.locator("#rule-save")
    form.get_by_label("Path").fill("*/pricing.py")
    assert save.is_disabled()
    form.get_by_role("button", name="Preview").click()
    page.locator("#rule-preview .list").first.wait_for()
    said = page.locator("#rule-preview").inner_text()
    for words in (
        "61 events would move of 473 events",
        "CHECKOUT-3 TimeoutError",
        "412 events",
        "2 issues",
        "A new issue",
    ):
        assert words in said
    form.get_by_label("Message").fill("x")
    assert save.is_disabled()
    form.get_by_role("button", name="Preview").click()
    page.wait_for_function("() => !document.getElementById('rule-save').disabled")
    save.click()
    named(page)
    rule = {
        "service": "checkout",
        "match": {"type": "CurrencyNotPriced", "message": "x", "path": "*/pricing.py"},
        "action": {"join": "CurrencyNotPriced: no rate for 'NOK' in price list 2026-10"},
    }
    assert issues.changes[-1] == ("POST", "grouping/rules", {"rule": rule, "actor": "Ines"})
    assert "path */pricing.py: one issue" in page.locator("#rules").inner_text()


def test_a_rule_splits_by_attributes_and_one_is_deleted(open_page, issues):
    """Keys are parted by commas, an attribute may be matched; the rules that stand can be deleted."""
    page = open_page("shop", ISSUE)
    page.evaluate("localStorage.setItem('spanglass.name', 'Ines')")
    form = rule_form(page)
    form.get_by_label("Attribute", exact=True).fill("shop.plan")
    form.locator("input[value=split_by]").check()
    form.get_by_label("Attributes to split by").fill("tenant.id, shop.currency")
    form.get_by_role("button", name="Preview").click()
    page.wait_for_function("() => !document.getElementById('rule-save').disabled")
    with page.expect_navigation():
        page.locator("#rule-save").click()
    rule = issues.changes[-1][2]["rule"]
    assert rule["match"]["attributes"] == {"shop.plan": "*"}
    assert rule["action"] == {"split_by": ["tenant.id", "shop.currency"]}
    with page.expect_navigation():
        page.locator("#rules button").click()
    assert issues.changes[-1] == ("DELETE", "grouping/rules/1", {"actor": "Ines"})
    assert page.locator("#rules").count() == 0


def test_a_rule_that_cannot_be_is_said(open_page):
    """The API names the field at fault; nothing can be saved."""
    page = open_page("shop", ISSUE, allow=("Failed to load resource",))
    form = rule_form(page)
    form.get_by_label("Type").fill("")
    form.get_by_role("button", name="Preview").click()
    page.locator("#rule-preview .err").wait_for()
    assert "at least one pattern" in page.locator("#rule-preview").inner_text()
    assert page.locator("#rule-save").is_disabled()


def test_regrouping_says_how_far_it_is(open_page):
    """It runs on the server; the page looks until it has ended, and offers to show what it moved."""
    page = open_page("shop", ISSUE)
    page.locator("#regroup").click()
    page.wait_for_function(
        "() => document.getElementById('regroup-says').textContent.startsWith('Done: 61 events moved.')"
    )
    assert page.locator("#regroup-says a").count() == 1


TRACE = f"/traces/{TRACE_ID}"


@pytest.mark.parametrize("path", [f"{TRACE}?span=0000000000000001", f"{TRACE}?view=logs", "/logs"])
def test_exceptions_elsewhere_link_to_their_issue(open_page, path):
    """A span's details and opened log records name the issue with its state, and lead to this very event."""
    page = open_page("raised", path)
    if "span=" not in path:
        page.locator(".log-r").first.wait_for()
        open_details(page.locator(".log-r > summary").nth(1))
    link = page.locator(".issue-of").first
    link.wait_for()
    assert " ".join(link.inner_text().split()) == "Issue CHECKOUT-12 New"
    assert link.locator("a").get_attribute("href") == "/issues/CHECKOUT-12?event=o0"


def test_the_issues_of_a_trace_are_asked_for_once(open_page):
    """All of its spans share one answer."""
    page = open_page("raised", f"{TRACE}?span=0000000000000002")
    page.locator(".issue-of").wait_for()
    before = len(page.served.api.asked)
    page.keyboard.press("k")
    page.wait_for_url("**span=0000000000000001**")
    page.locator(".issue-of").wait_for()
    assert not [path for path, _ in page.served.api.asked[before:] if path.endswith("/issue-occurrences")]


def test_releases_stand_beside_the_one_before(open_page):
    """Those of all services are a table; one of a service has its issues, and its share against the release before."""
    page = open_page("shop", "/releases")
    page.get_by_role("link", name="2.14.0").click()
    page.wait_for_url("**release=2.14.0")
    figures = " ".join(page.locator(".figs").inner_text().replace("\u202f", " ").split())
    assert "Requests without a crash 95.99 % 99.88 % in 2.13.2" in figures
    new, back, resolved = (" ".join(text.split()) for text in page.locator(".trio .sec").all_inner_texts())
    assert "CHECKOUT-12" in new
    assert "CHECKOUT-3" in back
    assert "None" in resolved
    assert page.locator("tr[aria-selected=true] a").inner_text() == "2.14.0"
    assert page.locator(".nav [aria-current]").inner_text() == "Errors"


def test_a_release_that_is_not_known_is_said(open_page):
    """Its service's releases are offered; a server that knows none says how releases are told."""
    page = open_page("shop", "/releases?service=checkout&release=9.9")
    assert "No such release" in page.locator("main").inner_text()
    page = open_page("empty", "/releases")
    assert "service.version" in page.locator("main").inner_text()
