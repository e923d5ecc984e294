"""The key that links are signed with: made once, in the data directory, for this user only."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from spanglass_server.store.disk import replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from spanglass_server.store.disk import Disk

FILE_NAME = "link.key"
_BYTES = 32


def link_key(directory: Path, disk: Disk) -> bytes:
    """The key; ``OSError`` when it can't be read or made, or when the file is not what this server wrote."""
    path = directory / FILE_NAME
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = secrets.token_bytes(_BYTES)
        replace_file(path, key, disk)
    if len(key) != _BYTES:
        raise OSError(f"{path} is damaged: delete it, and links of messages that were sent stop working")
    return key
