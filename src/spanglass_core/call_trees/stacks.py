"""Stacks of a profiler folded into one tree of functions, and what each function took wherever it was called."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A line of a stack: ``module:qualified name (file:line)``.
_LINE = re.compile(r"(?:(?P<module>[^:()]*):)?(?P<function>.*?)(?: \((?P<file>.*):(?P<line>\d{1,9})\))?")


class Function(NamedTuple):
    """A function; module and file are empty, the line 0, where a frame does not tell them."""

    module: str
    function: str
    file: str = ""
    line: int = 0


@dataclass(slots=True, eq=False)
class Frame:
    """A function below the same callers. ``total`` is the time of all stacks that lead through it, ``own`` of its own.

    ``samples`` are of all that lead through it. ``parent`` is the frame above, None at the top.
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
    """Read a line of a stack; what is written otherwise is a function of that name."""
    found = _LINE.fullmatch(line)
    if found is None:
        return Function("", line)
    return Function(found["module"] or "", found["function"], found["file"] or "", int(found["line"] or 0))


def fold_stacks(stacks: Iterable[tuple[str, int, int]]) -> tuple[list[Frame], dict[Function, Times]]:
    """Fold stacks, each a text of lines with its samples and its time.

    Returns frames depth first, those of most time first among siblings, and the times of all functions.
    """
    top: dict[str, Frame] = {}
    functions: dict[str, Function] = {}
    times: dict[Function, Times] = {}
    for text, samples, time in stacks:
        lines = text.split("\n")
        siblings, frame = top, None
        for depth, line in enumerate(lines):
            frame = siblings.get(line)
            if frame is None:
                function = functions.get(line) or functions.setdefault(line, read_function(line))
                frame = siblings[line] = Frame(function, depth)
            frame.samples += samples
            frame.total += time
            siblings = frame.children
        if frame is not None:
            frame.own += time
        for line in set(lines):
            of_function = times.setdefault(functions[line], Times())
            of_function.total += time
            of_function.samples += samples
        times[functions[lines[-1]]].own += time
    return _listed(top), times


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
