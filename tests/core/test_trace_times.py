"""When the spans of a trace ran: clock skew, rounding, unknown starts, siblings of one instant, self time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_spans import MS, SECOND, UPTIME, T, span, trees

from spanglass_core.traces.trace_times import EARLIEST_NS, LONGEST_NS
from spanglass_core.traces.trace_tree import build_tree


def call(start, duration, *, failed=False, kinds=("client", "server"), waits=100):
    """Make a call of another clock: a caller that waits, and what serves it ``start`` after it was sent."""
    return [
        span("r", None, T, waits, kind=kinds[0], failed=failed),
        span("c", "r", T + start, duration, "b", kind=kinds[1]),
    ]


@pytest.mark.parametrize(
    ("spans", "skew"),
    [
        (call(10, 20), 0),
        (call(90, 20), 0),  # ends late, as servers do
        (call(0, 500), 0),
        (call(-1, 20), 41),  # served before it was sent: to the middle
        (call(-100, 20), 140),
        (call(-100, 200), 100),  # does not fit: begins with its caller
        (call(100, 20), 0),  # begins as its caller ends: just possible
        (call(101, 20), -61),  # served after it was answered
        (call(4_000, 100), -4_000),
        (call(4_000, 101), 0),  # served for longer than the caller waited: that was no answer to it
        (call(4_000, 20, failed=True), 0),  # the caller gave up; this was served later
        (call(-100, 20, failed=True), 140),
        (call(-100, 20, kinds=("client", "consumer")), 0),
        (call(-100, 20, kinds=("client", "internal")), 0),
        (call(-100, 20, kinds=("server", "server")), 0),
        (call(4_000, 20, kinds=("internal", "server")), 0),
        (call(4_000, 20, kinds=("internal", "internal")), 0),
        (call(-100, 20, kinds=("producer", "consumer")), 0),
        (call(4_000, 20, kinds=("producer", "consumer")), 0),
    ],
)
def test_only_an_impossible_answer_is_moved(spans, skew):
    """A server span is moved when another clock shows it before its client or after the answer, nothing else is."""
    tree = build_tree(spans)

    assert [(node.skew_ns, node.start_ns) for node in tree.nodes] == [(0, T), (skew, spans[1].start_ns + skew)]
    assert tree.warnings == (["clock_skew"] if skew else [])


def test_one_clock_is_never_moved():
    """Spans of one clock are where it measured them, however little sense that makes."""
    spans = [span("r", kind="client"), span("c", "r", T - 900, 20, kind="server")]

    assert [node.start_ns for node in build_tree(spans).nodes] == [T, T - 900]


def test_what_hangs_from_a_moved_span_moves_along():
    """Descendants on the same clock keep their distances; a third clock is judged on its own."""
    tree = build_tree(
        [
            span("r", kind="client"),
            span("b", "r", T - 100, 20, "b", kind="server"),
            span("c", "b", T - 95, 5, "b", kind="client"),
            span("d", "b", T + 45, 5, "c"),
        ]
    )

    assert [(node.span.span_id, node.skew_ns) for node in tree.nodes] == [
        (b"r", 0),
        (b"b", 140),
        (b"c", 140),
        (b"d", 0),
    ]
    assert tree.duration_ns == 100


MILLIS = T // MS * MS
SECONDS = T // SECOND * SECOND


@pytest.mark.parametrize(
    ("client", "server", "other", "skew"),
    [
        (MILLIS + 36_867, MILLIS, MILLIS + MS, 0),  # the server's clock counts milliseconds
        (MILLIS + 999_999, MILLIS, MILLIS + MS, 0),
        (MILLIS + MS, MILLIS, MILLIS + MS, MS),  # both do: a millisecond is one
        (MILLIS + MS + 1, MILLIS, MILLIS + MS, MS + 1),
        (MILLIS + 867, MILLIS + 1, MILLIS + MS, 866),  # nanoseconds are what they are
        (MILLIS + 1_900, MILLIS + 1_000, MILLIS + 2_000, 0),  # microseconds
        (MILLIS + 3_000, MILLIS + 1_000, MILLIS + 2_000, 2_000),
        (SECONDS + 999 * MS + 1, SECONDS, SECONDS + SECOND, 0),  # seconds, as several spans show
        (
            SECONDS + 999 * MS + 1,
            SECONDS,
            SECONDS + 500 * MS,
            999 * MS + 1,
        ),  # one of them is at a full second by chance
    ],
)
def test_differences_below_the_resolution_are_rounding(client, server, other, skew):
    """What differs by less than a step of one of the two clocks is no skew; their starts show how coarse they are."""
    spans = [
        span("r", None, client, SECOND, kind="client"),
        span("c", "r", server, 5 * SECOND, "b", kind="server"),
        span("d", "c", other, 0, "b"),
    ]
    tree = build_tree(spans)

    assert [node.skew_ns for node in tree.nodes if node.span.span_id == b"c"] == [skew]
    assert ("clock_skew" in tree.warnings) == bool(skew)


def test_ends_say_nothing_of_the_resolution():
    """JavaScript starts at a millisecond and ends at a nanosecond: that clock counts milliseconds."""
    spans = [
        span("r", None, MILLIS + 12_136, 2_614_476, kind="client"),
        span("c", "r", MILLIS, 1_326_770, "b", kind="server"),
    ]

    assert build_tree(spans).warnings == []


@pytest.mark.parametrize(
    ("start", "duration", "event", "expected"),
    [
        (0, T + 60, None, (0, 60)),  # the end is known
        (0, T - 60, None, (0, 0)),  # ended before its parent began: another clock
        (0, 0, None, (0, 0)),
        (0, 0, T + 20, (0, 0)),  # it began no later than its event; its parent is nearer than nothing
        (UPTIME, 40, None, (0, 40)),  # the time since the host started: what it lasted is known
        (T - LONGEST_NS - SECOND, 40, None, (0, 40)),
        (EARLIEST_NS - 1, 40, None, (0, 40)),
    ],
)
def test_an_unknown_start_is_its_parents(start, duration, event, expected):
    """A start that no clock of the trace can mean is said to be unknown, and makes the trace no longer."""
    tree = build_tree([span("r"), span("c", "r", start, duration, first_event_ns=event)])
    child = tree.nodes[1]

    assert (child.start_ns - T, child.duration_ns) == expected
    assert (child.start_unknown, child.skew_ns, tree.nodes[0].start_unknown) == (True, 0, False)
    assert (tree.start_ns, tree.duration_ns, tree.warnings) == (T, 100, ["unknown_start"])


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        (span("r", None, 0, T + 60), (T + 20, 40)),
        (span("r", None, 0, T + 60, first_event_ns=T + 5), (T + 5, 55)),
        (span("r", None, 0, 0), (T + 20, 0)),
        (span("r", None, UPTIME, 500), (T + 20, 500)),
    ],
)
def test_a_root_without_a_start(root, expected):
    """A root whose start is unknown begins with the first that is known of it: an event, its end, a child."""
    tree = build_tree([root, span("c", "r", T + 20, 10)])

    assert (tree.nodes[0].start_ns, tree.nodes[0].duration_ns) == expected
    assert tree.warnings == ["unknown_start"]


def test_a_lone_span_without_a_start():
    """Of a trace with nothing but an end, that is the time."""
    tree = build_tree([span("r", None, 0, T)])

    assert (tree.start_ns, tree.duration_ns, tree.warnings) == (T, 0, ["unknown_start"])


def test_spans_of_one_unset_clock_keep_their_distances():
    """Siblings and descendants whose times count from a host's start are shown as far apart as they were."""
    tree = build_tree(
        [
            span("r", duration=1_000),
            span("c", "r", UPTIME + 50, 40, "b"),
            span("b", "r", UPTIME, 30, "b"),
            span("d", "b", UPTIME + 10, 5, "b"),
            span("e", "b", T + 7, 5, "c"),
        ]
    )

    assert [(node.span.span_id, node.start_ns - T, node.start_unknown) for node in tree.nodes] == [
        (b"r", 0, False),
        (b"b", 0, True),
        (b"e", 7, False),
        (b"d", 10, True),
        (b"c", 50, True),
    ]


