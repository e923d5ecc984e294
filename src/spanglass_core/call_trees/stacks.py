"""Stacks of a profiler folded into one tree of functions, and what each function took wherever it was called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The line in place of the outermost frames of a stack that is too deep.
LEFT_OUT = "..."
#: Characters of a line; those of our profiler have no more.
MOST_CHARACTERS = 300
#: Lines of a stack, twice those of our profiler.
MOST_LINES = 200
#: Frames of the tree, about 40 MB; of further ones the time is that of the frame above.
MOST_FRAMES = 100_000
#: Digits of a line's number.
_MOST_DIGITS = 9


class Function(NamedTuple):
    """A function; module and file are empty, the line 0, where a frame does not tell them."""

    module: str
    function: str
    file: str = ""
    line: int = 0


@dataclass(slots=True, eq=False)
class Frame:
    """A function below the same callers. ``total`` is the time of all stacks that lead through it, ``own`` of its own.

    ``samples`` are of all that lead through it.
    """

    function: Function
    depth: int
    samples: int = 0
    total: int = 0
    own: int = 0
    children: dict[str, Frame] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class Times:
    """What a function took: ``own`` by itself, ``total`` with all that it called; recursion counts once."""

    own: int = 0
    total: int = 0
    samples: int = 0


def read_function(line: str) -> Function:
    """Read a line of a stack, ``module:qualified name (file:line)``; one written otherwise is a function of that name.

    Takes time in proportion to the length of the line, whatever it has.
    """
    module, colon, rest = line.partition(":")
    if not colon or "(" in module or ")" in module:
        module, rest = "", line
    before, colon, number = rest.removesuffix(")").rpartition(":")
    function, bracket, file = before.partition(" (")
    is_place = colon and bracket and rest.endswith(")") and number.isdecimal() and len(number) <= _MOST_DIGITS
    return Function(module, function, file, int(number)) if is_place else Function(module, rest)


def fold_stacks(stacks: Iterable[tuple[str, int, int]]) -> tuple[list[Frame], dict[Function, Times]]:
    """Fold stacks, each a text of lines with its samples and its time; give those of most time first.

    Returns frames depth first, those of most time first among siblings, and the times of all functions. Of a stack of
    more than ``MOST_LINES`` the outermost lines are left out; where there are ``MOST_FRAMES`` already, no frame is
    added but the outermost of a stack.
    """
    top: dict[str, Frame] = {}
    functions: dict[str, Function] = {}
    times: dict[Function, Times] = {}
    count = 0
    for text, samples, time in stacks:
        siblings, above = top, None
        on_stack = set()
        for depth, line in enumerate(_lines(text)):
            frame = siblings.get(line)
            if frame is None:
                if above is not None and count >= MOST_FRAMES:
                    break
                function = functions.get(line) or functions.setdefault(line, read_function(line))
                frame = siblings[line] = Frame(function, depth)
                count += 1
            frame.samples += samples
            frame.total += time
            on_stack.add(frame.function)
            siblings, above = frame.children, frame
        for function in on_stack:
            of_function = times.setdefault(function, Times())
            of_function.total += time
            of_function.samples += samples
        if above is not None:
            above.own += time
            times[above.function].own += time
    return _listed(top), times


def _lines(text: str) -> list[str]:
    """The lines of a stack, the outermost first."""
    lines = text.rsplit("\n", MOST_LINES)
    if len(lines) > MOST_LINES:
        lines[:2] = [LEFT_OUT]
    return [line[:MOST_CHARACTERS] for line in lines]


def _listed(top: dict[str, Frame]) -> list[Frame]:
    """Frames depth first; with a stack, though they are not deep."""
    found: list[Frame] = []
    todo = _least_first(top)
    while todo:
        frame = todo.pop()
        found.append(frame)
        todo += _least_first(frame.children)
    return found


def _least_first(frames: dict[str, Frame]) -> list[Frame]:
    return [frame for _, frame in sorted(frames.items(), key=lambda pair: (-pair[1].total, pair[0]), reverse=True)]
