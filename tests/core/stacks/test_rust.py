"""Backtraces of Rust: panics, errors that keep a backtrace, lists of causes."""

from __future__ import annotations

import pytest

from spanglass_core.stacks.model import Frame, Raised
from spanglass_core.stacks.parse import parse


def test_a_panic_in_full() -> None:
    """The machinery of the panic is left out, with the hook that printed it."""
    stack = """thread 'main' panicked at src/main.rs:5:9:
index out of bounds: the len is 0 but the index is 3
stack backtrace:
   0: shop::main::{{closure}}
             at ./src/main.rs:2:9
   1: rust_begin_unwind
             at /rustc/5980/library/std/src/panicking.rs:692:5
   2: core::panicking::panic_bounds_check
             at /rustc/5980/library/core/src/panicking.rs:273:5
   3: <shop::Shelf as core::ops::index::Index<usize>>::index
             at ./src/main.rs:5:9
   4: shop::main
             at ./src/main.rs:9:3
note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.
"""
    assert parse(stack) == (
        Raised(
            "panic",
            "index out of bounds: the len is 0 but the index is 3",
            (
                Frame("shop::main", "shop", "./src/main.rs", 9, in_app=True),
                Frame(
                    "<shop::Shelf as core::ops::index::Index<usize>>::index", "shop", "./src/main.rs", 5, in_app=True
                ),
            ),
        ),
    )


def test_addresses_and_hashes_are_left_out() -> None:
    """Without files the crate says what is the application's."""
    stack = (
        "   0:     0x55d0c3a1b2c0 - core::panicking::panic_fmt::h0123456789abcdef\n"
        "   1:     0x55d0c3a1b2c0 - shop::take::h0123456789abcdef\n"
        "   2:     0x55d0c3a1b2c0 - <F as axum::handler::Handler<T>>::call::h0123456789abcdef\n"
        "   3:     0x55d0c3a1b2c0 - main\n"
    )
    found = [(frame.function, frame.module, frame.in_app) for frame in parse(stack)[0].frames]
    assert found == [
        ("main", "", False),
        ("<F as axum::handler::Handler<T>>::call", "axum", False),
        ("shop::take", "shop", True),
    ]


def test_an_error_with_causes_and_a_backtrace() -> None:
    """Causes are messages; the frames that made the backtrace are left out."""
    stack = (
        'order 7\n\nCaused by:\n    0: reserve of "tea" failed\n    1: shelf 3 is empty\n\nStack backtrace:\n'
        "   0: anyhow::error::msg\n             at /cargo/src/anyhow-1.0.105/src/backtrace.rs:10:14\n"
        "   1: shop::reserve\n             at /app/src/main.rs:76:77\n"
    )
    found = parse("", "", stack)
    assert [(one.message, one.relation, one.parent) for one in found] == [
        ("order 7", "", None),
        ('reserve of "tea" failed', "cause", 0),
        ("shelf 3 is empty", "cause", 1),
    ]
    assert [frame.function for frame in found[0].frames] == ["shop::reserve"]


def test_an_error_with_one_cause_and_no_backtrace() -> None:
    """What anyhow prints without ``RUST_BACKTRACE``."""
    found = parse("", "", "order 7\n\nCaused by:\n    shelf 3 is empty")
    assert [(one.message, one.relation) for one in found] == [("order 7", ""), ("shelf 3 is empty", "cause")]


def test_a_list_of_causes() -> None:
    """What tracing sends as the stack: the messages of the sources."""
    assert parse('["shelf 3 is empty"]', "", "no tea") == (
        Raised("", "no tea", ()),
        Raised("", "shelf 3 is empty", (), "cause", 0),
    )


def test_a_numbered_list_is_no_backtrace() -> None:
    """Numbers before lines do not make frames."""
    assert parse("1: wash the shelf\n2: fill the shelf", "E", "x") == (Raised("E", "x", ()),)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("shop::tell::<shop::main::{closure#1}>", "shop::tell"),
        ("shop::each::<fn(u32) -> shop::D<u8>, u32>::run::<u8>", "shop::each::run"),
        ("<shop::Shelf>::take", "shop::Shelf::take"),
        ("<shop::Shelf<u8> as core::fmt::Display>::fmt", "<shop::Shelf<u8> as core::fmt::Display>::fmt"),
    ],
)
def test_what_newer_compilers_print_of_a_function(function: str, expected: str) -> None:
    """Type arguments are left out, and a type's own functions are called as older compilers call them."""
    assert parse(f"   0: {function}\n             at ./src/main.rs:1:1\n")[0].frames[0].function == expected
