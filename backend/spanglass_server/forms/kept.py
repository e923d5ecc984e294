"""Things that are made in pages: a YAML file each in the data directory, with the versions that they had before."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic

from spanglass_server.forms.errors import ConflictError, TooManyError
from spanglass_server.forms.files import DirectoryReader, F
from spanglass_server.forms.names import SLUG_PATTERN
from spanglass_server.store.disk import replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.forms.files import Contents
    from spanglass_server.store.disk import Disk

#: How many versions of a thing are kept besides the one that stands.
KEPT_VERSIONS = 50
#: So many things of a sort can be made; each is a file that is read again when it changes.
MAX_KEPT = 10_000

_VERSIONS = ".versions"


@dataclass(frozen=True, slots=True)
class Form(Generic[F]):
    """How things are read and written; ``one`` and ``many`` are what people call them, ``taken`` are uids of none."""

    one: str
    many: str
    read: Callable[[str, str], Contents[F]]
    write: Callable[[Sequence[F]], str]
    taken: frozenset[str] = frozenset()


class KeptFiles(Generic[F]):
    """``UID.yaml``, and ``.versions/UID/TIME.yaml``.

    Changes name the version that they began with, ``""`` for none; a thing that has another one by then is left as it
    is (``ConflictError``). Safe for any thread. Raises ``OSError`` when the disk can't be used; then nothing changed.
    """

    def __init__(
        self, directory: Path, disk: Disk, clock_ns: Callable[[], int], form: Form[F], most: int = MAX_KEPT
    ) -> None:
        self._directory = directory
        self._disk = disk
        self._clock_ns = clock_ns
        self._form = form
        self._most = most
        self._reader = DirectoryReader(directory, form.read, most)
        self._lock = threading.RLock()
        disk.make_directory(directory)

    def contents(self) -> Contents[F]:
        """What is kept now."""
        with self._lock:
            return self._reader.contents()

    def put(self, uid: str, version: str, make: Callable[[str], F]) -> F:
        """Keep a thing in the place of the one with its uid and this version; ``make`` is given the file's path.

        ``ValueError`` for a uid that can't be a file's name, and for a new one that is taken; ``TooManyError`` for a
        new one where there are as many as may be.
        """
        if not re.fullmatch(SLUG_PATTERN, uid):
            raise ValueError(f"{uid!r} can't be a uid: use small letters, digits, - and _, at most 100 of them")
        with self._lock:
            before = self._expect(uid, version)
            if before is None and uid in self._form.taken:
                message = f"{uid!r} can't be a uid: pages and API have that word in its place; write another one"
                raise ValueError(message)
            if before is None and len(self.contents().found) >= self._most:
                raise TooManyError(self._form.many, self._most)
            path = self._directory / f"{uid}.yaml" if before is None else Path(before.file)
            made = make(str(path))
            if before is not None and before.version != made.version:
                self._set_aside(before)
            replace_file(path, self._form.write([*self._beside(before), made]).encode(), self._disk)
            return made

    def delete(self, uid: str, version: str) -> None:
        """Delete a thing that has this version; ``KeyError`` for one that is not there."""
        with self._lock:
            before = self._expect(uid, version)
            if before is None:
                raise KeyError(uid)
            self._set_aside(before)
            others = self._beside(before)
            if others:
                replace_file(Path(before.file), self._form.write(others).encode(), self._disk)
            else:
                self._disk.unlink(Path(before.file))
                self._disk.sync(self._directory)

    def versions(self, uid: str) -> list[tuple[int, F]]:
        """What it was before, and the time it was replaced or deleted, newest first; also of one that was deleted."""
        old: list[tuple[int, F]] = []
        for path in reversed(self._old_files(uid)):
            contents = self._form.read(path.read_text(encoding="utf-8"), str(path))
            old.extend((int(path.stem), each) for each in contents.found)
        return old

    def _expect(self, uid: str, version: str) -> F | None:
        """The thing as it stands, None if there is none; a conflict unless it has the version."""
        standing = next((found for found in self.contents().found if found.uid == uid), None)
        current = standing.version if standing is not None else ""
        if current != version:
            raise ConflictError(f"the {self._form.one} {uid!r}", current)
        return standing

    def _beside(self, one: F | None) -> list[F]:
        """The others of a file that somebody put into the directory by hand."""
        if one is None:
            return []
        return [other for other in self.contents().found if other.file == one.file and other.uid != one.uid]

    def _old_files(self, uid: str) -> list[Path]:
        if not re.fullmatch(SLUG_PATTERN, uid):  # no name of a directory of ours
            return []
        folder = self._directory / _VERSIONS / uid
        return sorted(folder.glob("*.yaml"), key=lambda path: int(path.stem)) if folder.is_dir() else []

    def _set_aside(self, one: F) -> None:
        folder = self._directory / _VERSIONS / one.uid
        self._disk.make_directory(folder)
        replace_file(folder / f"{self._clock_ns()}.yaml", self._form.write([one]).encode(), self._disk)
        for path in self._old_files(one.uid)[:-KEPT_VERSIONS]:
            self._disk.unlink(path)
