"""Where a page of results ended, as an opaque text that the next request brings back."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import orjson

from spanglass_server.query.errors import BadQuestionError

#: Values are stored times, durations and numbers: of 64 bits, with a sign or without.
_VALUES = range(-(2**63), 2**64)
_HINT = "take the one of the answer before, or leave it out"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place after the last result: its sort value and, among equals, its id."""

    value: int
    id: bytes

    def encode(self, order: str) -> str:
        """Write the cursor for a client; ``order`` names the sorting it belongs to."""
        raw = orjson.dumps([order, self.value, self.id.hex()])
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    @classmethod
    def decode(
        cls, text: str | None, order: str, field: str = "cursor", *, id_bytes: int | None = None
    ) -> Cursor | None:
        """Read a client's cursor, None for none; BadQuestionError for one of another sorting or of nothing at all.

        ``field`` is the parameter that it came in; ``id_bytes`` is how long the ids of these pages are, if all are.
        """
        if not text:
            return None
        try:
            written_for, value, hex_id = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            cursor = cls(_checked(value), bytes.fromhex(hex_id))
        except (ValueError, TypeError) as error:
            raise BadQuestionError("this is not a cursor", field=field, hint=_HINT) from error
        if written_for != order:
            raise BadQuestionError(
                f"the cursor belongs to pages sorted by {written_for}, and these are by {order}",
                field=field,
                hint="leave the cursor out to begin again",
            )
        if id_bytes is not None and len(cursor.id) != id_bytes:
            raise BadQuestionError("this is not a cursor of these pages", field=field, hint=_HINT)
        return cursor

    def precedes(self, value: int, id_: bytes, *, descending: bool) -> bool:
        """Whether a result comes after this place in an order."""
        here, there = (self.value, self.id), (value, id_)
        return there < here if descending else there > here


def _checked(value: Any) -> int:
    """Return a value that is an integer as stored ones are; ValueError for floats, texts and what has more bits."""
    if type(value) is not int or value not in _VALUES:
        raise ValueError(value)
    return value
