"""Ids as people write them, and which bytes are none."""

from __future__ import annotations

import pytest

from spanglass_core.ids import id_or_none, read_trace_id

WHOLE, SHORT = "0af7651916cd43dd8448eb211c80319c", "8448eb211c80319c"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WHOLE, WHOLE),
        (f" {WHOLE.upper()}\n", WHOLE),
        (SHORT, "0" * 16 + SHORT),
        (SHORT.upper(), "0" * 16 + SHORT),
        (SHORT[1:], None),
        (WHOLE[1:], None),
        (WHOLE + "0", None),
        ("g" * 32, None),
        ("\u0664" * 16, None),
        ("", None),
    ],
)
def test_trace_ids(text, expected):
    """Thirty-two digits are an id, sixteen are one of 64 bits, padded; anything else is none."""
    assert read_trace_id(text) == expected


@pytest.mark.parametrize(("value", "expected"), [(None, None), (b"", None), (bytes(8), None), (b"\0\1", b"\0\1")])
def test_zeros_are_no_id(value, expected):
    """No bytes, and zeros only, are no id."""
    assert id_or_none(value) == expected
