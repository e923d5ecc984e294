"""Folding by path: cases worked out by hand, and what holds of every tree."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spanglass_core.traces.trace_paths import PathSpan, fold, fold_all, heaviest, listed


def span(key, depth, name, duration=10, own=1, **more):
    """Make a span of one service."""
    return PathSpan(key, depth, ("web", name, ""), duration, own, **more)


def table(top):
    """Depth, name, spans, errors, duration, self time, work and the longest of each path."""
    return [
        (path.depth, path.step[1], path.spans, path.errors, path.duration_ns, path.self_time_ns, path.work_ns,
         path.longest)
        for path in listed(top)
    ]  # fmt: skip


def test_equal_calls_under_equal_parents_are_one_path():
    """Figures of a path are sums; the same name below another parent is another path."""
    top = fold(
        [
            span("a", 0, "GET /", 100, 20),
            span("b", 1, "load", 50, 10),
            span("c", 2, "SELECT", 15, 15),
            span("d", 2, "SELECT", 25, 25, failed=True),
            span("e", 1, "SELECT", 30, 30),
            span("f", 1, "load", 5, 5),
        ]
    )

    assert table(top) == [
        (0, "GET /", 1, 0, 100, 20, 105, "a"),
        (1, "load", 2, 0, 55, 15, 55, "b"),
        (2, "SELECT", 2, 1, 40, 40, 40, "d"),
        (1, "SELECT", 1, 0, 30, 30, 30, "e"),
    ]
    assert top.work_ns == 105


def test_what_is_called_and_whose_it_is_tell_paths_apart():
    """One name of two services, or with two targets, is two paths."""
    steps = [("web", "SELECT", "orders"), ("web", "SELECT", "users"), ("db", "SELECT", "users")]
    top = fold(PathSpan(str(place), 0, step, 1, 1) for place, step in enumerate(steps))
    assert [path.step for path in listed(top)] == steps


def test_another_trace_is_added():
    """A group of traces is folded one after the other; new paths come after those that were there."""
    top = fold_all(
        [
            [span("a", 0, "GET /"), span("b", 1, "x")],
            [span("c", 0, "GET /"), span("d", 1, "y"), span("e", 1, "x", 20)],
        ]
    )
    assert [(path.step[1], path.traces) for path in listed(top)] == [("GET /", 2), ("x", 2), ("y", 1)]
    assert [(row[1], row[2], row[6], row[7]) for row in table(top)] == [
        ("GET /", 2, 5, "a"),
        ("x", 2, 2, "e"),
        ("y", 1, 1, "d"),
    ]


def test_a_deep_chain_folds():
    """Ten thousand calls below each other are ten thousand paths."""
    assert len(listed(fold(span(str(depth), depth, f"call {depth}") for depth in range(10_000)))) == 10_000


@given(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from("abc"), st.integers(0, 9)), max_size=30), st.integers(1, 9)
)
def test_nothing_is_lost_and_no_path_stands_alone(rows, most):
    """Spans and work add up, and what is left after the lightest are dropped is still a tree."""
    spans, deepest = [], -1
    for place, (depth, name, own) in enumerate(rows):
        deepest = min(depth, deepest + 1)
        spans.append(span(str(place), deepest, name, own, own))
    top = fold(spans)
    paths = listed(top)

    assert sum(path.spans for path in paths) == len(spans)
    assert top.work_ns == sum(one.self_time_ns for one in spans)
    kept = heaviest(paths, most)
    assert len(kept) == min(most, len(paths))
    at = -1
    for path in kept:
        assert path.depth <= at + 1
        at = path.depth
