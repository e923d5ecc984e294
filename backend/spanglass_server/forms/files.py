"""Files of things by their uid, read again when they change: one file, or all of a directory."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from spanglass_server.forms.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

MAX_FILES = 1000
#: A file that changed so lately may change again within the same tick of the file system's clock, so it is read anew.
_SETTLED_NS = 2 * 10**9

Stamp = tuple[int, int, int]


class Standing(Protocol):
    """Something that stands in a file. Equal ones have equal versions."""

    @property
    def uid(self) -> str:
        """What tells it apart from others of its sort."""

    @property
    def file(self) -> str:
        """The path of its file."""

    @property
    def version(self) -> str:
        """A digest of its written form."""


F = TypeVar("F", bound=Standing)


@dataclass(frozen=True)
class Contents(Generic[F]):
    """What files hold now, and what is wrong with them."""  # without slots: Python 3.11 names generic ones wrongly

    found: tuple[F, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class _Known(Generic[F]):
    """A file as it was read last."""

    stamp: Stamp
    is_settled: bool
    text: str
    contents: Contents[F]


class FileReader(Generic[F]):
    """Remembers files by their stamp; reads those that changed. ``read`` is given a file's text and its path.

    ``keeps_gone``: a file that is gone is broken, and what it held stays; else it holds nothing.
    """

    def __init__(self, read: Callable[[str, str], Contents[F]], *, keeps_gone: bool = False) -> None:
        self._read = read
        self._keeps_gone = keeps_gone
        self._known: dict[Path, _Known[F]] = {}

    def contents(self, paths: Iterable[Path]) -> Contents[F]:
        """What these files hold; other files are forgotten."""
        self._known = {path: known for path in paths if (known := self._look(path)) is not None}
        return Contents(
            tuple(found for known in self._known.values() for found in known.contents.found),
            tuple(problem for known in self._known.values() for problem in known.contents.problems),
        )

    def _look(self, path: Path) -> _Known[F] | None:
        before = self._known.get(path)
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if before is not None and before.is_settled and before.stamp == stamp:
                return before
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            found = before.contents.found if before is not None and self._keeps_gone else ()
            gone = Problem("the file is gone; what it held stays until the server starts anew", file=str(path))
            return _Known((0, 0, 0), False, "", Contents(found, (gone,))) if found else None  # noqa: FBT003 - a record
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            problem = Problem(f"can't be read: {reason}", file=str(path))
            found = before.contents.found if before else ()
            return _Known((0, 0, 0), False, "", Contents(found, (problem,)))  # noqa: FBT003 - a record
        is_settled = time.time_ns() - stat.st_mtime_ns > _SETTLED_NS
        if before is not None and before.contents.found and not text.strip() and not is_settled:
            return before  # it is being written, and was emptied first: what it held stays until it settles
        if before is not None and before.text == text and before.stamp != (0, 0, 0):
            return _Known(stamp, is_settled, text, before.contents)
        return _Known(stamp, is_settled, text, _with_last_good(self._read(text, str(path)), before))


def _with_last_good(now: Contents[F], before: _Known[F] | None) -> Contents[F]:
    """While a file has problems, what it lacks is as it was."""
    if not now.problems or before is None:
        return now
    uids = {found.uid for found in now.found}
    old = tuple(found for found in before.contents.found if found.uid not in uids)
    return Contents(now.found + old, now.problems)


class DirectoryReader(Generic[F]):
    """The YAML files in a directory and those below it, the first ``most`` of them."""

    def __init__(self, directory: Path, read: Callable[[str, str], Contents[F]], most: int = MAX_FILES) -> None:
        self._directory = directory
        self._reader = FileReader(read)
        self._most = most

    def contents(self) -> Contents[F]:
        """What they hold now."""
        try:
            paths = sorted(_yaml_files(self._directory))
        except OSError as error:
            problem = Problem(f"the directory can't be read: {error.strerror}", file=str(self._directory))
            return Contents((), (problem,))
        contents = self._reader.contents(paths[: self._most])
        if len(paths) <= self._most:
            return contents
        many = Problem(f"{len(paths)} files are too many; the first {self._most} are read", file=str(self._directory))
        return Contents(contents.found, (*contents.problems, many))


def _yaml_files(directory: Path) -> Iterator[Path]:
    """Hidden ones, such as those of editors and of version control, are none of ours."""
    for path in directory.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir():
            # a mounted ConfigMap has links to directories that are the files' own again, hidden
            yield from _yaml_files(path) if not path.is_symlink() else ()
        elif path.suffix in {".yaml", ".yml"}:
            yield path
