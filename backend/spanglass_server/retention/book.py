"""The policies in force: those of a file that the settings name, else those that people keep in pages."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from spanglass_server.forms.errors import ElsewhereError
from spanglass_server.forms.problems import Problem
from spanglass_server.retention.form import read_yaml, to_yaml
from spanglass_server.retention.model import Policies, PoliciesError, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from spanglass_server.retention.store import RetentionStore


class PolicyBook:
    """Methods may be called from any thread; ``OSError`` where the store can't be used.

    A ``file`` is read once, at the start. Where policies are wrong or can't be read there are none in force, and
    ``problem`` says so: nothing may be deleted then, since they may keep it.
    """

    def __init__(self, store: RetentionStore, file: Path | None) -> None:
        self._store = store
        self.file = file
        self._of_file: Policies | None = None
        self._problem: str | None = None
        if file is not None:
            self._of_file, self._problem = _taken(lambda: read_file(file))
        self._parsed: tuple[int, Policies, str | None] = 0, Policies(), None
        self._lock = threading.Lock()

    @property
    def policies(self) -> Policies:
        """The policies in force."""
        return self._of_file if self._of_file is not None else self._stored()[0]

    @property
    def problem(self) -> str | None:
        """Why there are no policies in force although somebody wrote some, with what to do."""
        if self._store.problem is not None:
            return self._store.problem
        return self._problem if self._of_file is not None else self._stored()[1]

    def _stored(self) -> tuple[Policies, str | None]:
        """The policies that people keep in pages, read, and what is wrong with them."""
        newest = self._store.newest()
        if newest is None:
            return Policies(), None
        with self._lock:
            if self._parsed[0] != newest.number:
                self._parsed = newest.number, *_taken(lambda: read_yaml(newest.text))
            return self._parsed[1:]

    @property
    def version(self) -> int:
        """The number of the policies that people keep; 0 before the first, and for those of a file."""
        newest = None if self._of_file is not None else self._store.newest()
        return newest.number if newest is not None else 0

    def versions(self, limit: int) -> Sequence[Version]:
        """What people changed, the newest first."""
        return self._store.versions(limit)

    def replace(self, policies: Policies, change: Version, after: int) -> None:
        """Have others in force; ``change`` says who and when.

        ``ElsewhereError``, ``ConflictError``; ``PoliciesError`` for those that could not be read again.
        """
        if self._of_file is not None:
            raise ElsewhereError("the list of policies", str(self.file), or_else=", and start the server anew")
        text = to_yaml(policies)
        if read_yaml(text) != policies:
            raise PoliciesError([Problem("they can't be kept as they are", hint="leave unusual characters out")])
        self._store.add(Version(0, change.time_ns, change.actor, change.note, text), after)


def _taken(read: Callable[[], Policies]) -> tuple[Policies, str | None]:
    """Policies, or none and what is wrong with them."""
    try:
        return read(), None
    except PoliciesError as error:
        return Policies(), str(error)


def read_file(file: Path) -> Policies:
    """Read a file of policies; ``PoliciesError``."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise PoliciesError([Problem(f"can't be read: {reason}", file=str(file))]) from None
    return read_yaml(text, str(file))
