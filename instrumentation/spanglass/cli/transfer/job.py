"""What an export is made of, and how far it is: a file beside its parts, so that one that was ended goes on."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass.cli.errors import CliError, Exit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

JOB = "export.json"
_VERSION = 1


@dataclass(slots=True)
class Part:
    """A part of a signal: by what the server is asked for it, None for all of it; about how many records it has.

    ``records`` and ``size`` are of its file once that is there; without a record it may have none.
    """

    signal: str
    number: int
    part: str | None
    estimate: int
    records: int | None = None
    size: int = 0

    def file(self, form: str) -> str:
        """The name of its file."""
        return f"{self.signal}-{self.number:05d}.{form}"


@dataclass(slots=True)
class Columns:
    """Columns of a signal: the stored ones with their types, and SQL over these for each readable one."""

    stored: dict[str, str]
    readable: dict[str, str]


@dataclass(slots=True)
class Job:
    """An export into a directory. ``question`` is what was asked for, as it was written."""

    directory: Path
    question: Mapping[str, Any]
    window: Mapping[str, str]
    form: str
    parts: list[Part]
    columns: dict[str, Columns] = field(default_factory=dict)

    def path(self, part: Part) -> Path:
        """Where the file of a part is, or will be."""
        return self.directory / part.file(self.form)

    def missing(self) -> Iterator[Part]:
        """Yield the parts that are not there; a file that is not as it was written counts as missing."""
        for part in self.parts:
            if part.records is None:
                yield part
            elif part.size and (not self.path(part).is_file() or self.path(part).stat().st_size != part.size):
                part.records, part.size = None, 0
                yield part

    @property
    def is_done(self) -> bool:
        """Whether all parts are there."""
        return not any(True for _ in self.missing())

    def save(self) -> None:
        """Write down how far it is, in one step."""
        content = {
            "version": _VERSION,
            "question": self.question,
            "window": self.window,
            "format": self.form,
            "columns": {
                name: {"stored": each.stored, "readable": each.readable} for name, each in self.columns.items()
            },
            "parts": [
                {
                    "signal": part.signal,
                    "number": part.number,
                    "part": part.part,
                    "estimate": part.estimate,
                    "records": part.records,
                    "size": part.size,
                }
                for part in self.parts
            ],
        }
        partial = self.directory / f".{JOB}.partial"
        with partial.open("w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.directory / JOB)


def _check_version(version: int) -> None:
    if version != _VERSION:
        raise ValueError(version)


def load(directory: Path) -> Job | None:
    """Read the job of a directory, None without one; ``CliError`` for one that is none of ours."""
    path = directory / JOB
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        _check_version(content["version"])
        columns = {name: Columns(each["stored"], each["readable"]) for name, each in content["columns"].items()}
        parts = [Part(**part) for part in content["parts"]]
        return Job(directory, content["question"], content["window"], content["format"], parts, columns)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CliError(f"{path} can't be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        hint = "choose another place with --output, or begin anew with --restart"
        raise CliError(f"{path} is not of an export of this version", hint, code=Exit.USAGE) from None
