"""Where things stand: in the settings file, and in the data directory when they were made in pages."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from spanglass_server.forms.dumping import dump
from spanglass_server.forms.files import Contents, FileReader
from spanglass_server.forms.kept import Form, KeptFiles
from spanglass_server.forms.names import TAKEN
from spanglass_server.forms.nodes import TreeError, yaml_tree
from spanglass_server.forms.problems import Problem, Report
from spanglass_server.notifications.config.secrets import revealed
from spanglass_server.notifications.config.sections import Found
from spanglass_server.store.disk import replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from spanglass_server.notifications.config.sections import Section, Sections
    from spanglass_server.store.disk import Disk

_KEY_BYTES = 32
_BY = "# kept by "
_MAX_BY = 200


class Source(Protocol):
    """Things in files. ``read`` never raises, and sees every change of a file made before the call.

    While a file is broken, what it held when it was right stays, and the problem is told with its place.
    """

    def read(self) -> Contents[Found]:
        """What it holds now."""


class SettingsFile:
    """The sections of a settings file; see ``Source``."""

    def __init__(self, path: Path, sections: Sections) -> None:
        self._path = path
        self._reader = FileReader(lambda text, file: read_settings(text, file, sections), keeps_gone=True)

    def read(self) -> Contents[Found]:
        """See ``Source``."""
        return self._reader.contents([self._path])


class KeptThings:
    """``SECTION/NAME.yaml`` below a directory, in the form of the settings file; a ``Source`` that is written too.

    Changes raise ``ConflictError``, and ``OSError`` when the disk can't be used; then nothing changed.
    """

    def __init__(self, directory: Path, disk: Disk, clock_ns: Callable[[], int], sections: Sections) -> None:
        disk.make_directory(directory)
        self._sections = sections
        self._versions = _Versions(directory / ".versions-key", disk)
        self._files = {
            name: KeptFiles(directory / name, disk, clock_ns, self._form(section))
            for name, section in sections.by_name.items()
        }

    def read(self) -> Contents[Found]:
        """See ``Source``."""
        contents = [files.contents() for files in self._files.values()]
        return Contents(
            tuple(found for each in contents for found in each.found),
            tuple(problem for each in contents for problem in each.problems),
        )

    def put(self, section: Section, name: str, value: Any, version: str, by: str) -> Found:
        """Keep a thing in the place of the one with this version ("": a new one); ``ValueError`` for its name."""
        who = "".join(letter for letter in by if letter.isprintable())[:_MAX_BY]  # what YAML takes on one line
        digest = self._versions.of(section, value)
        return self._files[section.name].put(
            name, version, lambda file: Found(section.name, name, value, "kept", file, 0, digest, who)
        )

    def delete(self, section: str, name: str, version: str) -> None:
        """Delete a thing that has this version; ``KeyError`` for one that is not there."""
        self._files[section].delete(name, version)

    def versions(self, section: str, name: str) -> list[tuple[int, Found]]:
        """What a thing was before, with the time in ns it was replaced or deleted, newest first."""
        return self._files[section].versions(name)

    def _form(self, section: Section) -> Form[Found]:
        def read(text: str, file: str) -> Contents[Found]:
            contents = read_settings(text, file, self._sections)
            own = [found for found in contents.found if found.section == section.name]
            by = _who(text)
            kept = tuple(
                replace(each, origin="kept", line=0, version=self._versions.of(section, each.value), by=by)
                for each in own
            )
            return Contents(kept, contents.problems)

        taken = TAKEN.get(section.noun, frozenset())
        return Form(section.noun, section.name, read, lambda found: _yaml_of(section, found), taken)


class _Versions:
    """Versions are digests of what is written, under a key: nobody can try out what a secret in it may be."""

    def __init__(self, path: Path, disk: Disk) -> None:
        if not path.exists():
            replace_file(path, secrets.token_bytes(_KEY_BYTES), disk)
        self._key = path.read_bytes()[:_KEY_BYTES]

    def of(self, section: Section, value: Any) -> str:
        written = orjson.dumps(revealed(section.form.write(value, full=True)), option=orjson.OPT_SORT_KEYS)
        return hashlib.blake2b(written, digest_size=8, key=self._key).hexdigest()


def read_settings(text: str, file: str, sections: Sections) -> Contents[Found]:
    """The things in the text of a settings file."""
    try:
        root = yaml_tree(text)
    except TreeError as error:
        return Contents((), (Problem(str(error), "", error.line, error.column, file=file),))
    if root is None:
        return Contents()
    report = Report(file)
    return Contents(tuple(sections.read(root, report)), tuple(report.problems))


def written_at(place: Sequence[str], value: Any) -> Any:
    """A value below the keys on the way to it."""
    for key in reversed(place):
        value = {key: value}
    return value


def _yaml_of(section: Section, found: Sequence[Found]) -> str:
    """One thing a file; several, where somebody put them into one by hand."""
    values = [section.layout.gather(each.name, revealed(section.form.write(each.value, full=False))) for each in found]
    joined: Any = values[0]
    for value in values[1:]:
        joined = {**joined, **value} if isinstance(joined, dict) else [*joined, *value]
    by = found[-1].by
    return f"{_BY}{by}\n" * bool(by) + dump(written_at(section.place, joined))


def _who(text: str) -> str:
    """Who kept what a file holds, as its first line says."""
    first = text.partition("\n")[0]
    return first.removeprefix(_BY) if first.startswith(_BY) else ""
