"""All checks of a server: those of its settings file, and those made in pages or over the API."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.forms.files import Contents, FileReader
from spanglass_server.forms.kept import Form, KeptFiles
from spanglass_server.forms.problems import Problem
from spanglass_server.health.check import Found
from spanglass_server.health.form.reading import read_settings_yaml, read_yaml, refused
from spanglass_server.health.form.writing import to_yaml, version_of
from spanglass_server.health.ports import CheckConflictError, CheckElsewhereError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from spanglass_server.health.check import Check, Origin
    from spanglass_server.health.form.reading import Read
    from spanglass_server.store.disk import Disk

_LOG = logging.getLogger(__name__)

#: Checks of one server; each may have a connection open.
MAX_CHECKS: Final = 5000


class Book:
    """The ``CheckBook`` over both sources. Files that become broken are logged once."""

    def __init__(self, file: Path | None, directory: Path, disk: Disk, clock_ns: Callable[[], int]) -> None:
        """Open them: ``file`` holds settings, ``directory`` what is kept. Raises ``OSError``."""
        self._file = file
        self._settings: FileReader[Found] = FileReader(_of_settings, keeps_gone=True)
        form: Form[Found] = Form(_of_kept, lambda found: to_yaml([each.check for each in found]), CheckConflictError)
        self._kept: KeptFiles[Found] = KeptFiles(directory, disk, clock_ns, form)
        self._lock = threading.RLock()
        self._seen: Any = None
        self._checks: Mapping[str, Found] = {}
        self._problems: tuple[Problem, ...] = ()
        self._logged: frozenset[str] = frozenset()

    def checks(self) -> Mapping[str, Found]:
        """See ``CheckBook``."""
        self._look()
        return self._checks

    def problems(self) -> Sequence[Problem]:
        """See ``CheckBook``."""
        self._look()
        return self._problems

    def put(self, check: Check, version: str) -> Found:
        """See ``CheckBook``."""
        with self._lock:
            self._keepable(check.uid)
            digest = version_of(check)
            self._kept.put(check.uid, version, lambda file: Found(check, "kept", file, digest))
            return self.checks()[check.uid]

    def delete(self, uid: str, version: str) -> None:
        """See ``CheckBook``."""
        with self._lock:
            self._keepable(uid)
            self._kept.delete(uid, version)

    def versions(self, uid: str) -> Sequence[tuple[int, Found]]:
        """See ``CheckBook``."""
        return self._kept.versions(uid)

    def _keepable(self, uid: str) -> None:
        standing = self.checks().get(uid)
        if standing is not None and standing.origin != "kept":
            raise CheckElsewhereError(uid, standing.file)

    def _look(self) -> None:
        with self._lock:
            paths = [self._file] if self._file is not None else []
            contents = (self._settings.contents(paths), self._kept.contents())
            if contents == self._seen:
                return
            self._seen = contents
            self._checks, self._problems = _joined(*contents)
            self._log()

    def _log(self) -> None:
        texts = frozenset(map(str, self._problems))
        for text in sorted(texts - self._logged):
            _LOG.warning("checks: %s", text)
        if self._logged and not texts:
            _LOG.info("checks: all files are right again")
        self._logged = texts


def _joined(settings: Contents[Found], kept: Contents[Found]) -> tuple[Mapping[str, Found], tuple[Problem, ...]]:
    checks: dict[str, Found] = {}
    problems = [*settings.problems, *kept.problems]
    for found in (*settings.found, *kept.found):
        first = checks.setdefault(found.uid, found)
        if first is not found:
            message = f"the check {found.uid!r} is hidden by the one in {first.file}:{first.line}"
            hint = "give one of them another name, or a uid"
            problems.append(Problem(message, line=found.line, file=found.file, hint=hint))
    if len(checks) > MAX_CHECKS:
        problems.append(Problem(f"{len(checks)} checks are too many; the first {MAX_CHECKS} count"))
        checks = dict(list(checks.items())[:MAX_CHECKS])
    return checks, tuple(problems)


def _of_settings(text: str, file: str) -> Contents[Found]:
    return _found(read_settings_yaml(text, file), file, "settings")


def _of_kept(text: str, file: str) -> Contents[Found]:
    """What somebody put there by hand may do no more than what is made in pages."""
    contents = _found(read_yaml(text, file), file, "kept")
    refusals = {found.uid: refused(found.check) for found in contents.found}
    problems = tuple(_placed(problem, file) for problem in refusals.values() if problem is not None)
    return Contents(tuple(each for each in contents.found if refusals[each.uid] is None), contents.problems + problems)


def _placed(problem: Problem, file: str) -> Problem:
    return Problem(problem.message, problem.path, file=file, hint=problem.hint)


def _found(read: Read, file: str, origin: Origin) -> Contents[Found]:
    return Contents(
        tuple(Found(check, origin, file, version_of(check), line) for check, line in read.checks), read.problems
    )


def problems_of(file: Path | None) -> list[str]:
    """What is wrong with the checks of a settings file, without a data directory."""
    if file is None:
        return []
    reader: FileReader[Found] = FileReader(_of_settings)
    return [str(problem) for problem in reader.contents([file]).problems]
