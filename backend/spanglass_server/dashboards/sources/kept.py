"""Dashboards made in pages: a YAML file each in the data directory, with the versions that they had before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.dashboards.form.spec import DASHBOARDS
from spanglass_server.dashboards.sources.files import reader_of
from spanglass_server.dashboards.sources.ports import Found, OldVersion
from spanglass_server.forms.kept import Form, KeptFiles
from spanglass_server.forms.names import TAKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from spanglass_server.dashboards.model import Dashboard
    from spanglass_server.dashboards.sources.ports import Contents, Origin
    from spanglass_server.store.disk import Disk

_ORIGIN: Origin = "kept"
_FORM = Form(
    DASHBOARDS.one,
    DASHBOARDS.many,
    reader_of(_ORIGIN),
    lambda found: DASHBOARDS.to_yaml([each.dashboard for each in found]),
    TAKEN["dashboard"],
)


class KeptDashboards:
    """The ``DashboardStore`` of a data directory."""

    origin: Origin = _ORIGIN

    def __init__(self, directory: Path, disk: Disk, clock_ns: Callable[[], int]) -> None:
        self._files = KeptFiles(directory, disk, clock_ns, _FORM)

    def read(self) -> Contents:
        """See ``DashboardSource``."""
        return self._files.contents()

    def put(self, dashboard: Dashboard, version: str) -> Found:
        """See ``DashboardStore``."""
        digest = DASHBOARDS.version_of(dashboard)
        return self._files.put(dashboard.uid, version, lambda file: Found(dashboard, self.origin, file, digest))

    def delete(self, uid: str, version: str) -> None:
        """See ``DashboardStore``."""
        self._files.delete(uid, version)

    def versions(self, uid: str) -> Sequence[OldVersion]:
        """See ``DashboardStore``."""
        old = self._files.versions(uid)
        return [OldVersion(found.version, replaced_ns, found.dashboard) for replaced_ns, found in old]
