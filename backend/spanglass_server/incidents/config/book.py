"""What is configured of incidents, read again when the settings file changes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.forms.files import Contents, FileReader
from spanglass_server.forms.kinds import FAILED
from spanglass_server.forms.nodes import TreeError, yaml_tree
from spanglass_server.forms.problems import Problem, Report
from spanglass_server.incidents.config.model import IncidentSettings
from spanglass_server.incidents.config.spec import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PLACE = ("monitoring", "incidents")


@dataclass(frozen=True, slots=True)
class _Standing:
    """The one section of a file."""

    settings: IncidentSettings
    file: str
    version: str
    uid: str = ".".join(_PLACE)


def read_settings(text: str, file: str) -> Contents[_Standing]:
    """Read the section of a settings file, whatever else it holds."""
    try:
        node = yaml_tree(text)
    except TreeError as error:
        return Contents((), (Problem(str(error), "", error.line, error.column, file=file),))
    for key in _PLACE:
        node = node.named(key) if node is not None else None
    if node is None or node.sort == "null":
        return Contents()
    report = Report(file)
    settings = SETTINGS.read(node, report)
    if settings is FAILED:
        return Contents((), tuple(report.problems))
    return Contents((_Standing(settings, file, hashlib.sha256(repr(settings).encode()).hexdigest()),))


class IncidentBook:
    """The settings of incidents. While the file is broken, what it held when it was right stays. Any thread may ask."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._reader = FileReader(read_settings, keeps_gone=True)
        self._default = IncidentSettings()

    def _contents(self) -> Contents[_Standing]:
        return Contents() if self._path is None else self._reader.contents([self._path])

    def settings(self) -> IncidentSettings:
        """As they are now."""
        found = self._contents().found
        return found[0].settings if found else self._default

    def problems(self) -> Sequence[str]:
        """What is wrong with the file now, each with its place and what to do."""
        return [str(problem) for problem in self._contents().problems]
