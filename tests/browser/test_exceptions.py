"""How the pages show exceptions: real ones of the real instrumentation, and what only claims to be one."""

from __future__ import annotations

import pytest
import raised
from acting import open_details
from fake_api import TRACE_ID
from made_up import NOW_NS, log
from made_up_errors import NOTICE, TELLING

pytestmark = pytest.mark.browser

TRACE = f"/traces/{TRACE_ID}"
SPANS = {name: f"{i:016x}" for i, (name, _) in enumerate(TELLING, 1)}
#: More than any view of an exception needs, far less than 5 000 frames would.
MOST_ELEMENTS = 2_500


def at(name):
    """Return the path of the trace with a span chosen."""
    return f"{TRACE}?span={SPANS[name]}"


def text(locator):
    """Read what each of these elements says, in one line."""
    return [" ".join(found.split()) for found in locator.all_inner_texts()]


def test_a_chain_reads_from_what_was_caught_to_its_root(open_page):
    """What was caught stands first with its notes, then its cause, then what was being handled at the time."""
    page = open_page("raised", at("pay"))
    said = "no rate for 'NOK' in price list 2026-10"
    assert text(page.locator("#detail .exc")) == [
        f"raised.CurrencyNotPricedError {said} The list is of 1 October. Ask pricing for a newer one.",
        "KeyError 'NOK'",
        "json.decoder.JSONDecodeError Expecting value: line 1 column 10 (char 9)",
    ]
    assert text(page.locator("#detail .rel")) == ["caused by", "raised while handling"]


def test_the_frame_that_raised_is_open_with_source_and_variables(open_page):
    """The innermost frame of the application shows lines with numbers, the failing one marked, and its variables."""
    page = open_page("raised", at("pay"))
    frame = page.locator("#detail .frame").first
    assert frame.locator("summary b").inner_text() == "convert"
    lines = frame.locator(".src > span").evaluate_all("all => all.map((line) => line.textContent)")
    assert [lines[0], lines[-1]] == ["try:", "return label, cents * factor"]
    assert frame.locator(".src > .hot").all_inner_texts() == ["    raise failure from error"]
    shown = frame.locator(".locals").evaluate("it => [...it.children].map((cell) => cell.textContent)")
    assert dict(zip(shown[::2], shown[1::2], strict=True)) == {
        "cents": "1900",
        "currency": "'NOK'",
        "rates": "{'SEK': 11.2, 'DKK': 7.46}",
        "failure": "raised.CurrencyNotPricedError(\"no rate for 'NOK' in price list 2026-10\")",
    }


def test_what_failed_in_a_line_is_underlined(open_page):
    """Columns count bytes of UTF-8, the underline stands under the characters; a whole line gets none."""
    page = open_page("raised", at("pay"))
    assert page.locator("#detail .hot u").all_inner_texts() == ["rates[currency]"]


def test_an_expression_of_several_lines_is_marked_whole(open_page):
    """All lines of the expression are marked, and its part of each is underlined."""
    page = open_page("raised", at("pay"))
    frame = page.locator("#detail .frame.app", has=page.locator("summary b", has_text="total_for"))
    open_details(frame.locator("summary"))
    assert [line.strip() for line in frame.locator(".hot").all_inner_texts()] == [
        "return sum(",
        "convert(cents, order.currency, RATES)[1]",
        "for cents in order.cents",
        "if receipt",
        ")  # fmt: skip",
    ]
    parts = [part.strip() for part in frame.locator(".hot u").all_inner_texts()]
    assert [parts[0], parts[-1]] == ["sum(", ")"]


def test_long_values_are_folded(open_page):
    """A long value shows its beginning and its length; all of it is a click or a key away."""
    page = open_page("raised", at("pay"))
    frame = page.locator("#detail .frame.app", has=page.locator("summary b", has_text="total_for"))
    frame.locator("summary").focus()
    page.keyboard.press("Enter")
    value = frame.locator("dd .long")
    assert value.evaluate("it => it.textContent.length") < 300
    value.locator("summary").focus()
    page.keyboard.press("Enter")
    whole = value.locator("div").inner_text()
    assert whole == repr(["x" * 90] * 8)
    assert value.locator("summary span").is_hidden()


def test_library_frames_are_one_line_that_opens(open_page):
    """Frames of libraries stand folded with their packages, and open to functions, places and source."""
    page = open_page("raised", at("pay"))
    run = page.locator("#detail .frame:not(.app)", has_text="library frames")
    assert text(run.locator("summary")) == ["3 library frames json"]
    assert run.locator("li").count() == 0
    open_details(run.locator("summary"))
    assert run.locator("li b").all_inner_texts() == ["JSONDecoder.raw_decode", "JSONDecoder.decode", "loads"]
    assert text(run.locator("li .src")) == [
        'raise JSONDecodeError("Expecting value", s, err.value) from None',
        "obj, end = self.raw_decode(s, idx=_w(s, 0).end())",
        "return _default_decoder.decode(s)",
    ]


