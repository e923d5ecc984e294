"""All things of one sort that a server has: those of files, and those made in pages or over the API."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, Protocol

from spanglass_server.forms.errors import ElsewhereError, TooManyError
from spanglass_server.forms.files import Contents, Standing
from spanglass_server.forms.kept import Form, KeptFiles
from spanglass_server.forms.listed import T
from spanglass_server.forms.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from spanglass_server.forms.listed import Listed, Read
    from spanglass_server.store.disk import Disk

_LOG = logging.getLogger(__name__)

#: settings: the settings file; files: a directory of files; kept: made in pages or over the API.
Origin = Literal["settings", "files", "kept"]
KEPT: Final[Origin] = "kept"


class Placed(Standing, Protocol):
    """Something with the place where it stands."""

    @property
    def origin(self) -> str:
        """``kept``, or the sort of file."""

    @property
    def line(self) -> int:
        """Its line there; 0 where that is not known."""


@dataclass(frozen=True)
class Found(Generic[T]):
    """One thing with where it stands. ``version`` is a digest of its written form, for changes at the same time."""

    value: T
    origin: Origin
    file: str
    version: str
    line: int = 0

    @property
    def uid(self) -> str:
        """The thing's."""
        return self.value.uid


def reader(
    listed: Listed[T], read: Callable[[str, str], Read[T]], origin: Origin
) -> Callable[[str, str], Contents[Found[T]]]:
    """Return what reads the text of a file of this origin, with ``read`` of ``listed``."""

    def contents(text: str, file: str) -> Contents[Found[T]]:
        was = read(text, file)
        found = tuple(Found(each, origin, file, listed.version_of(each), line) for each, line in was.found)
        return Contents(found, was.problems)

    return contents


@dataclass(frozen=True)
class Kept(Generic[T]):
    """Where things are kept, and how they are read; ``taken`` are uids of none."""

    directory: Path
    disk: Disk
    clock_ns: Callable[[], int]
    read: Callable[[str, str], Contents[Found[T]]]
    taken: frozenset[str] = frozenset()


class Book(Generic[T]):
    """Safe for any thread. Files that become broken are logged once; while they are, what they held before stays.

    ``files`` are asked for what they hold now, at each look. Where two things have the same uid, the first file's
    counts, and what is kept comes last.
    """

    def __init__(
        self, listed: Listed[T], files: Sequence[Callable[[], Contents[Found[T]]]], kept: Kept[T], most: int
    ) -> None:
        """Open it. Raises ``OSError``."""
        self._listed = listed
        self._files = files
        form: Form[Found[T]] = Form(listed.one, listed.many, kept.read, self._written, kept.taken)
        self._kept = KeptFiles(kept.directory, kept.disk, kept.clock_ns, form)
        self._most = most
        self._lock = threading.RLock()
        self._seen: Any = None
        self._found: Mapping[str, Found[T]] = {}
        self._problems: tuple[Problem, ...] = ()
        self._logged: frozenset[str] = frozenset()

    def found(self) -> Mapping[str, Found[T]]:
        """All by uid, also those that are switched off; the same object as long as nothing changed."""
        self._look()
        return self._found

    def problems(self) -> Sequence[Problem]:
        """What is wrong with the files now."""
        self._look()
        return self._problems

    def put(self, value: T, version: str) -> Found[T]:
        """Keep a thing in the place of the one with its uid and this version ("": a new one).

        Raises ``ConflictError``, ``ElsewhereError``, ``TooManyError``, ``ValueError`` for a uid that can't be a file's
        name, and ``OSError`` when the disk can't be used.
        """
        uid, digest = value.uid, self._listed.version_of(value)
        with self._lock:
            self._keepable(uid)
            known = self.found()
            if uid not in known and len(known) >= self._most:
                raise TooManyError(self._listed.many, self._most)
            self._kept.put(uid, version, lambda file: Found(value, KEPT, file, digest))
            return self.found()[uid]

    def delete(self, uid: str, version: str) -> None:
        """Delete one that is kept; raises as ``put``, and ``KeyError`` for one that is not there."""
        with self._lock:
            self._keepable(uid)
            self._kept.delete(uid, version)

    def versions(self, uid: str) -> Sequence[tuple[int, Found[T]]]:
        """What it was before, with the time it was replaced or deleted, newest first; also of one that is deleted."""
        return self._kept.versions(uid)

    def _written(self, several: Sequence[Found[T]]) -> str:
        return self._listed.to_yaml([each.value for each in several])

    def _keepable(self, uid: str) -> None:
        standing = self.found().get(uid)
        if standing is not None and standing.origin != KEPT:
            raise ElsewhereError(f"the {self._listed.one} {uid!r}", standing.file, standing.line)

    def _look(self) -> None:
        with self._lock:
            contents = (*(read() for read in self._files), self._kept.contents())
            if contents == self._seen:
                return
            self._seen = contents
            self._found, self._problems = self._joined(contents)
            self._log()

    def _joined(self, contents: Sequence[Contents[Found[T]]]) -> tuple[Mapping[str, Found[T]], tuple[Problem, ...]]:
        joined: dict[str, Found[T]] = {}
        problems = [problem for each in contents for problem in each.problems]
        for found in (found for each in contents for found in each.found):
            first = joined.setdefault(found.uid, found)
            if first is not found:
                problems.append(hidden(self._listed.one, found, first))
        if len(joined) > self._most:
            message = f"{len(joined)} {self._listed.many} are too many; the first {self._most} count"
            problems.append(Problem(message))
            joined = dict(list(joined.items())[: self._most])
        return joined, tuple(problems)

    def _log(self) -> None:
        texts = frozenset(map(str, self._problems))
        for text in sorted(texts - self._logged):
            _LOG.warning("%s: %s", self._listed.many, text)
        if self._logged and not texts:
            _LOG.info("%s: all files are right again", self._listed.many)
        self._logged = texts


def hidden(one: str, found: Placed, first: Placed) -> Problem:
    """What is said of a thing that does not count, as the first one has the same uid."""
    where = f"{first.file}:{first.line}" if first.line else first.file
    message = f"the {one} {found.uid!r} is hidden by the one in {where}"
    return Problem(message, line=found.line, file=found.file, hint="give one of them another name, or a uid")
