"""Dashboards made in pages: a YAML file each in the data directory, with the versions that they had before."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from spanglass_server.dashboards.form.reading import read_yaml
from spanglass_server.dashboards.form.writing import to_yaml
from spanglass_server.dashboards.names import SLUG_PATTERN
from spanglass_server.dashboards.sources.files import DirectorySource
from spanglass_server.dashboards.sources.ports import ConflictError, Found, OldVersion, version_of
from spanglass_server.store.disk import replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.dashboards.model import Dashboard
    from spanglass_server.dashboards.sources.ports import Contents, Origin
    from spanglass_server.store.disk import Disk

#: How many versions of a dashboard are kept besides the one that stands.
KEPT_VERSIONS = 50

_VERSIONS = ".versions"


class KeptDashboards:
    """The ``DashboardStore`` of a data directory: ``UID.yaml``, and ``.versions/UID/TIME.yaml``."""

    origin: Origin = "kept"

    def __init__(self, directory: Path, disk: Disk, clock_ns: Callable[[], int]) -> None:
        self._directory = directory
        self._disk = disk
        self._clock_ns = clock_ns
        self._source = DirectorySource(directory, "kept")
        self._lock = threading.RLock()
        disk.make_directory(directory)

    def read(self) -> Contents:
        """See ``DashboardSource``."""
        with self._lock:
            return self._source.read()

    def put(self, dashboard: Dashboard, version: str) -> Found:
        """See ``DashboardStore``."""
        with self._lock:
            before = self._expect(dashboard.uid, version)
            if before is not None and before.version != version_of(dashboard):
                self._set_aside(before.dashboard)
            path = self._directory / f"{dashboard.uid}.yaml" if before is None else Path(before.file)
            replace_file(path, to_yaml([*self._beside(before), dashboard]).encode(), self._disk)
            return Found(dashboard, self.origin, str(path), version_of(dashboard))

    def delete(self, uid: str, version: str) -> None:
        """See ``DashboardStore``."""
        with self._lock:
            before = self._expect(uid, version)
            if before is None:
                raise KeyError(uid)
            self._set_aside(before.dashboard)
            others = self._beside(before)
            if others:
                replace_file(Path(before.file), to_yaml(others).encode(), self._disk)
            else:
                self._disk.unlink(Path(before.file))
                self._disk.sync(self._directory)

    def versions(self, uid: str) -> Sequence[OldVersion]:
        """See ``DashboardStore``."""
        found: list[OldVersion] = []
        for path in reversed(self._old_files(uid)):
            read = read_yaml(path.read_text(encoding="utf-8"), str(path))
            found.extend(OldVersion(version_of(each), int(path.stem), each) for each in read.dashboards)
        return found

    def _expect(self, uid: str, version: str) -> Found | None:
        """The dashboard as it stands, None if there is none; ConflictError unless it has the version."""
        standing = next((found for found in self.read().found if found.dashboard.uid == uid), None)
        current = standing.version if standing is not None else ""
        if current != version:
            raise ConflictError(uid, current)
        return standing

    def _beside(self, one: Found | None) -> list[Dashboard]:
        """The other dashboards of a file that somebody put into the directory by hand."""
        if one is None:
            return []
        return [other.dashboard for other in self.read().found if other.file == one.file and other != one]

    def _old_files(self, uid: str) -> list[Path]:
        if not re.fullmatch(SLUG_PATTERN, uid):  # no name of a directory of ours
            return []
        folder = self._directory / _VERSIONS / uid
        return sorted(folder.glob("*.yaml"), key=lambda path: int(path.stem)) if folder.is_dir() else []

    def _set_aside(self, dashboard: Dashboard) -> None:
        folder = self._directory / _VERSIONS / dashboard.uid
        self._disk.make_directory(folder)
        replace_file(folder / f"{self._clock_ns()}.yaml", to_yaml([dashboard]).encode(), self._disk)
        for path in self._old_files(dashboard.uid)[:-KEPT_VERSIONS]:
            self._disk.unlink(path)
