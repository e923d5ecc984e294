"""Stacks of a profiler as one tree of functions, by hand."""

from __future__ import annotations

import time

from spanglass_core.call_trees import stacks
from spanglass_core.call_trees.stacks import Function, Times, fold_stacks, read_function


def test_lines_are_read():
    """A line says module, qualified name, file and line; whatever else is written is a function of that name."""
    assert read_function("shop.cart:Cart.total.<locals>.add (/srv/my shop (1)/cart.py:41)") == Function(
        "shop.cart", "Cart.total.<locals>.add", "/srv/my shop (1)/cart.py", 41
    )
    assert read_function("(other stacks)") == Function("", "(other stacks)")
    assert read_function("main (x)") == Function("", "main (x)")
    assert read_function("a::b(int)") == Function("a", ":b(int)")
    assert read_function("a (b) (c:1)") == Function("", "a", "b) (c", 1)
    assert read_function("m:f (c:1234567890)") == Function("m", "f (c:1234567890)")
    assert read_function("") == Function("", "")


def test_stacks_are_one_tree():
    """Equal callers are one frame, the heaviest first; a function that calls itself counts once for its total."""
    frames, times = fold_stacks([("m:a\nm:b", 2, 20), ("m:a\nm:c\nm:c", 3, 30), ("m:a", 1, 5), ("m:d", 1, 5)])
    assert [(frame.function.function, frame.depth, frame.samples, frame.total, frame.own) for frame in frames] == [
        ("a", 0, 6, 55, 5), ("c", 1, 3, 30, 0), ("c", 2, 3, 30, 30), ("b", 1, 2, 20, 20), ("d", 0, 1, 5, 5),
    ]  # fmt: skip
    assert {function.function: took for function, took in times.items()} == {
        "a": Times(5, 55, 6), "b": Times(20, 20, 2), "c": Times(30, 30, 3), "d": Times(5, 5, 1),
    }  # fmt: skip
    assert fold_stacks([]) == ([], {})


def test_what_anybody_sends_is_bounded(monkeypatch):
    """Of long lines the begin is read, of deep stacks the innermost lines; too many frames add to the one above."""
    began = time.thread_time()
    assert read_function(" (:" * 20_000).function == " (:" * 20_000
    assert time.thread_time() - began < 2  # 0.1 ms; 12 s where the length counts squared
    frames, times = fold_stacks(
        [("m:a\n" + "\n".join(f"m:f{line}" for line in range(12_000)), 1, 7), ("x" * 999, 1, 1)]
    )
    named = [frame.function.function for frame in frames]
    assert (len(named), named[:2], named[-2:]) == (201, ["...", "f11801"], ["f11999", "x" * 300])
    assert (times[Function("m", "f11999")].own, Function("m", "a") in times) == (7, False)
    monkeypatch.setattr(stacks, "MOST_FRAMES", 3)
    of_stacks = [("m:a\nm:b\nm:c", 1, 8), ("m:a\nm:d", 1, 4), ("m:e\nm:f", 1, 2), ("m:a\nm:b", 1, 1)]
    frames, times = fold_stacks(of_stacks)
    assert [(frame.function.function, frame.total, frame.own) for frame in frames] == [
        ("a", 13, 4), ("b", 9, 1), ("c", 8, 8), ("e", 2, 2),
    ]  # fmt: skip
    assert sum(took.own for took in times.values()) == 15
