"""The dashboards of one server, put together: those of its files, those made in pages, those that come with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import spanglass_server.dashboards.shipped as shipped_package
from spanglass_server.dashboards.library import Library
from spanglass_server.dashboards.sources.files import DirectorySource, SettingsFileSource
from spanglass_server.dashboards.sources.kept import KeptDashboards

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.dashboards.sources.ports import DashboardSource
    from spanglass_server.settings.settings import Settings
    from spanglass_server.store.disk import Disk

_KEPT = "dashboards"


def open_library(settings: Settings, disk: Disk, clock_ns: Callable[[], int]) -> Library:
    """Open all sources. Raises ``OSError`` when the data directory can't be used."""
    shipped = DirectorySource(Path(shipped_package.__path__[0]), "shipped")
    kept = KeptDashboards(settings.data.dir.resolve() / _KEPT, disk, clock_ns)
    return Library([shipped, *_files(settings)], kept)


def problems_of(settings: Settings) -> list[str]:
    """What is wrong with the dashboards that the settings name, without a data directory."""
    return [str(problem) for source in _files(settings) for problem in source.read().problems]


def _files(settings: Settings) -> list[DashboardSource]:
    sources: list[DashboardSource] = []
    if settings.file is not None:
        sources.append(SettingsFileSource(settings.file))
    if settings.dashboards.dir is not None:
        sources.append(DirectorySource(settings.dashboards.dir))
    return sources
