"""Stacks of a profiler as one tree of functions, by hand."""

from __future__ import annotations

from spanglass_core.call_trees.stacks import Function, Times, fold_stacks, read_function


def test_lines_are_read():
    """A line says module, qualified name, file and line; whatever else is written is a function of that name."""
    assert read_function("shop.cart:Cart.total.<locals>.add (/srv/my shop (1)/cart.py:41)") == Function(
        "shop.cart", "Cart.total.<locals>.add", "/srv/my shop (1)/cart.py", 41
    )
    assert read_function("(other stacks)") == Function("", "(other stacks)")
    assert read_function("main (x)") == Function("", "main (x)")
    assert read_function("a::b(int)") == Function("a", ":b(int)")
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
