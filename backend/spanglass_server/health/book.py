"""All checks of a server: those of its settings file, and those made in pages or over the API."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from spanglass_server.forms import book as forms
from spanglass_server.forms.book import Found, Kept
from spanglass_server.forms.files import Contents, FileReader
from spanglass_server.forms.names import TAKEN
from spanglass_server.forms.problems import Problem
from spanglass_server.health.check import Check
from spanglass_server.health.form.refusing import refused
from spanglass_server.health.form.spec import CHECKS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spanglass_server.store.disk import Disk

#: Checks of one server; each may have a connection open.
MAX_CHECKS: Final = 5000

_OF_SETTINGS: Final = forms.reader(CHECKS, CHECKS.read_settings_yaml, "settings")
_OF_KEPT: Final = forms.reader(CHECKS, CHECKS.read_yaml, forms.KEPT)


class Book(forms.Book[Check]):
    """One check of the settings file hides a kept one; methods may be called from any thread."""

    def __init__(self, file: Path | None, directory: Path, disk: Disk, clock_ns: Callable[[], int]) -> None:
        """Open them: ``file`` holds settings, ``directory`` what is kept. Raises ``OSError``."""
        settings: FileReader[Found[Check]] = FileReader(_OF_SETTINGS, keeps_gone=True)
        files = [partial(settings.contents, [file] if file is not None else [])]
        super().__init__(CHECKS, files, Kept(directory, disk, clock_ns, _permitted, TAKEN["check"]), MAX_CHECKS)


def _permitted(text: str, file: str) -> Contents[Found[Check]]:
    """What somebody put there by hand may do no more than what is made in pages."""
    contents = _OF_KEPT(text, file)
    refusals = {found.uid: refused(found.value) for found in contents.found}
    problems = tuple(_placed(problem, file) for problem in refusals.values() if problem is not None)
    return Contents(tuple(each for each in contents.found if refusals[each.uid] is None), contents.problems + problems)


def _placed(problem: Problem, file: str) -> Problem:
    return Problem(problem.message, problem.path, file=file, hint=problem.hint)


def problems_of(file: Path | None) -> list[str]:
    """What is wrong with the checks of a settings file, without a data directory."""
    if file is None:
        return []
    reader: FileReader[Found[Check]] = FileReader(_OF_SETTINGS)
    return [str(problem) for problem in reader.contents([file]).problems]
