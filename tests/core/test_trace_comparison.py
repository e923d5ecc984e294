"""Traces side by side: alignment by path and what became of each path, worked out by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spanglass_core.traces.trace_comparison import compare, largest
from spanglass_core.traces.trace_paths import PathSpan, fold_all, listed


def folded(*traces):
    """Fold traces given as rows of depth, name and self time in ns."""
    return fold_all(
        [PathSpan(str(place), depth, ("web", name, ""), own, own) for place, (depth, name, own) in enumerate(rows)]
        for rows in traces
    )


def shown(before, after):
    """Depth, name, change, and both differences of each path."""
    return [
        (path.depth, path.step[1], path.change, path.self_difference_ns, path.work_difference_ns)
        for path in compare(before, after)
    ]


def test_two_traces_are_aligned_by_path():
    """A call that is new stands after the one it followed, one that is gone where it was; work adds up."""
    before = folded([(0, "GET", 100), (1, "auth", 50), (1, "query", 300), (2, "parse", 10), (1, "render", 540)])
    after = folded(
        [
            (0, "GET", 100),
            (1, "cache", 20),
            (1, "auth", 52),
            (1, "query", 300),
            (1, "query", 300),
            (1, "log", 5),
            (1, "render", 200),
        ]
    )
    assert shown(before, after) == [
        (0, "GET", "same", 0, -23),
        (1, "cache", "appeared", 20, 20),
        (1, "auth", "same", 2, 2),
        (1, "query", "slower", 300, 290),
        (2, "parse", "vanished", -10, -10),
        (1, "log", "appeared", 5, 5),
        (1, "render", "faster", -340, -340),
    ]
    assert [path.step[1] for path in largest(compare(before, after), 2)] == ["render", "query"]


def test_groups_of_different_sizes_are_compared_for_each_trace():
    """Four equal traces beside one of the same are the same; one of two that has a call twice as long adds half."""
    trace = [(0, "GET", 100), (1, "query", 300)]
    assert {path[2:] for path in shown(folded(*[trace] * 4), folded(trace))} == {("same", 0, 0)}
    slow = [(0, "GET", 100), (1, "query", 600)]
    assert shown(folded(trace), folded(trace, slow))[1][2:] == ("slower", 150, 150)


def test_what_all_is_little_of_is_no_difference():
    """A path that takes three times as long is the same while that is below a hundredth of everything."""
    before, after = ([(0, "GET", 10_000), (1, "tiny", own)] for own in (10, 30))
    assert [path[2] for path in shown(folded(before), folded(after))] == ["same", "same"]


ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc"), st.integers(0, 99)), min_size=1, max_size=12)


@given(ROWS, ROWS)
def test_both_sides_are_there_in_their_order(first, second):
    """Every path of each side is there once, in that side's order, and differences add up to that of the whole."""
    sides = []
    for rows in (first, second):
        deepest, tree = -1, []
        for depth, name, own in rows:
            deepest = min(depth, deepest + 1)
            tree.append((deepest, name, own))
        sides.append(folded(tree))
    aligned = compare(*sides)
    for place, top in enumerate(sides):
        own = [path.sides[place] for path in aligned if path.sides[place] is not None]
        assert sorted(map(id, own)) == sorted(map(id, listed(top)))
    assert [path.sides[0] for path in aligned if path.sides[0]] == listed(sides[0])
    assert sum(path.self_difference_ns for path in aligned) == sides[1].work_ns - sides[0].work_ns
