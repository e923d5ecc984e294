"""The tree of a trace: order, orphans, circles, ids that several spans share."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spanglass_core.traces.trace_nodes import Span
from spanglass_core.traces.trace_tree import build_tree


def span(name, parent=None, start=0, duration=100, clock="a", **more):
    """Make a span whose ids are single letters."""
    parent_id = parent.encode() if parent is not None else None
    return Span(name.encode(), parent_id, clock, start, duration, **more)


def shape(tree):
    """Show a tree as (id, depth) in its order."""
    return [(node.span.span_id.decode(), node.depth) for node in tree.nodes]


def test_depth_first_with_siblings_by_start():
    """Spans given in any order come out as a tree, each parent before its children, siblings by start."""
    tree = build_tree([span("d", "b", 30), span("c", "a", 50), span("b", "a", 10), span("a", None, 0, 100)])

    assert shape(tree) == [("a", 0), ("b", 1), ("d", 2), ("c", 1)]
    assert [node.index for node in tree.nodes] == [3, 2, 0, 1]
    assert (tree.start_ns, tree.duration_ns, tree.warnings) == (0, 150, [])


def test_start_and_duration_cost_nothing_to_read():
    """Reading a tree's start once a span looks at no node: 20 000 reads of 20 000 nodes were 400 million steps."""
    tree = build_tree(span(str(place), None, place, 10) for place in range(1000))
    looked_at = []

    class Watched(list):
        def __iter__(self):
            looked_at.append(len(self))
            return super().__iter__()

    watched = replace(tree, nodes=Watched(tree.nodes))

    assert [(watched.start_ns, watched.duration_ns) for _ in tree.nodes] == [(0, 1009)] * 1000
    assert looked_at == []


def test_orphans_follow_roots():
    """A span whose parent never came stands at the top, after the root, with its own children below it."""
    tree = build_tree([span("o", "lost", 4), span("p", "o", 5), span("r", start=9)])

    assert shape(tree) == [("r", 0), ("o", 0), ("p", 1)]
    assert [node.orphan for node in tree.nodes] == [False, True, False]
    assert tree.warnings == ["orphans"]


def test_missing_root():
    """A trace without any root says so."""
    assert build_tree([span("o", "lost")]).warnings == ["missing_root", "orphans"]


def test_several_roots():
    """Several roots are all kept, by start."""
    assert shape(build_tree([span("b", start=5), span("a", start=9), span("c", "a", 9)])) == [
        ("b", 0),
        ("a", 0),
        ("c", 1),
    ]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([span("a", "a")], [("a", 0)]),
        ([span("a", "b", 5), span("b", "a", 3)], [("b", 0), ("a", 1)]),
        (
            [span("x", "a", 0), span("a", "b", 5), span("b", "c", 4), span("c", "a", 6)],
            [("b", 0), ("a", 1), ("x", 2), ("c", 2)],
        ),
    ],
)
def test_circles_are_cut_at_their_earliest_span(spans, expected):
    """Spans in a circle, and those that hang from it, are all shown; the circle's first span is the top."""
    tree = build_tree(spans)

    assert shape(tree) == expected
    assert tree.warnings == ["missing_root", "cycle"]


def test_a_chain_of_20_000_calls():
    """Depth is limited by nothing."""
    spans = [Span(b"%d" % i, b"%d" % (i - 1) if i else None, "a", i, 20_000 - i) for i in range(20_000)]

    assert build_tree(spans).nodes[-1].depth == 19_999


IDS = st.integers(0, 12).map(lambda number: b"%d" % number)
SPANS = st.builds(
    Span,
    IDS,
    st.none() | IDS,
    st.sampled_from("abc"),
    st.integers(0, 60),
    st.integers(0, 60),
    st.sampled_from("xy"),
    st.sampled_from(["internal", "client", "server", "producer", "consumer", "unspecified"]),
)


@given(st.lists(SPANS, min_size=1, max_size=25))
def test_every_span_is_in_the_tree_once(spans):
    """Whatever the ids say: no span is lost or doubled, depths follow parents, and self times stay within bounds."""
    tree = build_tree(spans)

    assert sorted(node.index for node in tree.nodes) == list(range(len(spans)))
    for place, node in enumerate(tree.nodes):
        assert node.span is spans[node.index]
        assert 0 <= node.self_time_ns <= node.span.duration_ns
        assert node.start_ns == node.span.start_ns + node.skew_ns
        if node.parent is None:
            assert (node.depth, node.orphan) == (0, node.span.parent_id is not None)
        else:
            assert (node.depth, node.orphan) == (node.parent.depth + 1, False)
            assert node.parent in tree.nodes[:place]
            assert node in node.parent.children
            assert node.parent.span.span_id in (node.span.parent_id, node.span.span_id)


@given(st.lists(SPANS, min_size=1, max_size=8), st.randoms())
def test_the_tree_does_not_depend_on_arrival(spans, random):
    """Spans that arrive in another order make the same tree, also where several share an id.

    Arrival orders only siblings of one start and one end.
    """
    unique = list(dict.fromkeys(spans))
    assume(len({(one.start_ns, one.duration_ns) for one in unique}) == len(unique))
    shuffled = random.sample(unique, len(unique))

    first, second = build_tree(unique), build_tree(shuffled)

    assert [(n.span, n.depth, n.skew_ns, n.self_time_ns) for n in first.nodes] == [
        (n.span, n.depth, n.skew_ns, n.self_time_ns) for n in second.nodes
    ]
