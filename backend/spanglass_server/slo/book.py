"""All objectives of a server: of its settings file, of the directory ``slo.dir``, and those made in pages."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.forms.files import Contents, DirectoryReader, FileReader
from spanglass_server.forms.kept import Form, KeptFiles
from spanglass_server.forms.problems import Problem
from spanglass_server.slo.form.reading import read_settings_yaml, read_yaml
from spanglass_server.slo.form.writing import to_yaml, version_of
from spanglass_server.slo.model import Found
from spanglass_server.slo.ports import SloConflictError, SloElsewhereError, TooManySlosError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from spanglass_server.slo.form.reading import Read
    from spanglass_server.slo.model import Objective, Origin
    from spanglass_server.store.disk import Disk

_LOG = logging.getLogger(__name__)

#: Objectives of one server; each is counted each minute.
MAX_OBJECTIVES: Final = 1000


class Book:
    """Methods may be called from any thread. Files that become broken are logged once.

    While a file is broken, the objectives that it held when it was right stay. What comes first counts where two have
    the same uid: the settings file, then the directory, then what is kept.
    """

    def __init__(
        self, file: Path | None, directory: Path | None, kept: Path, disk: Disk, clock_ns: Callable[[], int]
    ) -> None:
        """Open them. Raises ``OSError``."""
        self._file = file
        self._settings: FileReader[Found] = FileReader(_reader(read_settings_yaml, "settings"), keeps_gone=True)
        self._files = None if directory is None else DirectoryReader(directory, _reader(read_yaml, "files"))
        form: Form[Found] = Form(
            _reader(read_yaml, "kept"), lambda found: to_yaml([each.objective for each in found]), SloConflictError
        )
        self._kept: KeptFiles[Found] = KeptFiles(kept, disk, clock_ns, form)
        self._lock = threading.RLock()
        self._seen: Any = None
        self._found: Mapping[str, Found] = {}
        self._enabled: Sequence[Objective] = ()
        self._problems: tuple[Problem, ...] = ()
        self._logged: frozenset[str] = frozenset()

    def found(self) -> Mapping[str, Found]:
        """The objectives by uid, also those that are switched off; the same object as long as nothing changed."""
        self._look()
        return self._found

    def enabled(self) -> Sequence[Objective]:
        """Those that are not switched off; the same object as long as nothing changed."""
        self._look()
        return self._enabled

    def problems(self) -> Sequence[Problem]:
        """What is wrong with the files now."""
        self._look()
        return self._problems

    def put(self, objective: Objective, version: str) -> Found:
        """Keep an objective in the place of the one with its uid and this version ("": a new one).

        Raises ``SloConflictError``, ``SloElsewhereError``, ``TooManySlosError``, and ``OSError`` when the disk can't be
        used.
        """
        with self._lock:
            self._keepable(objective.uid)
            known = self.found()
            if objective.uid not in known and len(known) >= MAX_OBJECTIVES:
                raise TooManySlosError(MAX_OBJECTIVES)
            digest = version_of(objective)
            self._kept.put(objective.uid, version, lambda file: Found(objective, "kept", file, digest))
            return self.found()[objective.uid]

    def delete(self, uid: str, version: str) -> None:
        """Delete a kept objective; raises as ``put``, and ``KeyError`` for one that is not there."""
        with self._lock:
            self._keepable(uid)
            self._kept.delete(uid, version)

    def versions(self, uid: str) -> Sequence[tuple[int, Found]]:
        """What it was before, with the time it was replaced or deleted, newest first; also of one that is deleted."""
        return self._kept.versions(uid)

    def _keepable(self, uid: str) -> None:
        standing = self.found().get(uid)
        if standing is not None and standing.origin != "kept":
            raise SloElsewhereError(uid, standing.file)

    def _look(self) -> None:
        with self._lock:
            paths = [self._file] if self._file is not None else []
            files: Contents[Found] = Contents() if self._files is None else self._files.contents()
            contents = (self._settings.contents(paths), files, self._kept.contents())
            if contents == self._seen:
                return
            self._seen = contents
            self._found, self._problems = _joined(contents)
            self._enabled = tuple(each.objective for each in self._found.values() if each.objective.enabled)
            self._log()

    def _log(self) -> None:
        texts = frozenset(map(str, self._problems))
        for text in sorted(texts - self._logged):
            _LOG.warning("objectives: %s", text)
        if self._logged and not texts:
            _LOG.info("objectives: all files are right again")
        self._logged = texts


def _joined(contents: Sequence[Contents[Found]]) -> tuple[Mapping[str, Found], tuple[Problem, ...]]:
    objectives: dict[str, Found] = {}
    problems = [problem for each in contents for problem in each.problems]
    for found in (found for each in contents for found in each.found):
        first = objectives.setdefault(found.uid, found)
        if first is not found:
            message = f"the objective {found.uid!r} is hidden by the one in {first.file}:{first.line}"
            hint = "give one of them another name, or a uid"
            problems.append(Problem(message, line=found.line, file=found.file, hint=hint))
    if len(objectives) > MAX_OBJECTIVES:
        problems.append(Problem(f"{len(objectives)} objectives are too many; the first {MAX_OBJECTIVES} count"))
        objectives = dict(list(objectives.items())[:MAX_OBJECTIVES])
    return objectives, tuple(problems)


def _reader(read: Callable[[str, str], Read], origin: Origin) -> Callable[[str, str], Contents[Found]]:
    def contents(text: str, file: str) -> Contents[Found]:
        found = read(text, file)
        return Contents(
            tuple(Found(each, origin, file, version_of(each), line) for each, line in found.objectives), found.problems
        )

    return contents


def problems_of(file: Path | None, directory: Path | None) -> list[str]:
    """What is wrong with the objectives of a settings file and a directory, without a data directory."""
    problems: list[Problem] = []
    if file is not None:
        problems += FileReader(_reader(read_settings_yaml, "settings")).contents([file]).problems
    if directory is not None:
        problems += DirectoryReader(directory, _reader(read_yaml, "files")).contents().problems
    return [str(problem) for problem in problems]
