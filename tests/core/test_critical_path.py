"""The critical path: what a trace waited for, from its root's start to its end."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from made_spans import MS, T, span, trees

from spanglass_core.traces.trace_nodes import Span
from spanglass_core.traces.trace_tree import build_tree


def path(spans):
    """Return the parts of each span that is on the path, in time since the start of the test."""
    return {
        node.span.span_id.decode(): [(start - T, end - T) for start, end in node.critical]
        for node in build_tree(spans).nodes
        if node.critical
    }


def child(name, start, end, parent="r", clock="a", **more):
    """Make a child by its start and end in the root."""
    return span(name, parent, T + start, end - start, clock, **more)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], {"r": [(0, 100)]}),
        (
            [child("b", 10, 40), child("c", 50, 90)],
            {"r": [(0, 10), (40, 50), (90, 100)], "b": [(10, 40)], "c": [(50, 90)]},
        ),
        # the first was still running when the second began: nothing waited for its end
        ([child("b", 10, 60), child("c", 50, 90)], {"r": [(0, 50), (90, 100)], "c": [(50, 90)]}),
        ([child("b", 10, 50), child("c", 50, 90)], {"r": [(0, 10), (90, 100)], "b": [(10, 50)], "c": [(50, 90)]}),
        # two at once: the one that ended last
        ([child("b", 10, 80), child("c", 10, 90)], {"r": [(0, 10), (90, 100)], "c": [(10, 90)]}),
        ([child("b", 10, 90), child("c", 40, 90)], {"r": [(0, 10), (90, 100)], "b": [(10, 90)]}),
        # of three, the middle one overlaps both others
        (
            [child("b", 0, 30), child("c", 20, 60), child("d", 50, 100)],
            {"r": [(30, 50)], "b": [(0, 30)], "d": [(50, 100)]},
        ),
        # children of children, within the time in which their parent was waited for
        (
            [child("b", 10, 90), child("c", 20, 80, "b"), child("d", 30, 40, "c")],
            {"r": [(0, 10), (90, 100)], "b": [(10, 20), (80, 90)], "c": [(20, 30), (40, 80)], "d": [(30, 40)]},
        ),
        # nobody waits for a consumer, nor for what becomes of it
        ([child("b", 10, 90, kind="consumer"), child("c", 20, 80, "b")], {"r": [(0, 100)]}),
        ([child("b", 10, 20, kind="producer"), child("c", 15, 19, "b", "q", kind="consumer")],
         {"r": [(0, 10), (20, 100)], "b": [(10, 20)]}),
        # begun before, ended after: only what lies inside
        ([child("b", -20, 30)], {"r": [(30, 100)], "b": [(0, 30)]}),
        ([child("b", 10, 104)], {"r": [(0, 10)], "b": [(10, 100)]}),
        ([child("b", 90, 104)], {"r": [(0, 100)]}),  # left behind: a third of it ran after its parent had ended
        ([child("b", 50, 5_000)], {"r": [(0, 100)]}),
        ([child("b", 100, 200)], {"r": [(0, 100)]}),
        ([child("b", 30, 30)], {"r": [(0, 100)]}),
    ],
)  # fmt: skip
def test_what_a_span_waited_for(spans, expected):
    """The path goes through the children that held their parent up, and through itself where none did."""
    assert path([span("r"), *spans]) == expected


def test_a_server_that_ends_after_its_client():
    """A client had its answer when it ended, however long the server went on."""
    spans = [span("r", kind="client"), child("b", 10, 200, clock="b", kind="server"), child("c", 20, 190, "b", "b")]

    assert path(spans) == {"r": [(0, 10)], "b": [(10, 20)], "c": [(20, 100)]}


@pytest.mark.parametrize(("overlap", "waited"), [(999_999, True), (MS, False), (MS + 1, False)])
def test_overlap_below_the_resolution(overlap, waited):
    """Siblings of a clock of milliseconds came one after the other when they overlap by less than one."""
    base = T // MS * MS
    spans = [
        span("r", None, base, 10 * MS),
        span("b", "r", base + MS, 2 * MS + overlap),
        span("c", "r", base + 3 * MS, 5 * MS),
    ]

    assert bool(next(node for node in build_tree(spans).nodes if node.span.span_id == b"b").critical) is waited


def test_every_root_has_a_path():
    """A trace of two roots and an orphan has three paths."""
    spans = [span("r"), span("s", None, T + 50, 100), span("o", "lost", T + 70, 10)]

    assert path(spans) == {"r": [(0, 100)], "s": [(50, 150)], "o": [(70, 80)]}


@given(trees())
def test_the_parts_make_up_the_root(spans):
    """The parts below a root cover its time without gap or overlap, each inside its own span."""
    parts = {}
    for node in build_tree(spans).nodes:
        if not node.depth:
            root = node
        for start, end in node.critical:
            assert node.start_ns <= start < end <= node.end_ns
            parts.setdefault(root.index, []).append((start, end))
    roots = [node for node in build_tree(spans).nodes if not node.depth and node.duration_ns]
    for root in roots:
        ordered = sorted(parts[root.index])
        assert (ordered[0][0], ordered[-1][1]) == (root.start_ns, root.end_ns)
        assert all(first[1] == second[0] for first, second in pairwise(ordered))


def test_a_chain_and_a_fan_of_20_000_spans():
    """Neither depth nor breadth is limited, and each span is looked at once."""
    chain = [Span(b"%d" % i, b"%d" % (i - 1) if i else None, "a", T + i, 40_000 - 2 * i) for i in range(20_000)]
    fan = [span("r", duration=20_000), *(Span(b"%d" % i, b"r", "a", T + i, 1) for i in range(20_000))]

    assert sum(len(node.critical) for node in build_tree(chain).nodes) == 39_999
    assert [node.critical for node in build_tree(fan).nodes] == [[], *([(T + i, T + i + 1)] for i in range(20_000))]
