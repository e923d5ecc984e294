"""A page of docs/app/recipes as a test needs it: its files, its commands with what they print, what it says arrives.

A file is a block below a line with its name, ``shop.py`` in backquotes and a colon at the end. Commands stand in
``console`` blocks behind ``$``, with their output below. What arrives is a table: "span `GET /`", "log `served`",
"metric `x`" or "no span `y`"; beside it "below `parent`" of spans, "in `span`" of logs, "of `service`".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = Path(__file__).parents[2] / "docs" / "app" / "recipes"
_BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^`([^`]+)`.*:$")
_ROW = re.compile(r"^\| (?P<kind>span|log|metric|no span) `(?P<name>[^`]+)` \| (?P<more>.*) \|$", re.MULTILINE)
_PLACE = re.compile(r"\b(?:below|in) `([^`]+)`")
_SERVICE = re.compile(r"\bof `([^`]+)`")


@dataclass
class Command:
    """What is typed, and the lines that are seen then; "..." stands for any lines."""

    line: str
    output: list[str] = field(default_factory=list)

    def seen_in(self, printed: str) -> bool:
        """Tell whether the lines were printed, in their order, whatever the figures."""
        parts = [re.escape(without_figures(line)) for line in self.output if line != "..."]
        return re.search(r"(?s)" + r"\n.*?".join(parts), without_figures(printed)) is not None


@dataclass(frozen=True)
class Promise:
    """A row of the table: ``place`` is the parent of a span, or the span of a log record."""

    kind: str
    name: str
    place: str | None
    service: str | None

    def kept(self, arrived: Sequence[tuple[str, ...]]) -> bool:
        """Tell whether it is true of rows of kind, name, place, service."""
        found = [
            row
            for row in arrived
            if row[0] == self.kind.removeprefix("no ")
            and without_figures(row[1]).strip() == without_figures(self.name)
            and self.place in {None, row[2]}
            and self.service in {None, row[3]}
        ]
        return bool(found) is not self.kind.startswith("no ")


class Page:
    """A page with some of its texts replaced, such as the port."""

    def __init__(self, name: str, replaced: Mapping[str, str]) -> None:
        text = (FOLDER / f"{name}.md").read_text("utf-8")
        for old, new in replaced.items():
            text = text.replace(old, new)
        self.name = name
        self.files: dict[str, str] = {}
        self.consoles: list[list[Command]] = []
        self.loose: list[str] = []  # code that is in no file
        for block in _BLOCK.finditer(text):
            before = text[: block.start()].rstrip().rpartition("\n")[2]
            self._add(before, *block.group("language", "text"))
        tables = text.split("\n\n")  # of which one stands between blank lines
        promised = [[_promise(row) for row in _ROW.finditer(table)] for table in tables]
        self.promised = [table for table in promised if table]

    def _add(self, before: str, language: str, text: str) -> None:
        file = _FILE.match(before)
        if file:
            self.files[file[1]] = text
        elif language == "console":
            self.consoles.append(_commands(text))
        else:
            self.loose.append(text)

    def write(self, folder: Path, *, without: Sequence[str] = ()) -> None:
        """Write its files."""
        for name, text in self.files.items():
            if name not in without:
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text(text, "utf-8")

    def script(self, console: int) -> str:
        """Return the commands of a block for a shell, which the last one replaces."""
        *first, last = [command.line for command in self.consoles[console]]
        return "\n".join([*first, f"exec {last}"])

    def broken(self, arrived: Sequence[tuple[str, ...]], table: int = 0) -> list[Promise]:
        """Return what one of its tables promises and has not come."""
        return [promise for promise in self.promised[table] if not promise.kept(arrived)]


def statements(recipe: str) -> list[str]:
    """Return statements for the spans, logs and metrics with a resource attribute ``recipe``, for ``Page.broken``."""
    here = f"recipe = '{recipe}'"
    return [
        f"""SELECT 'span', s.name, p.name, s.service_name FROM spans s
        LEFT JOIN spans p ON p.trace_id = s.trace_id AND p.span_id = s.parent_span_id WHERE s.{here}""",  # noqa: S608
        f"""SELECT 'log', l.body::VARCHAR, s.name, l.service_name FROM logs l
        LEFT JOIN spans s ON s.trace_id = l.trace_id AND s.span_id = l.span_id WHERE l.{here}""",  # noqa: S608
        f"SELECT DISTINCT 'metric', metric_name, NULL, service_name FROM metrics WHERE {here}",  # noqa: S608
    ]


def without_figures(text: str) -> str:
    """Replace what differs from one time to the next: ids, ports, times, counts."""
    return re.sub(r"\b[0-9a-f]{32}\b|\d+", "0", text)


def _commands(text: str) -> list[Command]:
    made: list[Command] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            made.append(Command(line.removeprefix("$ ")))
        else:
            made[-1].output.append(line)
    return made


def _promise(row: re.Match[str]) -> Promise:
    place, service = (_found(pattern, row["more"]) for pattern in (_PLACE, _SERVICE))
    return Promise(row["kind"], row["name"], place, service)


def _found(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    return match[1] if match else None
