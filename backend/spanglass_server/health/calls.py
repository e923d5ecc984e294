"""Tokens in the URLs of heartbeats: they follow from a key of the data directory, so that no list of them is kept."""

from __future__ import annotations

import base64
import hmac
import os
from typing import TYPE_CHECKING, Final

from spanglass_server.store.disk import replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from spanglass_server.store.disk import Disk

_KEY_BYTES: Final = 32
#: Of the token: 128 bits can't be guessed.
_TOKEN_BYTES: Final = 16


class CallTokens:
    """Makes and checks tokens with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, uid: str) -> str:
        """The token of a heartbeat: 26 small letters and digits, the same as long as the key is."""
        digest = hmac.digest(self._key, f"heartbeat {uid}".encode(), "sha256")[:_TOKEN_BYTES]
        return base64.b32encode(digest).decode().rstrip("=").lower()

    def is_of(self, token: str, uid: str) -> bool:
        """Whether a token is that of a heartbeat; takes the same time whatever is wrong with it."""
        return hmac.compare_digest(self.token(uid).encode(), token.encode("utf-8", "replace"))


def open_key(path: Path, disk: Disk) -> bytes:
    """Read the key, or make one that only the server's user can read. Raises ``OSError``."""
    if path.exists():
        key = path.read_bytes()
        if len(key) >= _KEY_BYTES:
            return key
        raise OSError(f"{path} is no key of {_KEY_BYTES} bytes: delete it, and give jobs their new URLs of heartbeats")
    key = os.urandom(_KEY_BYTES)
    replace_file(path, key, disk)  # in one step: a server that is killed here must start again
    return key
