"""Files of dashboards, read again when they change: the settings file, or all of a directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.dashboards.form.spec import DASHBOARDS
from spanglass_server.dashboards.sources.ports import Contents, Found
from spanglass_server.forms.files import DirectoryReader, FileReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spanglass_server.dashboards.model import Dashboard
    from spanglass_server.dashboards.sources.ports import Origin
    from spanglass_server.forms.listed import Read


def reader_of(
    origin: Origin, read: Callable[[str, str], Read[Dashboard]] = DASHBOARDS.read_yaml
) -> Callable[[str, str], Contents]:
    """What reads the dashboards of a file's text."""

    def contents(text: str, file: str) -> Contents:
        was = read(text, file)
        found = (Found(each, origin, file, DASHBOARDS.version_of(each)) for each in was.values)
        return Contents(tuple(found), was.problems)

    return contents


class SettingsFileSource:
    """``monitoring.dashboards`` of a settings file; see ``DashboardSource``."""

    origin: Origin = "settings"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = FileReader(reader_of(self.origin, DASHBOARDS.read_settings_yaml), keeps_gone=True)

    def read(self) -> Contents:
        """See ``DashboardSource``."""
        return self._reader.contents([self._path])


class DirectorySource:
    """The YAML files in a directory and those below it; see ``DashboardSource``."""

    def __init__(self, directory: Path, origin: Origin = "files") -> None:
        self.origin: Origin = origin
        self._reader = DirectoryReader(directory, reader_of(origin))

    def read(self) -> Contents:
        """See ``DashboardSource``."""
        return self._reader.contents()
