"""What an export is made of, and how far it is: a file beside its parts, so that one that was ended goes on."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass.cli.errors import CliError, Exit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

JOB = "export.json"
#: What is sent to the server, and what it keeps beside that: the latter whole, without a filter.
SENT = ("spans", "logs", "metrics")
KEPT = ("issues", "alerts", "incidents")
FORMS = ("parquet", "ndjson", "csv", "otlp")
_VERSION = 1
_PART = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")


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

    def remove(self) -> None:
        """Delete its files, also those that were under way, and the directory if there is nothing else in it."""
        for path in (*map(self.path, self.parts), self.directory / JOB):
            path.unlink(missing_ok=True)
            partial_of(path).unlink(missing_ok=True)
        if not any(self.directory.iterdir()):
            self.directory.rmdir()

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
        partial = partial_of(self.directory / JOB)
        with partial.open("w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.directory / JOB)


def partial_of(path: Path) -> Path:
    """Where a file is while it is written."""
    return path.with_name(f".{path.name}.partial")


def load(directory: Path) -> Job | None:
    """Read the job of a directory, None without one; ``CliError`` for one that is none of ours."""
    path = directory / JOB
    try:
        return _job(directory, json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CliError(f"{path} can't be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        hint = "choose another directory, or move that file away"
        raise CliError(f"{path} is not of an export of this version", hint, code=Exit.USAGE) from None


def _job(directory: Path, content: Any) -> Job:
    """The job of what stands in its file. Names of files are made of it, so that each value must be one of ours."""
    _check(content["version"] == _VERSION and content["format"] in FORMS and isinstance(content["question"], dict))
    window = content["window"]
    _check(all(isinstance(window[name], str) for name in ("start_time", "end_time")))
    columns = {name: Columns(each["stored"], each["readable"]) for name, each in content["columns"].items()}
    _check(set(SENT).issuperset(columns))
    for texts in (each for of in columns.values() for each in (of.stored, of.readable)):
        _check(all(isinstance(text, str) for text in texts.values()))
    parts = [Part(**part) for part in content["parts"]]
    for part in parts:
        _check(part.signal in (*SENT, *KEPT) and (part.part is None or bool(_PART.fullmatch(part.part))))
        _check(_is_count(part.number) and part.number > 0 and _is_count(part.estimate) and _is_count(part.size))
        _check(part.records is None or _is_count(part.records))
    _check(len({(part.signal, part.number) for part in parts}) == len(parts))
    return Job(directory, content["question"], window, content["format"], parts, columns)


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _check(holds: bool) -> None:  # noqa: FBT001 - what must hold
    if not holds:
        raise ValueError