def test_a_clock_that_was_set_within_the_trace():
    """Two starts of one clock that lie years apart, both before it was set, have no distance."""
    tree = build_tree([span("r"), span("b", "r", UPTIME, 30, "b"), span("c", "r", T - 2 * LONGEST_NS, 40, "b")])

    assert [node.start_ns - T for node in tree.nodes] == [0, 0, 0]


def test_a_trace_of_unset_clocks_only():
    """When no clock was ever set, times are compared with each other as if they had been."""
    tree = build_tree([span("r", None, UPTIME, 100), span("c", "r", UPTIME + 5, 10)])

    assert [node.start_ns - UPTIME for node in tree.nodes] == [0, 5]
    assert (tree.duration_ns, tree.warnings) == (100, [])


def test_work_of_months_is_work():
    """A child that begins within a year of its parent is late, and stays."""
    tree = build_tree([span("r"), span("c", "r", T + 360 * 86_400 * SECOND, 10)])

    assert (tree.duration_ns, tree.warnings) == (360 * 86_400 * SECOND + 10, [])


def test_siblings_of_one_instant_keep_the_order_in_which_they_ended_or_came():
    """Where a coarse clock shows one start, what ended first comes first, and what came first of those that tie."""
    spans = [span("r"), span("c", "r", duration=30), span("z", "r", duration=10), span("a", "r", duration=10)]

    assert [node.span.span_id for node in build_tree(spans).nodes] == [b"r", b"z", b"a", b"c"]


