"""All objectives of a server: of its settings file, of the directory ``slo.dir``, and those made in pages."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from spanglass_server.forms import book as forms
from spanglass_server.forms.files import Contents, DirectoryReader, FileReader
from spanglass_server.forms.kept import Form, KeptFiles
from spanglass_server.forms.names import TAKEN
from spanglass_server.slo.form.spec import OBJECTIVES
from spanglass_server.slo.model import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from spanglass_server.forms.listed import Read
    from spanglass_server.forms.problems import Problem
    from spanglass_server.slo.model import Objective, Origin
    from spanglass_server.store.disk import Disk

#: Objectives of one server; each is counted each minute.
MAX_OBJECTIVES: Final = 1000


class Book:
    """Methods may be called from any thread; they raise what those of ``forms.book.Book`` do."""

    def __init__(
        self,
        file: Path | None,
        directory: Path | None,
        kept: Path,
        disk: Disk,
        clock_ns: Callable[[], int],
        most: int = MAX_OBJECTIVES,
    ) -> None:
        """Open them. Raises ``OSError``."""
        settings: FileReader[Found] = FileReader(_reader(OBJECTIVES.read_settings_yaml, "settings"), keeps_gone=True)
        files: list[Callable[[], Contents[Found]]] = [partial(settings.contents, [file] if file is not None else [])]
        if directory is not None:
            files.append(DirectoryReader(directory, _reader(OBJECTIVES.read_yaml, "files")).contents)
        form: Form[Found] = Form(
            OBJECTIVES.one,
            _reader(OBJECTIVES.read_yaml, "kept"),
            lambda found: OBJECTIVES.to_yaml([each.objective for each in found]),
            TAKEN["slo"],
        )
        self._all: forms.Book[Found] = forms.Book(OBJECTIVES, files, KeptFiles(kept, disk, clock_ns, form), most)
        self._enabled: tuple[Mapping[str, Found], tuple[Objective, ...]] = ({}, ())

    def found(self) -> Mapping[str, Found]:
        """The objectives by uid, also those that are switched off; the same object as long as nothing changed."""
        return self._all.found()

    def enabled(self) -> Sequence[Objective]:
        """Those that are not switched off; the same object as long as nothing changed."""
        of, enabled = self._enabled
        found = self._all.found()
        if found is not of:
            enabled = tuple(each.objective for each in found.values() if each.objective.enabled)
            self._enabled = (found, enabled)
        return enabled

    def problems(self) -> Sequence[Problem]:
        """What is wrong with the files now."""
        return self._all.problems()

    def put(self, objective: Objective, version: str) -> Found:
        """Keep an objective in the place of the one with its uid and this version ("": a new one)."""
        digest = OBJECTIVES.version_of(objective)
        return self._all.put(objective.uid, version, lambda file: Found(objective, "kept", file, digest))

    def delete(self, uid: str, version: str) -> None:
        """Delete a kept objective; ``KeyError`` for one that is not there."""
        self._all.delete(uid, version)

    def versions(self, uid: str) -> Sequence[tuple[int, Found]]:
        """What it was before, with the time it was replaced or deleted, newest first; also of one that is deleted."""
        return self._all.versions(uid)


def _reader(read: Callable[[str, str], Read[Objective]], origin: Origin) -> Callable[[str, str], Contents[Found]]:
    def contents(text: str, file: str) -> Contents[Found]:
        was = read(text, file)
        found = tuple(Found(each, origin, file, OBJECTIVES.version_of(each), line) for each, line in was.found)
        return Contents(found, was.problems)

    return contents


def problems_of(file: Path | None, directory: Path | None) -> list[str]:
    """What is wrong with the objectives of a settings file and a directory, without a data directory."""
    problems: list[Problem] = []
    if file is not None:
        problems += FileReader(_reader(OBJECTIVES.read_settings_yaml, "settings")).contents([file]).problems
    if directory is not None:
        problems += DirectoryReader(directory, _reader(OBJECTIVES.read_yaml, "files")).contents().problems
    return [str(problem) for problem in problems]
