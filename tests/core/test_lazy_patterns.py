"""Patterns that are compiled when they are used."""

from __future__ import annotations

import re

import pytest

from spanglass_core.lazy_patterns import lazily, lazy_pattern


def test_a_lazy_pattern_does_what_a_compiled_one_does():
    """Each method gives what the compiled pattern's gives, with its flags, the second time too."""
    lazy, compiled = lazy_pattern("B(.)", re.IGNORECASE), re.compile("B(.)", re.IGNORECASE)

    for _ in range(2):
        assert lazy.search("abc")[1] == compiled.search("abc")[1] == "c"
        assert lazy.sub(r"\1\1", "abcd") == compiled.sub(r"\1\1", "abcd")
    assert lazy.pattern == compiled.pattern


def test_nothing_is_compiled_before_the_first_use():
    """The function that makes the pattern is called by the first use of a method, and not again by the next."""
    made = []
    pattern = lazily(lambda: made.append(1) or re.compile("a"))

    assert made == []
    assert [pattern.fullmatch("a") is None, pattern.fullmatch("b") is None, made] == [False, True, [1]]


def test_what_a_pattern_does_not_have_is_an_attribute_error():
    """A wrong name is told as by a pattern."""
    with pytest.raises(AttributeError, match="no_such"):
        _ = lazy_pattern("a").no_such
