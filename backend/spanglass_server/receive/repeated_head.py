"""The head of a request that a sender repeats: all but the length of the body is the same in each of its requests.

A request whose head is known to the byte needs no parser: what it says was read when it came first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from spanglass_server.receive.asgi import Head

_LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length:[ \t]*([0-9]+)(?=\r\n)")
_END: Final = b"\r\n\r\n"
_DIGITS_MAX: Final = 7  # of the length of a small body
_HEAD_MAX: Final = 8 << 10  # of the bytes that each connection keeps; those of SDKs are a few hundred


@dataclass(frozen=True, slots=True)
class RepeatedHead:
    """A head as it was sent, around the digits of Content-Length; ``head`` is what it says."""

    head: Head
    before: bytes
    after: bytes

    @classmethod
    def of(cls, data: bytes, head: Head, body: bytes) -> RepeatedHead | None:
        """That of a request of which the parser read this head and body; None if ``data`` is more, or less, than it."""
        sent = data[: data.find(_END, 0, _HEAD_MAX) + len(_END)]
        found = list(_LENGTH.finditer(sent))
        if len(found) != 1:
            return None
        made = cls(head, sent[: found[0].start(1)], sent[found[0].end(1) :])
        return made if made.rest_of(data) == (len(body), body) else None

    def rest_of(self, data: bytes) -> tuple[int, bytes] | None:
        """How long the body is to be, and what there is behind the head; None if ``data`` has not this whole head."""
        if not data.startswith(self.before):
            return None
        start = len(self.before)
        end = data.find(b"\r", start, start + _DIGITS_MAX + 1)
        digits = data[start:end]
        if end < 0 or not digits.isdigit() or not data.startswith(self.after, end):
            return None
        return int(digits), data[end + len(self.after) :]

    def with_body(self, body: bytes) -> bytes:
        """A request with this head."""
        return b"%s%d%s%s" % (self.before, len(body), self.after, body)
