"""Requests folded by path, by cases worked out by hand."""

from __future__ import annotations

import pytest

from spanglass_core.call_trees.folding import Request, fold
from spanglass_core.call_trees.statements import add_up, normalised
from spanglass_core.traces.trace_nodes import Span
from spanglass_core.traces.trace_tree import build_tree

MS = 1_000_000


def request(calls, **chosen):
    """Make a request of 10 ms and its calls: name, start, duration, parent's place (-1 is the request)."""
    every = [("GET /cart", 0, 10, None), *calls]
    spans = [
        Span(bytes([place + 1]) * 8, None if parent is None else bytes([parent + 2]) * 8, "host", (start + 1) * MS,
             length * MS, "web" if parent is None else "db", "server" if parent is None else "client")
        for place, (_, start, length, parent) in enumerate(every)
    ]  # fmt: skip
    return Request(build_tree(spans).nodes[0], [name for name, *_ in every], **chosen)


def shown(tree):
    """Write places as: depth, name, calls, share, total and self of an average request in ms."""
    return [(each.depth, each.operation, each.usual.calls, each.usual.share, each.usual.total_ns / MS,
             each.usual.self_ns / MS) for each in tree.places]  # fmt: skip


def test_calls_at_one_place_are_one():
    """Two requests: three queries and one, a cache in one of them only; the sums are of an average request."""
    tree = fold([
        request([("SELECT", 1, 1, -1), ("SELECT", 3, 1, -1), ("SELECT", 5, 2, -1), ("fetch", 5, 1, 2)]),
        request([("SELECT", 2, 4, -1), ("GET cache", 7, 2, -1)]),
    ])  # fmt: skip
    assert shown(tree) == [
        (0, "GET /cart", 2, 1.0, 10.0, 5.0),  # (10 - 4 + 10 - 6) / 2
        (1, "SELECT", 4, 1.0, 4.0, 3.5),  # (1 + 1 + 2 + 4) / 2, less the 1 ms of fetch
        (2, "fetch", 1, 0.5, 0.5, 0.5),
        (1, "GET cache", 1, 0.5, 1.0, 1.0),
    ]
    assert [each.parent for each in tree.places] == [-1, 0, 1, 0]
    select = tree.places[1].usual
    assert (select.p50_ns, select.p95_ns) == (2 * MS, 4 * MS)  # of 1, 1, 2, 4
    assert (tree.usual, tree.slow) == (2, 0)


def test_slow_requests_say_where_they_are_slower():
    """A slow one that is usual, too, counts for both; what it spends more at a place is the difference of averages."""
    quick = [request([("SELECT", 1, 1, -1)]) for _ in range(3)]
    slow = request([("SELECT", 1, 1, -1), ("SELECT", 2, 7, -1)], is_slow=True)
    places = {each.operation: each for each in fold([*quick, slow]).places}
    assert places["SELECT"].usual.total_ns == pytest.approx((1 + 1 + 1 + 8) / 4 * MS)
    assert places["SELECT"].slower_ns == pytest.approx((8 - 11 / 4) * MS)
    assert places["GET /cart"].slower_ns == pytest.approx((2 - (9 * 3 + 2) / 4) * MS)
    assert all(each.slower_ns == 0 for each in fold(quick).places)  # nothing to compare with


def test_the_largest_places_stay_with_what_they_hang_from():
    """Beyond the limit the places of least time are left out, never one between two that are shown."""
    calls = [("outer", 1, 2, -1), ("inner", 1, 2, 0), *((f"q{n}", 4, 1, -1) for n in range(9))]
    tree = fold([request(calls)], most_places=3)
    assert [each.operation for each in tree.places] == ["GET /cart", "outer", "inner"]
    late = fold([request([("later", 1, 30, -1), ("small", 1, 2, -1)])], most_places=1)
    assert [each.operation for each in late.places] == ["GET /cart"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * FROM t WHERE id IN (1, 2,3) AND name = 'it''s'", "SELECT * FROM t WHERE id IN (?) AND name = ?"),
        ("INSERT INTO t2 (a, b) VALUES (1, 'x'), (2, 'y')", "INSERT INTO t2 (a, b) VALUES (?)"),
        ('select a1 -- note\n from "T 1" /* x */ where n>-1.5e3;', 'select a1 from "T 1" where n>-?'),
        ("UPDATE `t` SET a=%s, b=:name, c=$1, d=@p, e=%(x)s", "UPDATE `t` SET a=?, b=?, c=?, d=?, e=?"),
        ("SELECT x::int FROM t WHERE h = 0xFF AND s = 'open", "SELECT x::int FROM t WHERE h = ? AND s = ?"),
        ("SELECT $tag$ it's $tag$", "SELECT ?"),
        ("", ""),
    ],
)
def test_statements_without_values(text, expected):
    """Values, lists of them and comments are gone; names, digits in names and casts stay; doing it twice is as once."""
    assert normalised(text) == expected
    assert normalised(expected) == expected


def test_statements_are_added_up():
    """What an average request waits for each, those of most time first."""
    calls = [("db", "a", 2, True, False), ("db", "a", 4, True, True), ("db", "b", 9, False, True)]
    found = add_up(calls, usual=2, slow=1, most=5)
    assert [(each.text, each.calls, each.total_ns, each.slow_calls, each.slow_total_ns) for each in found] == [
        ("b", 0.0, 0.0, 1.0, 9.0), ("a", 1.0, 3.0, 1.0, 4.0),
    ]  # fmt: skip
