"""The ``NotificationBook``: all things of all sections, from the settings file and from what is kept."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_server.forms.kinds import FAILED
from spanglass_server.forms.nodes import TreeError, json_tree
from spanglass_server.forms.problems import Problem, Report, meant
from spanglass_server.notifications.config.composing import composed
from spanglass_server.notifications.config.errors import ConfigurationError, ElsewhereError
from spanglass_server.notifications.config.secrets import hidden, missing, references, restored

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from spanglass_server.forms.files import Contents
    from spanglass_server.notifications.config.sections import Found, Section, Sections, Use
    from spanglass_server.notifications.config.sources import KeptThings, Source
    from spanglass_server.notifications.ports import Configuration

_LOG = logging.getLogger(__name__)

Standing = dict[str, dict[str, "Found"]]  # by section and name


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What the sources hold at one moment."""

    contents: tuple[Contents[Found], ...]
    standing: Standing
    configuration: Configuration
    problems: tuple[Problem, ...] = field(default=())


class Book:
    """See ``NotificationBook``. Things of ``settings`` hide kept ones of the same section and name."""

    def __init__(self, sections: Sections, settings: Source | None, kept: KeptThings) -> None:
        self._sections = sections
        self._settings = settings
        self._kept = kept
        self._lock = threading.RLock()
        self._logged: frozenset[str] = frozenset()
        self._shelf = self._shelved(())

    def configuration(self) -> Configuration:
        """See ``NotificationBook``."""
        return self._look().configuration

    def problems(self) -> Sequence[str]:
        """See ``NotificationBook``."""
        shelf = self._look()
        return [str(problem) for problem in (*shelf.problems, *self._secrets_missing(shelf.standing))]

    def found(self, section: str) -> Mapping[str, Found]:
        """The things of a section by name, with where they stand; ``KeyError`` for a section that there is not."""
        self._section(section)
        return self._look().standing.get(section, {})

    def sections(self) -> Sequence[str]:
        """The names of all sections."""
        return tuple(self._sections.by_name)

    def schema(self, section: str) -> dict[str, Any]:
        """The JSON schema of the things of a section; ``KeyError``."""
        return self._section(section).form.schema

    def written(self, section: str, name: str) -> Any:
        """See ``NotificationBook``. With all defaults."""
        return self.shown(section, self.found(section)[name].value)

    def shown(self, section: str, value: Any) -> Any:
        """A thing of a section as JSON with all defaults, secrets hidden."""
        return hidden(self._section(section).form.write(value, full=True))

    def put(self, section: str, name: str, value: Any, version: str, by: str) -> str:
        """See ``NotificationBook``. ``KEPT`` in the place of a secret is the one that stands."""
        of = self._section(section)
        with self._lock:
            before = self.found(section).get(name)
            if before is not None and before.origin == "settings":
                raise ElsewhereError(name, before.file, before.line)
            read = self._read(of, name, value, before)
            try:
                of.layout.gather(name, {})
                kept = self._kept.put(of, name, read, version)
            except ValueError as error:
                raise ConfigurationError([Problem(str(error), "name")]) from None
            _LOG.info("notifications: the %s %r was kept by %s", of.noun, name, by)
            return kept.version

    def delete(self, section: str, name: str, version: str, by: str) -> None:
        """See ``NotificationBook``."""
        of = self._section(section)
        with self._lock:
            standing = self.found(section)[name]
            if standing.origin == "settings":
                raise ElsewhereError(name, standing.file, standing.line)
            users = [text for text, use in self._uses() if section in use.sections and use.name == name]
            if users:
                hint = "name another one there first"
                raise ConfigurationError([Problem(f"the {of.noun} is used by {users[0]}", hint=hint)])
            self._kept.delete(section, name, version)
            _LOG.info("notifications: the %s %r was deleted by %s", of.noun, name, by)

    def check(self, section: str, name: str, value: Any) -> Any:
        """What ``put`` would keep, without keeping it: for previews and tests. ``ConfigurationError``."""
        return self._read(self._section(section), name, value, self.found(section).get(name))

    def versions(self, section: str, name: str) -> Sequence[tuple[int, Found]]:
        """What a kept thing was before, with the time in ns it was replaced or deleted, newest first."""
        self._section(section)
        return self._kept.versions(section, name)

    def _section(self, name: str) -> Section:
        return self._sections.by_name[name]

    def _read(self, of: Section, name: str, value: Any, before: Found | None) -> Any:
        """Read what somebody gives; ``ConfigurationError`` with all that is wrong."""
        report = Report()
        old = of.form.write(before.value, full=True) if before is not None and before.origin == "kept" else None
        try:
            node = json_tree(restored(value, old))
        except TreeError as error:
            raise ConfigurationError([Problem(str(error))]) from None
        read = of.form.read(name, node, report)
        if read is FAILED:
            raise ConfigurationError(report.problems)
        problems = [
            Problem("a secret from the environment or a file can only be named in the settings file", path, hint=_HERE)
            for path in references(of.form.write(read, full=True))
        ]
        standing = self._look().standing
        problems += [
            self._unknown(use, standing) for use in of.uses(read) if not _is_known(use, standing, (of.name, name))
        ]
        if problems:
            raise ConfigurationError(problems)
        return read

    def _look(self) -> _Shelf:
        with self._lock:
            sources = [source for source in (self._settings, self._kept) if source is not None]
            contents = tuple(source.read() for source in sources)
            if contents != self._shelf.contents:
                self._shelf = self._shelved(contents)
                self._log([*self._shelf.problems, *self._secrets_missing(self._shelf.standing)])
            return self._shelf

    def _shelved(self, contents: tuple[Contents[Found], ...]) -> _Shelf:
        standing: Standing = {}
        problems = [problem for each in contents for problem in each.problems]
        for found in (found for each in contents for found in each.found):
            first = standing.setdefault(found.section, {}).setdefault(found.name, found)
            if first is not found:
                problems.append(self._hiding(found, first))
        problems += self._unknown_names(standing)
        things = {
            name: {each.name: self._section(name).placed(each.value, each) for each in found.values()}
            for name, found in standing.items()
        }
        return _Shelf(contents, standing, composed(things), tuple(problems))

    def _unknown_names(self, standing: Standing) -> Iterator[Problem]:
        """Names of things that there are not."""
        for of, found in self._all(standing):
            where = f"{of.noun} {found.name}"
            for use in of.uses(found.value):
                if not _is_known(use, standing):
                    yield self._unknown(use, standing, where, found)

    def _unknown(self, use: Use, standing: Standing, where: str = "", found: Found | None = None) -> Problem:
        known = sorted({name for section in use.sections for name in standing.get(section, {})})
        what = " or ".join(self._sections.noun(section) for section in use.sections)
        hint = meant(use.name, known) if known else f"there is no {what} yet"
        path = ".".join(part for part in (where, use.path) if part)
        line, file = (found.line, found.file) if found is not None else (0, "")
        return Problem(f"there is no {what} {use.name!r}", path, line, hint=hint, file=file)

    def _secrets_missing(self, standing: Standing) -> Iterator[Problem]:
        """Secrets that can't be had now."""
        for of, found in self._all(standing):
            for text in missing(found.value):
                yield Problem(text, f"{of.noun} {found.name}", found.line, file=found.file)

    def _uses(self) -> Iterator[tuple[str, Use]]:
        """Every name within a thing, with the thing."""
        for of, found in self._all(self._look().standing):
            yield from ((f"the {of.noun} {found.name!r}", use) for use in of.uses(found.value))

    def _all(self, standing: Standing) -> Iterator[tuple[Section, Found]]:
        for name, things in standing.items():
            yield from ((self._section(name), found) for found in things.values())

    def _hiding(self, found: Found, first: Found) -> Problem:
        noun = self._section(found.section).noun
        where = f"{first.file}:{first.line}" if first.line else first.file
        return Problem(f"the {noun} {found.name!r} is hidden by the one in {where}", file=found.file, hint=_RENAME)

    def _log(self, problems: Sequence[Problem]) -> None:
        texts = frozenset(str(problem) for problem in problems)
        for text in sorted(texts - self._logged):
            _LOG.warning("notifications: %s", text)
        if self._logged and not texts:
            _LOG.info("notifications: all files are right again")
        self._logged = texts


_HERE = "write the secret itself here"
_RENAME = "delete one of them, or give it another name"


def _is_known(use: Use, standing: Standing, fresh: tuple[str, str] = ("", "")) -> bool:
    """Whether a name stands for something; ``fresh`` is a thing that is about to be kept."""
    return any(use.name in standing.get(section, {}) or fresh == (section, use.name) for section in use.sections)