def test_groups_are_trees(open_page):
    """Members of a group stand indented below it and are counted, groups in groups too, causes beside their member."""
    page = open_page("raised", at("notify"))
    outer = page.locator("#detail .chain > .members > li")
    assert text(outer.locator("> .rel")) == ["1 of 2 in the group", "2 of 2 in the group"]
    inner = outer.nth(1).locator("> .members > li")
    assert text(inner.locator("> .exc h3")) == [
        "ValueError",
        "raised.CurrencyNotPricedError",
        "KeyError",
        "json.decoder.JSONDecodeError",
    ]
    assert text(inner.nth(1).locator("> .rel")) == ["2 of 2 in the group", "caused by", "raised while handling"]


def test_recursion_is_one_line(open_page):
    """Calls at one line are counted and can be opened; what the application left out is said."""
    page = open_page("raised", at("recurse"))
    assert text(page.locator("#detail .frames").first.locator("> * > summary, > p")) == [
        "deep raised.py :" + str(raised.deep.__code__.co_firstlineno + 2),
        "29 more calls at this line deep",
        "152 more frames were not sent",
        "deep raised.py :" + str(raised.deep.__code__.co_firstlineno + 2),
        "18 more calls at this line deep",
        "caught raised.py :" + str(raised.caught.__code__.co_firstlineno + 3),
    ]
    open_details(page.locator("summary", has_text="18 more calls"))
    assert page.locator("#detail .same > .frame").count() == 18


def test_the_text_can_be_read_and_copied(open_page):
    """The stack as Python prints it is folded below, and a button copies all of it."""
    page = open_page("raised", at("pay"))
    stack = dict(TELLING)["pay"]["exception.stacktrace"]
    assert page.locator("#detail .astext [data-copy]").get_attribute("data-copy") == stack
    open_details(page.locator("#detail summary", has_text="As text"))
    assert page.locator("#detail .astext pre").inner_text() == stack


def test_nothing_is_shown_twice(open_page):
    """Neither the structure nor the text is a row among the attributes; what the application added is."""
    page = open_page("raised", at("pay"))
    assert page.locator("#detail .kv:not(.locals) dt").all_inner_texts()[:1] == ["card"]
    page = open_page("raised", "/logs")
    assert "spanglass.exception" not in page.locator(".log-r > summary").nth(1).inner_text()
    open_details(page.locator(".log-r > summary").nth(1))
    shown = page.locator(".log-r[open] .kv:not(.locals) dt").all_inner_texts()
    assert {"exception.type", "spanglass.exception.occurrence_id"} <= set(shown)
    assert {"exception.stacktrace", "exception.message", "spanglass.exception.chain"}.isdisjoint(shown)


@pytest.mark.parametrize("script", [True, False])
def test_a_status_that_is_the_exception_is_not_repeated(open_page, script):
    """Type and message stand in the exception; a status that says something else stays."""
    page = open_page("raised", at("pay"), script=script)
    assert page.locator("#detail p.err").count() == 0
    page = open_page("shop", f"{TRACE}?span={33:016x}", script=script)
    assert page.locator("#detail p.err").all_inner_texts() == ["CurrencyNotPriced: no rate for 'NOK'"]


@pytest.mark.parametrize("script", [True, False])
def test_a_later_mention_leads_to_the_span_that_tells_it(open_page, script):
    """A span that only names the occurrence links to the one that has all of it, with script and without."""
    page = open_page("raised", at("POST /checkout"), script=script)
    assert text(page.locator("#detail .told")) == ["First told by pay of checkout"]
    page.locator("#detail .told a").click()
    page.wait_for_url(f"**{at('pay')}")
    assert page.locator("#detail .title").inner_text() == "pay"


def test_a_mention_without_its_span_leads_to_the_records(open_page):
    """Where no span of the trace tells an occurrence, its log records are searched."""
    page = open_page("raised", at("retry"))
    page.locator("#detail .told a").click()
    page.wait_for_url("**/logs?filter=spanglass.exception.occurrence_id*9999999999999999*start=*")


def test_a_record_says_whether_it_was_handled_and_on_which_span(open_page):
    """An opened record shows the chain, its badge, and a link to the span whose event tells the same occurrence."""
    page = open_page("raised", "/logs")
    row = page.locator(".log-r").nth(1)
    open_details(row.locator("> summary"))
    row.locator(".told a").wait_for()
    assert text(row.locator(".told")) == ["Not handled On the span pay of checkout"]
    assert row.locator("pre.body").count() == 0  # type and message are all that the body has
    row.locator(".told a").click()
    page.wait_for_url(f"**{at('pay')}")


