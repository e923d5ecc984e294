"""What templates are made of."""

from __future__ import annotations

from dataclasses import dataclass, field


class TemplateError(ValueError):
    """A text that is no template, or one that can't be filled in; ``column`` counts characters from 1, 0 if unknown."""

    def __init__(self, message: str, column: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.hint = hint


def _column() -> int:
    return field(default=0, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Constant:
    """A text, a number, true, false or nil."""

    value: str | float | bool | None


@dataclass(frozen=True, slots=True)
class Field:
    """Fields, one in the other, of the dot (``variable`` ""), of a variable such as ``$labels``, or of a pipeline."""

    names: tuple[str, ...]
    variable: str = ""
    of: Pipeline | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments, the value of the command before it last."""

    name: str
    arguments: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each given the value of the one before it; all but the first are calls."""

    commands: tuple[Operand | Call, ...]


Operand = Constant | Field | Pipeline | Call


@dataclass(frozen=True, slots=True)
class Output:
    """A value that is written. ``column`` of this and other actions is where its text begins, from 1."""

    value: Pipeline
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Assign:
    """A variable is given a value; ``declared`` makes a new one in this block."""

    variable: str
    value: Pipeline
    declared: bool
    column: int = _column()


@dataclass(frozen=True, slots=True)
class If:
    """One of two blocks; with ``rebinds`` the dot (and a variable, if named) is the value within the first."""

    value: Pipeline
    then: Block
    otherwise: Block
    rebinds: bool = False
    variable: str = ""
    column: int = _column()


@dataclass(frozen=True, slots=True)
class Range:
    """A block for each item; the other one if there is none."""

    value: Pipeline
    body: Block
    otherwise: Block
    key: str = ""
    item: str = ""
    column: int = _column()


#: Texts as they are, and actions.
Part = str | Output | Assign | If | Range
Block = tuple[Part, ...]
