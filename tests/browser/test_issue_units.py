"""The parts of the pages of error tracking that need no browser."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest
import raised
from made_up import NOW_NS, STACK
from made_up_issues import TRACE_ID, MadeUpIssues

from spanglass_core.attribute_names import EXCEPTION_CHAIN
from spanglass_server.pages.issues import issue as issue_page
from spanglass_server.pages.issues import markdown, occurrence, releases, stacks, words
from spanglass_server.pages.rendering import format as fmt

BERLIN = fmt.Clock(ZoneInfo("Europe/Berlin"), NOW_NS)
SECOND_NS = 10**9


def exception(stacktrace, **attributes):
    """Return an exception as the API returns it."""
    return {"type": "ValueError", "message": "no", "stacktrace": stacktrace, "attributes": attributes}


@pytest.mark.parametrize(
    ("age_s", "text"),
    [(0, "now"), (38, "38 s ago"), (27 * 60, "27 min ago"), (5 * 3600, "5 h ago"), (1200 * 86_400, "1 200 d ago")],
)
def test_an_age_is_one_whole_unit(age_s, text):
    """It is short at every size; what lies ahead, by a clock that is wrong, is now."""
    assert fmt.ago_text(age_s * SECOND_NS).replace(fmt.THIN, " ") == text
    assert fmt.ago_text(-SECOND_NS) == "now"


@pytest.mark.parametrize(
    ("state", "more", "text"),
    [
        ("new", {"first_release": "2.1"}, "New in 2.1"),
        ("new", {"first_release": None}, "New"),
        ("regressed", {}, "Regressed"),
        ("resolved", {"resolution": {"how": "now", "release": None}}, "Resolved"),
        ("resolved", {"resolution": {"how": "in_release", "release": "2.1"}}, "Resolved in 2.1"),
        ("resolved", {"resolution": {"how": "in_next_release", "release": "2.1"}}, "Resolved in the release after 2.1"),
        ("ignored", {"ignore": {"until": "for_ever", "limit": None}}, "Ignored for ever"),
        ("ignored", {"ignore": {"until": "until_escalates", "limit": None}}, "Ignored until it escalates"),
        ("ignored", {"ignore": {"until": "until_events", "limit": 100}}, "Ignored until 100 more events"),
        ("ignored", {"ignore": {"until": "until_users", "limit": 1}}, "Ignored until 1 more user"),
        ("ignored", {"ignore": {"until": "until_time", "limit": "2025-11-21T13:00:00Z"}}, "Ignored until 14:00"),
    ],
)
def test_a_state_is_said_with_what_ends_it(state, more, text):
    """Each way of resolving and ignoring reads as a sentence does."""
    assert words.state_text({"state": state, "first_release": "", **more}, BERLIN) == text


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (("spanglass", "state", "resolved", "regressed", "2.1"), "Resolved, now regressed in 2.1"),
        (("Ines", "state", "new", "resolved", "in_release 2.1"), "changed new to resolved in 2.1"),
        (("spanglass", "state", "ignored", "ongoing", "until_escalates"), "Ignored until it escalates, now ongoing"),
        (("Ines", "state", "new", "resolved", ""), "changed new to resolved"),
        (
            ("Ines", "state", "new", "resolved", "in_next_release 2.1"),
            "changed new to resolved in the release after 2.1",
        ),
        (("Ines", "state", "new", "ignored", "until_events 100"), "changed new to ignored until 100 more events"),
        (("Ines", "state", "new", "ignored", f"until_time {NOW_NS}"), "changed new to ignored until 13:00"),
        (("Ines", "assignee", "", "Jun", ""), "assigned it to Jun"),
        (("Ines", "assignee", "Jun", "", ""), "took it from Jun"),
        (("Ines", "merged", "A-1", "A-2", ""), "merged A-1 into A-2"),
        (("Ines", "unmerged", "A-1", "A-2", ""), "took A-1 out of A-2 again"),
        (("spanglass", "carried", "00c0ffee", "00decade", ""), "moved to another fingerprint 00c0ffee 00decade"),
        (("spanglass", "created", "", "new", ""), "First seen"),
    ],
)
def test_an_activity_reads_behind_a_name(entry, text):
    """Who did it is written before; what happened by itself stands alone."""
    assert words.activity(dict(zip(("who", "what", "from", "to", "detail"), entry, strict=True)), BERLIN) == text


def test_a_chain_that_was_sent_is_shown_as_it_is():
    """The structure of our own instrumentation has more than its text."""
    sent = raised.told(raised.FAILED_PAYMENT, "1")[EXCEPTION_CHAIN]
    assert stacks.chain_of(exception(STACK, **{EXCEPTION_CHAIN: sent})) == sent


def test_the_frames_of_a_text_become_a_chain():
    """Frames keep their order, the application's own are marked, a path is cut to its end."""
    [caught] = json.loads(stacks.chain_of(exception(STACK)))
    assert [frame["function"] for frame in caught["frames"]] == ["app", "app", "place_order", "convert"]
    assert [frame["in_app"] for frame in caught["frames"]] == [False, False, True, True]
    assert caught["frames"][-1]["file"] == "shop/checkout/pricing.py"


@pytest.mark.parametrize("text", ["", "no stack at all", "\x00" * 5])
def test_a_text_without_frames_is_no_chain(text):
    """It is shown as it is."""
    assert stacks.chain_of(exception(text)) is None


