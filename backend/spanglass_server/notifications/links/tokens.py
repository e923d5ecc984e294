"""Tokens of links: what is to be done, about which notification, until when, signed with the server's key.

The same notification gives the same token, so that a message that comes twice has one link, which works once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from dataclasses import dataclass
from enum import StrEnum

from spanglass_server.times import NS_PER_SECOND

_VERSION = 1
_HEAD = struct.Struct(">BBI")  # version, number of the action, seconds since 1970 of its end
_SIGNATURE_BYTES = 16
_MOST_CHARACTERS = 400


class LinkAction(StrEnum):
    """What a link does."""

    ACKNOWLEDGE = "acknowledge"
    SILENCE = "silence"


_ACTIONS = tuple(LinkAction)  # numbers in tokens: new ones go to the end


@dataclass(frozen=True, slots=True)
class Token:
    """What a link says. ``nonce`` tells it from every other one."""

    action: LinkAction
    notification_id: str
    expires_s: int
    nonce: str

    @property
    def expires_ns(self) -> int:
        """From then on the link does nothing."""
        return self.expires_s * NS_PER_SECOND


def sign(key: bytes, action: LinkAction, notification_id: str, expires_s: int) -> str:
    """The token, of letters, digits, ``-``, ``_`` and one dot."""
    payload = _HEAD.pack(_VERSION, _ACTIONS.index(action), expires_s) + notification_id.encode()
    return f"{_text(payload)}.{_text(_signature(key, payload))}"


def read(key: bytes, text: str) -> Token | None:
    """The token of a link; None for one that this server has not signed. Expired ones are read."""
    encoded, _, signature = text.partition(".")
    if len(text) > _MOST_CHARACTERS or not text.isascii():
        return None
    try:
        payload, signed = _bytes(encoded), _bytes(signature)
    except ValueError:
        return None
    # each token has one spelling: another one of the same bytes would be a link that was not used yet
    if f"{_text(payload)}.{_text(signed)}" != text or not hmac.compare_digest(_signature(key, payload), signed):
        return None
    version, number, expires_s = _HEAD.unpack_from(payload)
    if version != _VERSION or number >= len(_ACTIONS):
        return None
    return Token(_ACTIONS[number], payload[_HEAD.size :].decode(), expires_s, signature)


def _signature(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, b"link\0" + payload, hashlib.sha256)[:_SIGNATURE_BYTES]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