@pytest.mark.parametrize(
    ("children", "expected"),
    [
        ([], 100),
        ([(10, 20), (50, 20)], 60),
        ([(10, 50), (20, 10), (50, 20)], 40),
        ([(90, 50)], 90),
        ([(0, 200)], 0),
        ([(150, 10)], 100),
        ([(-20, 40)], 80),
    ],
)
def test_self_time(children, expected):
    """Self time leaves out what any child covers, once, and only inside the span."""
    spans = [span(str(i), "r", T + start, duration) for i, (start, duration) in enumerate(children)]

    assert build_tree([span("r"), *spans]).nodes[0].self_time_ns == expected


@pytest.mark.parametrize(
    ("kinds", "clocks", "awaited"),
    [
        (("producer", "consumer"), ("a", "b"), False),
        (("producer", "consumer"), ("a", "a"), False),
        (("server", "consumer"), ("a", "b"), False),  # its sender has no span of its own
        (("internal", "consumer"), ("a", "a"), False),
        (("consumer", "consumer"), ("a", "a"), True),  # a batch that was received, and a message of it
        (("consumer", "consumer"), ("a", "b"), False),
        (("producer", "internal"), ("a", "b"), False),  # a consumer that does not say that it is one
        (("producer", "internal"), ("a", "a"), True),
        (("client", "server"), ("a", "b"), True),
        (("server", "internal"), ("a", "b"), True),
    ],
)
def test_nobody_waits_for_a_consumer(kinds, clocks, awaited):
    """The time of a consumer within its producer is still the producer's own; that of a call is not."""
    spans = [span("r", clock=clocks[0], kind=kinds[0]), span("c", "r", T + 10, 70, clocks[1], kind=kinds[1])]
    parent, child = build_tree(spans).nodes

    assert (child.awaited, parent.self_time_ns) == (awaited, 30 if awaited else 100)


@given(trees(clocks="a", starts=st.integers(-(10**9), 10**9)))
def test_a_tree_of_one_clock_is_never_moved(spans):
    """Whatever one clock measured stays, and its trace reaches from the first start to the last end."""
    tree = build_tree(spans)

    assert all(node.start_ns == node.span.start_ns for node in tree.nodes)
    assert tree.start_ns == min(one.start_ns for one in spans)
    assert tree.start_ns + tree.duration_ns == max(one.start_ns + one.duration_ns for one in spans)
    assert "clock_skew" not in tree.warnings


@given(trees())
def test_moved_spans_are_served_while_their_clients_wait(spans):
    """Whatever the clocks: only starts change, a span that was moved by itself begins within its client."""
    tree = build_tree(spans)
    by_id = {node.span.span_id: node for node in tree.nodes}
    for node in tree.nodes:
        assert node.start_ns == node.span.start_ns + node.skew_ns
        assert node.duration_ns == node.span.duration_ns
        assert 0 <= node.self_time_ns <= node.duration_ns
        parent = by_id.get(node.span.parent_id)
        if node.skew_ns and parent.span.clock != node.span.clock:
            assert (parent.span.kind, node.span.kind) == ("client", "server")
            assert parent.start_ns <= node.start_ns <= parent.end_ns


@given(
    st.sampled_from([-T, UPTIME - T, -100 - LONGEST_NS]).flatmap(lambda far: trees(starts=st.sampled_from([0, 5, far])))
)
def test_no_trace_lasts_longer_than_what_is_known_of_it(spans):
    """With starts of clocks that were never set among them, a trace of a minute stays one."""
    tree = build_tree(spans)
    known = [one.start_ns for one in spans if one.start_ns >= T]

    assert all(node.duration_ns >= 0 for node in tree.nodes)
    if known:
        assert tree.duration_ns <= 60 * (len(spans) + 1)
        assert tree.start_ns >= min(known) - 60
