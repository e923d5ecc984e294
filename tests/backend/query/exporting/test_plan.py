"""Cutting a range into pieces, by what storage knows of its parts."""

from __future__ import annotations

from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from spanglass_server.query.exporting.plan import pieces
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Part, Window

#: About now, where a float has no nanoseconds any more.
NOW = 1_790_000_000_000_000_000
SPANS = st.tuples(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(1, 10**6))


def holding(*parts):
    """A session whose parts begin and end so long after NOW, with so many rows."""
    made = [
        Part(("p", n), Signal.SPANS, rows, NOW + first, NOW + last, frozenset())
        for n, (first, last, rows) in enumerate(parts)
    ]
    return SimpleNamespace(parts=lambda _signal, _window: made)


@settings(max_examples=40, deadline=None, database=None)
@given(parts=st.lists(SPANS, max_size=6), length=st.integers(1, 10**13), rows=st.integers(1_000, 10**6))
def test_pieces_are_the_window(parts, length, rows):
    """Pieces follow each other from the begin of the window to its end, none is empty of time, and all rows count."""
    ordered = [(min(first, last), max(first, last), count) for first, last, count in parts]
    window = Window(NOW, NOW + length)
    cut = pieces(holding(*ordered), Signal.SPANS, window, rows)
    assert [cut[0].window.start_ns, *(piece.window.end_ns for piece in cut)] == [
        *(piece.window.start_ns for piece in cut),
        window.end_ns,
    ]
    assert all(piece.window.start_ns < piece.window.end_ns for piece in cut)
    inside = sum(
        count * (min(max(last + 1, 0), length) - min(first, length)) / (last + 1 - first)
        for first, last, count in ordered
    )
    assert abs(sum(piece.rows for piece in cut) - inside) <= len(cut) + 1e-6 * inside


def test_pieces_have_about_as_many_rows_as_asked():
    """A busy hour between quiet days is cut finely, and the quiet days are not."""
    hour = 3_600 * 10**9
    cut = pieces(
        holding((0, 24 * hour, 24), (24 * hour, 25 * hour, 1_000), (25 * hour, 48 * hour, 24)),
        Signal.SPANS,
        Window(NOW - hour, NOW + 72 * hour),
        100,
    )
    assert len(cut) == 11
    assert all(90 <= piece.rows <= 100 for piece in cut)
    assert all(piece.window.end_ns - piece.window.start_ns < hour for piece in cut[1:-1])
