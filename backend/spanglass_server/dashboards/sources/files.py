"""Files of dashboards, read again when they change: one file, or all of a directory."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.dashboards.form.problems import Problem
from spanglass_server.dashboards.form.reading import Read, read_settings_yaml, read_yaml
from spanglass_server.dashboards.sources.ports import Contents, Found, version_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from spanglass_server.dashboards.sources.ports import Origin

MAX_FILES = 1000
#: A file that changed so lately may change again within the same tick of the file system's clock, so it is read anew.
_SETTLED_NS = 2 * 10**9

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Known:
    """A file as it was read last."""

    stamp: Stamp
    is_settled: bool
    text: str
    found: tuple[Found, ...]
    problems: tuple[Problem, ...]


class FileReader:
    """Remembers files by their stamp; reads those that changed."""

    def __init__(self, origin: Origin, read: Callable[[str, str], Read]) -> None:
        self._origin = origin
        self._read = read
        self._known: dict[Path, _Known] = {}

    def contents(self, paths: Iterable[Path]) -> Contents:
        """The dashboards of these files; other files are forgotten."""
        self._known = {path: known for path in paths if (known := self._look(path)) is not None}
        return Contents(
            tuple(found for known in self._known.values() for found in known.found),
            tuple(problem for known in self._known.values() for problem in known.problems),
        )

    def _look(self, path: Path) -> _Known | None:
        before = self._known.get(path)
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if before is not None and before.is_settled and before.stamp == stamp:
                return before
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            problem = Problem(f"can't be read: {reason}", file=str(path))
            return _Known((0, 0, 0), False, "", before.found if before else (), (problem,))  # noqa: FBT003 - a record
        is_settled = time.time_ns() - stat.st_mtime_ns > _SETTLED_NS
        if before is not None and before.text == text and before.stamp != (0, 0, 0):
            return _Known(stamp, is_settled, text, before.found, before.problems)
        read = self._read(text, str(path))
        now = tuple(Found(each, self._origin, str(path), version_of(each)) for each in read.dashboards)
        return _Known(stamp, is_settled, text, _with_last_good(now, before, read), read.problems)


def _with_last_good(now: tuple[Found, ...], before: _Known | None, read: Read) -> tuple[Found, ...]:
    """While a file has problems, dashboards that it lacks are those that it had."""
    if not read.problems or before is None:
        return now
    uids = {found.dashboard.uid for found in now}
    return now + tuple(found for found in before.found if found.dashboard.uid not in uids)


class SettingsFileSource:
    """``monitoring.dashboards`` of a settings file; see ``DashboardSource``."""

    origin: Origin = "settings"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = FileReader(self.origin, read_settings_yaml)

    def read(self) -> Contents:
        """See ``DashboardSource``."""
        return self._reader.contents([self._path])


class DirectorySource:
    """The YAML files in a directory and those below it; see ``DashboardSource``."""

    def __init__(self, directory: Path, origin: Origin = "files") -> None:
        self.origin: Origin = origin
        self._directory = directory
        self._reader = FileReader(origin, read_yaml)

    def read(self) -> Contents:
        """See ``DashboardSource``."""
        try:
            paths = sorted(self._files(self._directory))
        except OSError as error:
            problem = Problem(f"the directory can't be read: {error.strerror}", file=str(self._directory))
            return Contents((), (problem,))
        contents = self._reader.contents(paths[:MAX_FILES])
        if len(paths) <= MAX_FILES:
            return contents
        many = Problem(f"{len(paths)} files are too many; the first {MAX_FILES} are read", file=str(self._directory))
        return Contents(contents.found, (*contents.problems, many))

    def _files(self, directory: Path) -> Iterator[Path]:
        """Hidden ones, such as those of editors and of version control, are none of ours."""
        for path in directory.iterdir():
            if path.name.startswith("."):
                continue
            if path.is_dir():
                # a mounted ConfigMap has links to directories that are the files' own again, hidden
                yield from self._files(path) if not path.is_symlink() else ()
            elif path.suffix in {".yaml", ".yml"}:
                yield path