def whole(issue_id="CHECKOUT-12"):
    """Return an issue and its latest occurrence."""
    made_up = MadeUpIssues("shop")
    return made_up.get([issue_id], {}), made_up.get([issue_id, "occurrences", "o0"], {})


def test_markdown_says_what_a_colleague_needs():
    """Title, place, state, figures, stack, variables, attributes and a link are there."""
    issue, one = whole()
    text = markdown.write(issue, one, [], "http://here/issues/CHECKOUT-12")
    for said in ("# CHECKOUT-12: CurrencyNotPriced", "`shop.checkout.pricing in convert`", "state: new", TRACE_ID,
                 "412 events of 268", "http://here/issues/CHECKOUT-12", "Traceback", "currency = 'NOK'"):  # fmt: skip
        assert said in text


def test_markdown_is_not_broken_by_what_it_quotes():
    """Fences in a stack, pipes and line ends in names end no block, table or heading."""
    issue, one = whole()
    one["exception"] = exception("```\n# not a heading\n````")
    values = [{"key": "a|b", "value": "c\nd|e", "share": 1.0, "baseline_share": 0.5}]
    text = markdown.write({**issue, "title": "two\nlines"}, one, values, "")
    assert text.startswith("# CHECKOUT-12: two lines\n")
    assert "`````\n```\n# not a heading\n````\n`````" in text
    assert "| a\\|b | c d\\|e | 100% | 50% |" in text


@pytest.mark.parametrize("chain", ["[]", "{}", "[1]", '[{"frames": 1}]', '[{"frames": [1]}]', "[" * 100_000, "no json"])
def test_markdown_bears_a_chain_that_is_none(chain):
    """What an application sends may be anything."""
    issue, one = whole()
    one["exception"] = exception("", **{EXCEPTION_CHAIN: chain})
    assert "ValueError: no" in markdown.write(issue, one, [], "")


def test_a_long_stack_is_cut_in_its_middle():
    """Both ends are kept: which of them tells most depends on the language."""
    issue, one = whole()
    one["exception"] = exception("first\n" + "x" * 1_000_000 + "\nlast")
    text = markdown.write(issue, one, [], "")
    assert len(text) < 20_000
    assert "first\n" in text
    assert "last\n" in text


def row(key, parent):
    """Return a row of a waterfall."""
    return {"span": {"key": key, "span_id": key, "parent_key": parent}}


def test_the_rows_around_a_span_are_those_above_and_next_to_it():
    """Ancestors, siblings and children; of many siblings the nearest; nothing of other branches."""
    siblings = [row(f"s{i}", "b") for i in range(40)]
    rows = [
        row("a", None),
        row("other", "a"),
        row("b", "a"),
        *siblings[:20],
        row("x", "b"),
        row("child", "x"),
        *siblings[20:],
    ]
    keys = [one["span"]["key"] for one in occurrence.around(rows, "x")]
    assert keys[:2] == ["a", "b"]
    assert "other" not in keys
    assert {"x", "child", "s19", "s20"} <= set(keys)
    assert len(keys) == 3 + occurrence.NEAR_ROWS


def test_a_span_that_is_not_there_costs_no_waterfall():
    """The first rows are shown, also where parents name each other."""
    rows = [row("a", "b"), row("b", "a")]
    assert occurrence.around(rows, "gone") == rows
    assert len(occurrence.around(rows, "a")) == 2


def test_names_of_releases_make_room_for_themselves():
    """A label of a time that one would touch is left out; of releases side by side the first is named; none leaves."""
    ticks = [{"x": 0, "text": "13:00"}, {"x": 50, "text": "14:00"}, {"x": 100, "text": "15:00"}]
    labels = issue_page._labels(ticks, [(48.0, "2.1"), (49.0, "2.2"), (99.9, "a" * 40)])
    assert [(round(label["x"]), label["text"]) for label in labels] == [(0, "13:00"), (48, "2.1"), (91, "a" * 20 + "…")]


@pytest.mark.parametrize(
    ("share", "text"),
    [(None, "–"), (1.0, "100 %"), (0.99999, "99.99 %"), (0.9599, "95.99 %"), (0.5, "50 %"), (0.0, "0 %")],  # noqa: RUF001
)
def test_a_share_that_is_not_all_never_reads_as_all(share, text):
    """It is cut, not rounded."""
    assert releases.share_text(share).replace(fmt.THIN, " ") == text


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"service": "a", "match": {"type": "X*"}, "action": {"join": "net"}}, "type X*: one issue, net"),
        (
            {"match": {"attributes": {"t": "a*"}}, "action": {"split_by": ["u", "v"]}},
            "t = a* (all services): split by u, v",
        ),
        (
            {"service": "a", "match": {"path": "*/x"}, "action": {"in_app": True}},
            "path */x: frames are the application's own",
        ),
        (
            {"service": "a", "match": {"path": "*/x"}, "action": {"in_app": False}},
            "path */x: frames are not the application's own",
        ),
        ({"service": "a", "match": {}, "action": {"join": "all"}}, "all: one issue, all"),
    ],
)
def test_a_rule_reads_as_a_sentence(rule, text):
    """What it matches, for which services, and what it does."""
    assert words.rule(rule) == text
