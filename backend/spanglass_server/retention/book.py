"""The policies in force: those of a file that the settings name, else those that people keep in pages."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from spanglass_server.forms.problems import Problem
from spanglass_server.retention.form import read_yaml, to_yaml
from spanglass_server.retention.model import ManagedByFileError, Policies, PoliciesError, Version

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spanglass_server.retention.store import RetentionStore


class PolicyBook:
    """Methods may be called from any thread; ``OSError`` where the store can't be used.

    A ``file`` is read once, at the start: ``PoliciesError`` for one that is wrong or can't be read, since traces that
    it keeps would be deleted else.
    """

    def __init__(self, store: RetentionStore, file: Path | None) -> None:
        self._store = store
        self.file = file
        self._of_file = read_file(file) if file is not None else None
        self._parsed: tuple[int, Policies] = 0, Policies()
        self._lock = threading.Lock()

    @property
    def policies(self) -> Policies:
        """The policies in force."""
        if self._of_file is not None:
            return self._of_file
        newest = self._store.newest()
        if newest is None:
            return Policies()
        with self._lock:
            if self._parsed[0] != newest.number:
                self._parsed = newest.number, read_yaml(newest.text)
            return self._parsed[1]

    @property
    def version(self) -> int:
        """The number of the policies that people keep; 0 before the first, and for those of a file."""
        newest = None if self._of_file is not None else self._store.newest()
        return newest.number if newest is not None else 0

    def versions(self, limit: int) -> Sequence[Version]:
        """What people changed, the newest first."""
        return self._store.versions(limit)

    def replace(self, policies: Policies, change: Version, after: int) -> None:
        """Have others in force; ``change`` says who and when. ``ManagedByFileError``, ``ChangedMeanwhileError``."""
        if self._of_file is not None:
            raise ManagedByFileError(f"the policies stand in {self.file}")
        text = to_yaml(policies)
        self._store.add(Version(0, change.time_ns, change.actor, change.note, text), after)


def read_file(file: Path) -> Policies:
    """Read a file of policies; ``PoliciesError``."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise PoliciesError([Problem(f"can't be read: {reason}", file=str(file))]) from None
    return read_yaml(text, str(file))
