"""The tree of a large trace, built of arrays: what the tree of nodes says of the same spans."""

from __future__ import annotations

import random

import pytest

from spanglass_core.traces.trace_nodes import Span
from spanglass_core.traces.trace_tree import build_tree
from spanglass_server.query.trace_tree.arrays import SpanLists, TreeLists
from spanglass_server.query.trace_tree.building import from_arrays, tree_of

T = 1_795_911_134_031_026_867
KINDS = ("internal", "client", "server", "producer", "consumer")


def made_id(number):
    """Return an id of eight bytes."""
    return number.to_bytes(8, "big")


def made_trace(draw, *, spread, shared=0.0, clocks="abc", step=1, circles=0.0):
    """Make a trace of up to 40 spans: orphans, several roots, calls between clocks that are off by ``spread``."""
    spans = []
    for number in range(1, draw.randrange(2, 41)):
        own = draw.randrange(1, number) if number > 1 and draw.random() < shared else number
        parent = (
            draw.choice([None, 9_999, draw.randrange(1, number)] + [max(1, number - 2)] * 5) if number > 1 else None
        )
        parent = draw.randrange(1, 41) if draw.random() < circles else parent
        spans.append(
            Span(
                made_id(own),
                None if parent is None else made_id(parent),
                draw.choice(clocks),
                (T + draw.randrange(spread)) // step * step,
                draw.randrange(spread) // step * step,
                draw.choice("xyz"),
                draw.choice(KINDS),
                draw.random() < 0.3,
            )
        )
    return spans


def plain(tree):
    """Return a tree as lists that can be compared."""
    found = {name: getattr(tree, name) for name in TreeLists.__slots__}
    return found | {"critical": [[*parts] for parts in tree.critical]}


@pytest.mark.parametrize(
    "kind",
    [
        {"spread": 60},
        {"spread": 6, "clocks": "a"},
        {"spread": 40_000_000, "step": 1_000_000},
        {"spread": 60, "shared": 0.4},
        {"spread": 2_000, "circles": 0.05},
    ],
)
def test_arrays_say_what_nodes_say(kind):
    """Order, depth, times, skew, what was waited for and warnings are the same, whatever ids and clocks are like."""
    draw, of_arrays = random.Random(1), 0  # noqa: S311 - made-up data
    for _ in range(100):
        spans = made_trace(draw, **kind)
        found = from_arrays(SpanLists.of(spans))
        of_arrays += found is not None
        assert plain(found or tree_of(SpanLists.of(spans))) == plain(TreeLists.of(build_tree(spans)))
    assert of_arrays > 25


@pytest.mark.parametrize(
    "odd",
    [
        Span(b"1234", None, "a", T, 5),
        Span(made_id(7), b"1234", "a", T, 5),
        Span(made_id(7), made_id(7), "a", T, 5),
        Span(made_id(7), None, "a", 0, 5),
        Span(made_id(7), None, "a", 2**62, 5),
    ],
)
def test_odd_spans_are_left_to_nodes(odd):
    """Ids of other lengths, circles, unknown starts and endless times make no arrays, and the trace is shown."""
    spans = [Span(made_id(1), None, "a", T, 100), odd]
    assert from_arrays(SpanLists.of(spans)) is None
    assert tree_of(SpanLists.of(spans)).index


@pytest.mark.parametrize("is_chain", [True, False])
def test_a_chain_and_a_fan_of_20_000_spans(is_chain):
    """Calls within calls and calls side by side are placed alike: all in their order, and all of the time is told."""
    count = 20_000
    parents = [None, *(made_id(number if is_chain else 1) for number in range(1, count))]
    spans = [
        Span(made_id(1 + at), parent, "a", T + at, 2 * count - 2 * at if is_chain or not at else 1)
        for at, parent in enumerate(parents)
    ]

    tree = tree_of(SpanLists.of(spans[::-1]))

    assert tree.index == [*range(count)][::-1]
    assert tree.depth[-1] == (count - 1 if is_chain else 1)
    assert sum(tree.self_time_ns) == tree.length_ns == 2 * count
    assert sum(end_ns - start_ns for parts in tree.critical for start_ns, end_ns in parts) == tree.length_ns
