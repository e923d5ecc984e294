"""All things of one sort that a server has: those of files, and those made in pages or over the API."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from spanglass_server.forms.errors import ElsewhereError, TooManyError
from spanglass_server.forms.files import Contents, Standing
from spanglass_server.forms.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.forms.kept import KeptFiles
    from spanglass_server.forms.listed import Listed

_LOG = logging.getLogger(__name__)

#: The origin of what was made in pages or over the API.
KEPT = "kept"


class Placed(Standing, Protocol):
    """Something with the place where it stands."""

    @property
    def origin(self) -> str:
        """``kept``, or the sort of file."""

    @property
    def line(self) -> int:
        """Its line there; 0 where that is not known."""


P = TypeVar("P", bound=Placed)


class Book(Generic[P]):
    """Safe for any thread. Files that become broken are logged once; while they are, what they held before stays.

    ``files`` are asked for what they hold now, at each look. Where two things have the same uid, the first file's
    counts, and what is kept comes last.
    """

    def __init__(
        self, listed: Listed[Any], files: Sequence[Callable[[], Contents[P]]], kept: KeptFiles[P], most: int
    ) -> None:
        self._listed = listed
        self._files = files
        self._kept = kept
        self._most = most
        self._lock = threading.RLock()
        self._seen: Any = None
        self._found: Mapping[str, P] = {}
        self._problems: tuple[Problem, ...] = ()
        self._logged: frozenset[str] = frozenset()

    def found(self) -> Mapping[str, P]:
        """All by uid, also those that are switched off; the same object as long as nothing changed."""
        self._look()
        return self._found

    def problems(self) -> Sequence[Problem]:
        """What is wrong with the files now."""
        self._look()
        return self._problems

    def put(self, uid: str, version: str, make: Callable[[str], P]) -> P:
        """Keep what ``make`` returns for a file's path, in the place of the one with this uid and version ("": none).

        Raises ``ConflictError``, ``ElsewhereError``, ``TooManyError``, ``ValueError`` for a uid that can't be a file's
        name, and ``OSError`` when the disk can't be used.
        """
        with self._lock:
            self._keepable(uid)
            known = self.found()
            if uid not in known and len(known) >= self._most:
                raise TooManyError(self._listed.many, self._most)
            self._kept.put(uid, version, make)
            return self.found()[uid]

    def delete(self, uid: str, version: str) -> None:
        """Delete one that is kept; raises as ``put``, and ``KeyError`` for one that is not there."""
        with self._lock:
            self._keepable(uid)
            self._kept.delete(uid, version)

    def versions(self, uid: str) -> Sequence[tuple[int, P]]:
        """What it was before, with the time it was replaced or deleted, newest first; also of one that is deleted."""
        return self._kept.versions(uid)

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

    def _joined(self, contents: Sequence[Contents[P]]) -> tuple[Mapping[str, P], tuple[Problem, ...]]:
        joined: dict[str, P] = {}
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
