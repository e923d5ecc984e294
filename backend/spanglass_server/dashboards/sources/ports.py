"""``DashboardSource`` and ``DashboardStore``: where dashboards come from, and where pages keep theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from spanglass_server.forms import files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.dashboards.model import Dashboard

#: settings: ``monitoring.dashboards`` of the settings file; files: the directory ``dashboards.dir``; kept: made in
#: pages; shipped: come with the product. What comes first here counts where two have the same uid.
Origin = Literal["settings", "files", "kept", "shipped"]
ORIGINS: tuple[Origin, ...] = ("settings", "files", "kept", "shipped")


@dataclass(frozen=True, slots=True)
class Found:
    """A dashboard with the file that it stands in. Equal dashboards have equal versions."""

    dashboard: Dashboard
    origin: Origin
    file: str
    version: str

    @property
    def uid(self) -> str:
        """The dashboard's."""
        return self.dashboard.uid


#: What a source holds now, and what is wrong with its files.
Contents = files.Contents[Found]


@dataclass(frozen=True, slots=True)
class OldVersion:
    """A version that was kept before: when it was replaced or deleted, and what it was."""

    version: str
    replaced_ns: int
    dashboard: Dashboard


class DashboardSource(Protocol):
    """Dashboards in files.

    ``read`` never raises. It sees every change of a file made before the call. While a file is broken, the dashboards
    that it held when it was right stay, and the problem is told, with file, line and column; those right in a file
    that is partly wrong count. A file that is gone takes its dashboards with it.
    """

    @property
    def origin(self) -> Origin:
        """What its dashboards are called."""

    def read(self) -> Contents:
        """What it holds now."""


class DashboardStore(DashboardSource, Protocol):
    """Keeps dashboards that are made in pages; a change is durable when it is answered, and seen by ``read``.

    Changes name the version that they began with, ``""`` for none: a dashboard that has another one by then is left
    as it is (``ConflictError``). All raise ``OSError`` when the disk can't be used; then nothing is changed.
    """

    def put(self, dashboard: Dashboard, version: str) -> Found:
        """Keep a dashboard in the place of the one that has its uid and this version."""

    def delete(self, uid: str, version: str) -> None:
        """Delete a dashboard that has this version; ``KeyError`` for one that is not there."""

    def versions(self, uid: str) -> Sequence[OldVersion]:
        """The versions of a dashboard that it had before, newest first; also of one that was deleted."""
