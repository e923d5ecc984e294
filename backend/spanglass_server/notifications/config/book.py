"""The ``NotificationBook``: all things of all sections, from the settings file and from what is kept."""

from __future__ import annotations

import logging
import math
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_server.forms.errors import ElsewhereError
from spanglass_server.forms.kinds import FAILED
from spanglass_server.forms.nodes import TreeError, json_tree
from spanglass_server.forms.problems import Problem, Report
from spanglass_server.notifications.config.composing import composed
from spanglass_server.notifications.config.errors import ConfigurationError
from spanglass_server.notifications.config.naming import Naming, shelved
from spanglass_server.notifications.config.secrets import has_kept, hidden, missing, references, restored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from spanglass_server.forms.files import Contents
    from spanglass_server.notifications.config.sections import Found, Section, Sections
    from spanglass_server.notifications.config.sources import KeptThings, Source
    from spanglass_server.notifications.ports import Configuration

_LOG = logging.getLogger(__name__)

#: Deliveries ask often, and a look at a hundred kept files takes 5 ms.
STALE_S = 0.1


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What the sources hold at one moment."""

    contents: tuple[Contents[Found], ...]
    standing: dict[str, dict[str, Found]]
    configuration: Configuration
    problems: tuple[Problem, ...] = field(default=())


class Book:
    """See ``NotificationBook``. Things of ``settings`` hide kept ones of the same section and name.

    A thing with a name in it that leads nowhere counts as it was when all led somewhere, if it was.
    """

    def __init__(
        self,
        sections: Sections,
        settings: Source | None,
        kept: KeptThings,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sections = sections
        self._naming = Naming(sections)
        self._settings = settings
        self._kept = kept
        self._lock = threading.RLock()
        self._logged: frozenset[str] = frozenset()
        self._shelf = self._shelved((), {})
        self._monotonic_s = monotonic_s
        self._looked_s = -math.inf

    def configuration(self) -> Configuration:
        """See ``NotificationBook``. A change of a file is seen within ``STALE_S``, one made here at once."""
        with self._lock:
            is_fresh = self._monotonic_s() - self._looked_s < STALE_S
            return (self._shelf if is_fresh else self._look()).configuration

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
                raise ElsewhereError(f"the {of.noun} {name!r}", before.file, before.line)
            read = self._read(of, name, value, before)
            try:
                of.layout.gather(name, {})
                kept = self._kept.put(of, name, read, version, by)
            except ValueError as error:
                raise ConfigurationError([Problem(str(error), "name")]) from None
            self._looked_s = -math.inf
            _LOG.info("notifications: the %s %r was kept by %s", of.noun, name, by)
            return kept.version

    def delete(self, section: str, name: str, version: str, by: str) -> None:
        """See ``NotificationBook``."""
        of = self._section(section)
        with self._lock:
            standing = self.found(section)[name]
            if standing.origin == "settings":
                raise ElsewhereError(f"the {of.noun} {name!r}", standing.file, standing.line)
            user = self._naming.user_of(section, name, self._look().standing)
            if user:
                hint = "name another one there first"
                raise ConfigurationError([Problem(f"the {of.noun} is used by {user}", hint=hint)])
            self._kept.delete(section, name, version)
            self._looked_s = -math.inf
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
        if old is not None and before is not None and has_kept(value):
            problems += [Problem(_MOVED, path, hint=_AGAIN) for path in of.moved(read, before.value)]
        problems += [Problem(reason, path) for path, reason in of.refused(read)]
        problems += self._naming.unknown(of, name, read, self._look().standing)
        if problems:
            raise ConfigurationError(problems)
        return read

    def _look(self) -> _Shelf:
        with self._lock:
            sources = [source for source in (self._settings, self._kept) if source is not None]
            contents = tuple(source.read() for source in sources)
            if contents != self._shelf.contents:
                self._shelf = self._shelved(contents, self._shelf.standing)
                self._log([*self._shelf.problems, *self._secrets_missing(self._shelf.standing)])
            self._looked_s = self._monotonic_s()
            return self._shelf

    def _shelved(self, contents: tuple[Contents[Found], ...], before: Mapping[str, Mapping[str, Found]]) -> _Shelf:
        standing, hidden_ones = shelved(found for each in contents for found in each.found)
        problems = [problem for each in contents for problem in each.problems]
        problems += [self._naming.hiding(found, first) for found, first in hidden_ones]
        problems += list(self._naming.leading_nowhere(standing, problems))
        standing = self._naming.mended(standing, before)
        things = {
            name: {each.name: self._section(name).placed(each.value, each) for each in found.values()}
            for name, found in standing.items()
        }
        return _Shelf(contents, standing, composed(things), tuple(problems))

    def _secrets_missing(self, standing: Mapping[str, Mapping[str, Found]]) -> Iterator[Problem]:
        """Secrets that can't be had now."""
        for of, found in self._naming.everything(standing):
            for text in missing(found.value):
                yield Problem(text, f"{of.noun} {found.name}", found.line, file=found.file)

    def _log(self, problems: Sequence[Problem]) -> None:
        texts = frozenset(str(problem) for problem in problems)
        for text in sorted(texts - self._logged):
            _LOG.warning("notifications: %s", text)
        if self._logged and not texts:
            _LOG.info("notifications: all files are right again")
        self._logged = texts


_MOVED = "what is kept would be sent to somebody else"
_AGAIN = "give the secrets again"
_HERE = "write the secret itself here"
