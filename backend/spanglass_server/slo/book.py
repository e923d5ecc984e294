"""All objectives of a server: of its settings file, of the directory ``slo.dir``, and those made in pages."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from spanglass_server.forms import book as forms
from spanglass_server.forms.book import Found, Kept
from spanglass_server.forms.files import DirectoryReader, FileReader
from spanglass_server.forms.names import TAKEN
from spanglass_server.slo.form.spec import OBJECTIVES
from spanglass_server.slo.model import Objective

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from spanglass_server.forms.files import Contents
    from spanglass_server.store.disk import Disk

#: Objectives of one server; each is counted each minute.
MAX_OBJECTIVES: Final = 1000

_OF_SETTINGS: Final = forms.reader(OBJECTIVES, OBJECTIVES.read_settings_yaml, "settings")
_OF_FILES: Final = forms.reader(OBJECTIVES, OBJECTIVES.read_yaml, "files")
_OF_KEPT: Final = forms.reader(OBJECTIVES, OBJECTIVES.read_yaml, forms.KEPT)


class Book(forms.Book[Objective]):
    """Methods may be called from any thread."""

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
        settings: FileReader[Found[Objective]] = FileReader(_OF_SETTINGS, keeps_gone=True)
        files: list[Callable[[], Contents[Found[Objective]]]] = [
            partial(settings.contents, [file] if file is not None else [])
        ]
        if directory is not None:
            files.append(DirectoryReader(directory, _OF_FILES).contents)
        super().__init__(OBJECTIVES, files, Kept(kept, disk, clock_ns, _OF_KEPT, TAKEN["slo"]), most)
        self._enabled: tuple[Mapping[str, Found[Objective]], tuple[Objective, ...]] = ({}, ())

    def enabled(self) -> Sequence[Objective]:
        """Those that are not switched off; the same object as long as nothing changed."""
        of, enabled = self._enabled
        found = self.found()
        if found is not of:
            enabled = tuple(each.value for each in found.values() if each.value.enabled)
            self._enabled = (found, enabled)
        return enabled


def problems_of(file: Path | None, directory: Path | None) -> list[str]:
    """What is wrong with the objectives of a settings file and a directory, without a data directory."""
    found: list[Contents[Found[Objective]]] = []
    if file is not None:
        found.append(FileReader(_OF_SETTINGS).contents([file]))
    if directory is not None:
        found.append(DirectoryReader(directory, _OF_FILES).contents())
    return [str(problem) for each in found for problem in each.problems]
