"""Files of rules, ours and Prometheus', read again when they change: the settings file, or all of a directory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from spanglass_server.alerting.ports import Found
from spanglass_server.alerting.rules.form.spec import RULES
from spanglass_server.alerting.rules.prometheus.model import RecordingGroup
from spanglass_server.alerting.rules.prometheus.reading import ReadGroups, is_prometheus, read_groups
from spanglass_server.forms.files import Contents, DirectoryReader, FileReader
from spanglass_server.forms.nodes import TreeError, yaml_tree
from spanglass_server.forms.problems import Report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.model import Origin
    from spanglass_server.forms.listed import Read
    from spanglass_server.forms.names import Stands
    from spanglass_server.forms.problems import Problem

#: What stands in a file of rules: a rule, or recording rules that are evaluated together.
Standing = Found | RecordingGroup


class RuleSource(Protocol):
    """Rules in files. ``read`` never raises, and sees every change of a file made before the call.

    While a file is broken, the rules it held when it was right stay, and the problem is told with its place.
    """

    @property
    def origin(self) -> Origin:
        """What its rules are called."""

    def read(self) -> Contents[Standing]:
        """What it holds now."""


@dataclass(frozen=True, slots=True)
class FileRead:
    """One file as it was read: what counts, what is wrong, and what of Prometheus' rules is not as it is there."""

    standing: tuple[Standing, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


def read_file(text: str, file: str, origin: Origin = "files", *, stands: Stands = False) -> FileRead:
    """Read a file of rules of either kind, by its text."""
    try:
        root = yaml_tree(text)
    except TreeError as error:
        return FileRead((), RULES.unreadable(error, file).problems)
    if root is None:
        return FileRead()
    report = Report(file, stands=stands)
    if is_prometheus(root):
        return _of_groups(read_groups(root, report), file, origin)
    read = RULES.read_tree(root, report)
    return FileRead(_of_rules(read, file, origin), read.problems)


def reader_of(origin: Origin) -> Callable[[str, str], Contents[Standing]]:
    """What reads the files of a source."""

    def contents(text: str, file: str) -> Contents[Standing]:
        read = read_file(text, file, origin)
        return Contents(read.standing, read.problems)

    return contents


class SettingsFileRules:
    """``monitoring.alert_rules`` of a settings file; see ``RuleSource``."""

    origin: Origin = "settings"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = FileReader(self._contents, keeps_gone=True)

    def read(self) -> Contents[Standing]:
        """See ``RuleSource``."""
        return self._reader.contents([self._path])

    def _contents(self, text: str, file: str) -> Contents[Standing]:
        read = RULES.read_settings_yaml(text, file)
        return Contents(_of_rules(read, file, self.origin), read.problems)


class DirectoryRules:
    """The YAML files in a directory and those below it; see ``RuleSource``."""

    def __init__(self, directory: Path, origin: Origin = "files") -> None:
        self.origin: Origin = origin
        self._reader = DirectoryReader(directory, reader_of(origin))

    def read(self) -> Contents[Standing]:
        """See ``RuleSource``."""
        return self._reader.contents()


class LastingRules:
    """Rules of files that nobody changes while the server runs: they are read once; see ``RuleSource``."""

    def __init__(self, source: RuleSource) -> None:
        self.origin: Origin = source.origin
        self._contents = source.read()

    def read(self) -> Contents[Standing]:
        """See ``RuleSource``."""
        return self._contents


def _of_rules(read: Read[Rule], file: str, origin: Origin) -> tuple[Standing, ...]:
    return tuple(Found(rule, origin, file, RULES.version_of(rule), line) for rule, line in read.found)


def _of_groups(read: ReadGroups, file: str, origin: Origin) -> FileRead:
    rules = tuple(Found(rule, origin, file, RULES.version_of(rule), line, group) for rule, group, line in read.rules)
    return FileRead((*rules, *read.recordings), read.problems, read.notes)