def test_a_record_that_only_mentions_shows_what_an_earlier_one_told(open_page):
    """The frames of the record in full are shown in the later one, which says where they come from."""
    page = open_page("raised", "/logs")
    row = page.locator(".log-r").first
    open_details(row.locator("> summary"))
    row.locator(".told a").wait_for()
    assert text(row.locator(".told")) == [
        "Not handled Told in full by an earlier record, at 13:00:00.118 On the span pay of checkout"
    ]


def test_a_trace_leads_from_its_logs_to_the_span(open_page):
    """The logs of a trace show chains as the logs page does."""
    page = open_page("raised", f"{TRACE}?view=logs")
    row = page.locator(".log-r", has_text="receipts delayed")
    open_details(row.locator("> summary"))
    row.locator(".members").first.wait_for()
    assert text(row.locator(".told"))[0].startswith("Handled")


def test_followed_records_show_their_chain_too(open_page):
    """A record that script wrote has the same view as one of the server."""
    page = open_page("raised", "/logs?follow=1")
    api = page.served.api
    told = raised.told(raised.FAILED_NOTICE, NOTICE, handled=True)
    api.late_logs = [log(900, NOW_NS, "mailer", "error", "came late", trace_id=TRACE_ID, attributes=told)]
    row = page.locator(".log-r", has_text="came late")
    open_details(row.locator("> summary"))
    assert row.locator(".exc h3").first.inner_text() == "ExceptionGroup"
    row.locator(".told a").wait_for()
    assert text(row.locator(".told")) == ["Handled On the span notify of checkout"]


def test_without_script_the_stack_is_text(open_page):
    """Everything can be read without script, in the trace and in the logs."""
    stack = dict(TELLING)["pay"]["exception.stacktrace"]
    page = open_page("raised", at("pay"), script=False)
    assert page.locator("#detail pre.src").inner_text() == stack
    page = open_page("raised", "/logs", script=False)
    page.locator(".log-r > summary").nth(1).click()
    assert page.locator(".log-r[open] pre.src").inner_text() == stack


@pytest.mark.parametrize("name", raised.ODD_CHAINS)
def test_odd_chains_are_shown_as_far_as_they_go(open_page, name):
    """Wrong types, circles, impossible places and sizes cost only themselves, and text stays text."""
    page = open_page("raised", at(name))
    assert page.locator("#detail .exc").count() > 0
    assert page.get_by_text("could not be read").count() == 0
    for _ in range(3):  # what opens may hold more that opens
        page.locator("#detail details:not([open])").evaluate_all("all => all.forEach((it) => { it.open = true; })")
        page.wait_for_function("new Promise((done) => setTimeout(() => done(true)))")
    assert page.evaluate("window.pwned") is None
    assert page.locator("#detail img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("name", raised.ODD_CHAINS)
def test_odd_chains_make_no_large_page(open_page, name):
    """Five thousand frames, two thousand members and megabytes of text are cut before they become elements."""
    page = open_page("raised", at(name))
    found = page.evaluate(
        "[document.querySelectorAll('#detail *').length, document.querySelector('#detail').textContent.length]"
    )
    assert found[0] < MOST_ELEMENTS
    assert found[1] < 100_000


@pytest.mark.parametrize("name", raised.NO_CHAINS)
def test_what_is_no_chain_is_shown_as_its_text(open_page, name):
    """The text of the stack takes the place of a structure that cannot be read, and that is said."""
    page = open_page("raised", at(name))
    assert text(page.locator("#detail .exc")) == ["a.Error m"]
    assert page.locator("#detail .frame.app b").all_inner_texts() == ["charge"]
    assert (
        page.locator("#detail .chain > .note:not(.told)").inner_text()
        == "Its structure could not be read. This is its text."
    )


@pytest.mark.parametrize("width", [340, 390, 720])
def test_exceptions_fit_narrow_windows(open_page, width):
    """Code scrolls in its own box, down to 340 px: the page does not."""
    page = open_page("raised", at("notify"), width=width, height=844)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page = open_page("raised", "/logs", width=width, height=844)
    open_details(page.locator(".log-r > summary").nth(2))
    page.locator(".log-r[open] .members").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_failing_part_out_of_sight_is_scrolled_to(open_page):
    """In a narrow pane the code moves sideways as far as what failed is seen, and line numbers stay."""
    page = open_page("raised", at("notify"), width=390, height=844)
    code = page.locator("#detail .src:has(u)").first
    page.wait_for_function("document.querySelector('#detail .src:has(u)').scrollLeft > 0")
    inside = "it => it.querySelector('u').getBoundingClientRect().left < it.getBoundingClientRect().right"
    assert code.evaluate(inside)


def test_pages_with_exceptions_have_nothing_inline(serve):
    """The server's HTML of hostile chains has no markup of theirs, and not the chain itself."""
    html = serve("raised").fetch(at("hostile")).text + serve("raised").fetch("/logs").text
    assert "<img" not in html
    assert "&#34;relation&#34;" not in html
