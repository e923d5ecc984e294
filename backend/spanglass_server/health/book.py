"""All checks of a server: those of its settings file, and those made in pages or over the API."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from spanglass_server.forms import book as forms
from spanglass_server.forms.files import Contents, FileReader
from spanglass_server.forms.kept import Form, KeptFiles
from spanglass_server.forms.names import TAKEN
from spanglass_server.forms.problems import Problem
from spanglass_server.health.check import Found
from spanglass_server.health.form.refusing import refused
from spanglass_server.health.form.spec import CHECKS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from spanglass_server.forms.listed import Read
    from spanglass_server.health.check import Check, Origin
    from spanglass_server.store.disk import Disk

#: Checks of one server; each may have a connection open.
MAX_CHECKS: Final = 5000


class Book:
    """The ``CheckBook`` over both sources. Files that become broken are logged once."""

    def __init__(self, file: Path | None, directory: Path, disk: Disk, clock_ns: Callable[[], int]) -> None:
        """Open them: ``file`` holds settings, ``directory`` what is kept. Raises ``OSError``."""
        settings: FileReader[Found] = FileReader(_of_settings, keeps_gone=True)
        form: Form[Found] = Form(
            CHECKS.one, _of_kept, lambda found: CHECKS.to_yaml([each.check for each in found]), TAKEN["check"]
        )
        kept: KeptFiles[Found] = KeptFiles(directory, disk, clock_ns, form)
        paths = [file] if file is not None else []
        self._all: forms.Book[Found] = forms.Book(CHECKS, [partial(settings.contents, paths)], kept, MAX_CHECKS)

    def checks(self) -> Mapping[str, Found]:
        """See ``CheckBook``."""
        return self._all.found()

    def problems(self) -> Sequence[Problem]:
        """See ``CheckBook``."""
        return self._all.problems()

    def put(self, check: Check, version: str) -> Found:
        """See ``CheckBook``."""
        digest = CHECKS.version_of(check)
        return self._all.put(check.uid, version, lambda file: Found(check, "kept", file, digest))

    def delete(self, uid: str, version: str) -> None:
        """See ``CheckBook``."""
        self._all.delete(uid, version)

    def versions(self, uid: str) -> Sequence[tuple[int, Found]]:
        """See ``CheckBook``."""
        return self._all.versions(uid)


def _of_settings(text: str, file: str) -> Contents[Found]:
    return _found(CHECKS.read_settings_yaml(text, file), file, "settings")


def _of_kept(text: str, file: str) -> Contents[Found]:
    """What somebody put there by hand may do no more than what is made in pages."""
    contents = _found(CHECKS.read_yaml(text, file), file, "kept")
    refusals = {found.uid: refused(found.check) for found in contents.found}
    problems = tuple(_placed(problem, file) for problem in refusals.values() if problem is not None)
    return Contents(tuple(each for each in contents.found if refusals[each.uid] is None), contents.problems + problems)


def _placed(problem: Problem, file: str) -> Problem:
    return Problem(problem.message, problem.path, file=file, hint=problem.hint)


def _found(read: Read[Check], file: str, origin: Origin) -> Contents[Found]:
    found = tuple(Found(check, origin, file, CHECKS.version_of(check), line) for check, line in read.found)
    return Contents(found, read.problems)


def problems_of(file: Path | None) -> list[str]:
    """What is wrong with the checks of a settings file, without a data directory."""
    if file is None:
        return []
    reader: FileReader[Found] = FileReader(_of_settings)
    return [str(problem) for problem in reader.contents([file]).problems]
