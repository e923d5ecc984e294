"""Reading stack traces of any language: what holds for all of them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from spanglass_core.stacks.model import Raised
from spanglass_core.stacks.parse import parse


def test_a_text_of_no_language_is_an_exception_without_frames() -> None:
    """Type and message stand as they were sent when the text says nothing."""
    assert parse("no idea\nwhat this is", "Odd", "it broke") == (Raised("Odd", "it broke", ()),)


def test_nothing_at_all_is_an_exception_without_frames() -> None:
    """Missing type, message and stack give one exception that says nothing."""
    assert parse("") == (Raised("", "", ()),)


@settings(derandomize=True, deadline=None)
@given(st.text(st.characters()), st.text(), st.text())
def test_no_text_raises(stacktrace: str, kind: str, message: str) -> None:
    """Whatever is sent, reading it gives at least one exception."""
    assert parse(stacktrace, kind, message)
