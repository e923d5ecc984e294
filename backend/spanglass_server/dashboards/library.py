"""All dashboards of a server, whatever source they come from."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.dashboards.sources.ports import ORIGINS
from spanglass_server.forms.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.dashboards.sources.ports import DashboardSource, DashboardStore, Found

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The dashboards at one moment, by uid, and all problems of their files."""

    dashboards: Mapping[str, Found]
    problems: tuple[Problem, ...]


class Library:
    """Reads all sources; safe for any thread. Files that become broken are logged once."""

    def __init__(self, sources: Sequence[DashboardSource], store: DashboardStore) -> None:
        self.store = store
        self._sources = sorted([*sources, store], key=lambda source: ORIGINS.index(source.origin))
        self._lock = threading.Lock()
        self._logged: frozenset[str] = frozenset()

    def shelf(self) -> Shelf:
        """What there is now: files that changed are read again."""
        with self._lock:
            dashboards: dict[str, Found] = {}
            problems: list[Problem] = []
            for source in self._sources:
                contents = source.read()
                problems.extend(contents.problems)
                for found in contents.found:
                    first = dashboards.setdefault(found.dashboard.uid, found)
                    if first is not found and found.origin != "shipped":
                        problems.append(_hidden(found, first))
            self._log(problems)
            return Shelf(dashboards, tuple(problems))

    def _log(self, problems: Sequence[Problem]) -> None:
        texts = frozenset(str(problem) for problem in problems)
        for text in sorted(texts - self._logged):
            _LOG.warning("dashboards: %s", text)
        if self._logged and not texts:
            _LOG.info("dashboards: all files are right again")
        self._logged = texts


def _hidden(found: Found, first: Found) -> Problem:
    uid = found.dashboard.uid
    message = f"the dashboard {uid!r} is hidden by the one in {first.file}"
    return Problem(message, file=found.file, hint="give one of them another name, or a uid")
