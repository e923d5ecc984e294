"""The alert rules of one server, put together: those of its files, those made in pages, those that come with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import spanglass_server.alerting.rules.shipped as shipped_package
from spanglass_server.alerting.rules.book import Book, Defaults
from spanglass_server.alerting.rules.sources.files import DirectoryRules, LastingRules, SettingsFileRules
from spanglass_server.alerting.rules.sources.kept import KeptRules
from spanglass_server.alerting.rules.sources.tuning import Tuning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.alerting.rules.sources.files import RuleSource
    from spanglass_server.settings.settings import Settings
    from spanglass_server.store.disk import Disk

_KEPT = "alert-rules"
_TUNING = "alert-rule-changes.json"


def open_book(settings: Settings, disk: Disk, clock_ns: Callable[[], int], more: Sequence[RuleSource] = ()) -> Book:
    """Open all sources, with ``more`` of them. Raises ``OSError`` when the data directory can't be used."""
    directory = settings.data.dir.resolve()
    kept = KeptRules(directory / _KEPT, disk, clock_ns)
    shipped = LastingRules(DirectoryRules(Path(shipped_package.__path__[0]), "shipped"))
    defaults = Defaults(settings.alerting.channels, settings.alerting.shipped)
    return Book([shipped, *more, *_files(settings)], kept, Tuning(directory / _TUNING, disk), defaults)


def problems_of(settings: Settings) -> list[str]:
    """What is wrong with the rules that the settings name, without a data directory."""
    return [str(problem) for source in _files(settings) for problem in source.read().problems]


def _files(settings: Settings) -> list[RuleSource]:
    sources: list[RuleSource] = []
    if settings.file is not None:
        sources.append(SettingsFileRules(settings.file))
    if settings.alerting.dir is not None:
        sources.append(DirectoryRules(settings.alerting.dir))
    return sources
