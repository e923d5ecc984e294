"""Ids of traces and spans: how people write them, and which bytes are none."""

from __future__ import annotations

import re

_TRACE_DIGITS = (16, 32)  # of a 64-bit id (Zipkin, older Jaeger), and of OpenTelemetry's
_WHOLE = max(_TRACE_DIGITS)
_HEX = re.compile("[0-9a-f]+")

#: What is said of a text that is no trace id.
TRACE_ID_FORM = "32 hex digits, or 16 for a 64-bit id"


def read_trace_id(text: str) -> str | None:
    """Return a trace id as 32 lower-case hex digits; None for a text that is none.

    An id of 64 bits, 16 digits, is stored with zeros before it: senders of such ids pad them so.
    """
    digits = text.strip().lower()
    if len(digits) not in _TRACE_DIGITS or not _HEX.fullmatch(digits):
        return None
    return digits.rjust(_WHOLE, "0")


def id_or_none(value: bytes | None) -> bytes | None:
    """Return an id, None for an absent one: no bytes, or zeros only."""
    return value if value and any(value) else None
