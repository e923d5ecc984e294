"""What a report is: sections of texts, figures, tables and charts, with numbers as the API gives them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, TypedDict

from spanglass_server.query.answers import JsonSchema, Time, TimeRange, UnixSeconds

#: What numbers are: ``ratio`` is 0 to 1, ``change`` a share of what was before (0.5: half more), ``ns`` and ``s`` are
#: durations, ``text`` and ``time`` (RFC 3339) are none.
Unit = Literal["count", "per_s", "ratio", "change", "ns", "s", "bytes", "budget", "text", "time"]
Better = Annotated[Literal["less", "more", "neither"], JsonSchema({"description": "which way a change is a good one"})]
Cell = str | float | None


class Text(TypedDict):
    """A paragraph."""

    block: Literal["text"]
    text: str


class Figure(TypedDict):
    """A number of the range, and of the range before; null is what is not known."""

    name: str
    unit: Unit
    value: float | None
    before: float | None
    better: Better


class Figures(TypedDict):
    """Some numbers side by side."""

    block: Literal["figures"]
    figures: list[Figure]


class Column(TypedDict):
    """A column of a table."""

    name: str
    unit: Unit


class Row(TypedDict):
    """A row; ``link`` is a path of the server's pages about it."""

    cells: list[Cell]
    link: str | None


class Table(TypedDict):
    """A table; ``left_out`` is how many more rows there were."""

    block: Literal["table"]
    name: str
    columns: list[Column]
    rows: list[Row]
    left_out: int


class Line(TypedDict):
    """Values of a chart, null where there is none; ``role`` says what they are of: the range, before it, failures."""

    name: str
    role: Literal["now", "before", "bad"]
    values: list[float | None]


class Chart(TypedDict):
    """Values over time; bars are stacked in the order of the lines. ``times`` are the beginnings of the steps."""

    block: Literal["chart"]
    name: str
    style: Literal["lines", "bars"]
    unit: Unit
    step_s: float
    times: list[UnixSeconds]
    lines: list[Line]


Block = Text | Figures | Table | Chart


class Section(TypedDict):
    """A part of a report. ``asked`` are the API's addresses whose answers it is made of.

    ``problem`` says why it could not be made; it has no blocks then.
    """

    id: str
    title: str
    blocks: list[Block]
    problem: str | None
    asked: list[str]


class Report(TypedDict):
    """A whole report; ``service`` is null where it is about all of them."""

    kind: str
    title: str
    service: str | None
    window: TimeRange
    before: TimeRange
    made_time: Time
    sections: list[Section]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report is about; times in nanoseconds since 1970, ``service`` "" for all of them."""

    kind: str
    service: str
    start_ns: int
    end_ns: int

    @property
    def before(self) -> tuple[int, int]:
        """The range of the same length before it; of one that begins with 1970 a nanosecond, as no range is empty."""
        start_ns = max(0, self.start_ns - (self.end_ns - self.start_ns))
        return start_ns, max(self.start_ns, start_ns + 1)


@dataclass(frozen=True, slots=True)
class Turn:
    """A schedule that is due: when it was, and when it is the next time (0: never), in nanoseconds since 1970."""

    schedule: str
    due_ns: int
    next_ns: int


class State(StrEnum):
    """Of a report that somebody asked for."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A report in the store. ``bytes`` is what its content takes; ``attempts`` counts how often it was begun."""

    id: str
    scope: Scope
    state: State
    created_ns: int
    done_ns: int = 0
    attempts: int = 0
    actor: str = ""
    error: str = ""
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a report is that is being made: sections that are done, of how many, and the title of the next one."""

    done: int = 0
    total: int = 0
    section: str = ""
