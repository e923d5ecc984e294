"""A traceback as frames: where each stands, the source around it, and its local variables.

What a place in the code looks like never changes, so it is read once and remembered; a frame's variables are read
each time, for the application's own frames only.
"""

from __future__ import annotations

import linecache
import os.path
from collections import deque
from inspect import CO_OPTIMIZED
from itertools import islice
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from spanglass.exceptions.callers import callers, entries
from spanglass.exceptions.in_app import in_app_rule, is_telemetry
from spanglass.exceptions.reading import (
    MAX_CALLERS,
    MAX_FIRST_FRAMES,
    MAX_LAST_FRAMES,
    MAX_LINE,
    MAX_OWN_CALLERS,
    MAX_VARIABLES,
)
from spanglass.values import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import CodeType, FrameType, TracebackType

    from spanglass.exceptions.reading import Budget, Scrubber
    from spanglass.exceptions.value_text import ValueText
    from spanglass.settings.settings import Settings

_MAX_PLACES = 2_048


class Place(NamedTuple):
    """Where a frame stands; the same for each exception that passes there."""

    code: CodeType  # held, so that its id names no other
    shown: Mapping[str, Any]  # what the structure says of it, without variables
    window: Mapping[str, Any]  # the lines around it: `before` and `after`
    window_size: int  # characters of the window
    in_app: bool
    telemetry: bool


class Frame(NamedTuple):
    """One entry of a traceback, or one that called it."""

    place: Place
    frame: FrameType


class FrameReader:
    """Reads tracebacks by one configuration. Safe for threads: at worst a place is read twice."""

    def __init__(self, settings: Settings, scrubber: Scrubber) -> None:
        self._in_app = in_app_rule(settings.in_app_include, settings.in_app_exclude)
        self._around = settings.source_lines
        self._capture_locals = settings.capture_locals
        self._scrubber = scrubber
        self._places: dict[tuple[int, int], Place] = {}

    def read(self, traceback: TracebackType | None, budget: Budget) -> tuple[list[Frame], int, int]:
        """Return the frames, outermost first, how many are left out, and before which index those stood."""
        first, last, count = _ends(traceback)
        frames = [*self._at(first), *self._at(last)]
        split = len(first)
        kept = _without_telemetry(frames)
        split = sum(1 for index in kept if index < split)
        frames = [frames[index] for index in kept]
        room = max(budget.frames, 1)
        if len(frames) > room:
            count += len(frames) - room
            frames, split = frames[-room:], 0
        budget.frames -= len(frames)
        return frames, count, split

    def callers(self, error: BaseException) -> list[Frame]:
        """Return who called the frames of a traceback that has none of the application, outermost first.

        As far as a few frames of the application; nothing if there is none, or if the traceback has some itself.
        """
        if any(self._at([entry])[0].place.in_app for entry in entries(error.__traceback__)):
            return []
        found: list[Frame] = []
        end = own = 0
        for frame in islice(callers(error), MAX_CALLERS):
            place = self._place(frame, frame.f_lasti, frame.f_lineno)
            if place.telemetry:
                continue
            found.append(Frame(place, frame))
            if place.in_app:
                end, own = len(found), own + 1
            if own >= MAX_OWN_CALLERS:
                break
        return found[:end][::-1]

    def show(self, frames: Sequence[Frame], budget: Budget, values: ValueText) -> list[dict[str, Any]]:
        """Return what the structure says of frames; the innermost ones take from the budget first."""
        shown = [self._show(frame, budget, values) for frame in reversed(frames)]
        return shown[::-1]

    def _show(self, frame: Frame, budget: Budget, values: ValueText) -> dict[str, Any]:
        place = frame.place
        found = dict(place.shown)
        if not place.in_app:
            return found
        if place.window_size <= budget.source:
            budget.source -= place.window_size
            found.update(place.window)
        if self._capture_locals and budget.locals > 0:
            variables = _variables(frame.frame, budget, values)
            if variables:
                found["locals"] = variables
        return found

    def _at(self, entries: Sequence[TracebackType]) -> list[Frame]:
        return [
            Frame(self._place(entry.tb_frame, entry.tb_lasti, entry.tb_lineno), entry.tb_frame) for entry in entries
        ]

    def _place(self, frame: FrameType, instruction: int, line: int | None) -> Place:
        key = (id(frame.f_code), instruction)  # by itself: hashing its content costs more than all the rest
        place = self._places.get(key)
        if place is None:
            if len(self._places) >= _MAX_PLACES:
                self._places.clear()  # code that is made again and again must not pile up
            place = self._places[key] = self._look(frame, instruction, line)
        return place

    def _look(self, frame: FrameType, instruction: int, line: int | None) -> Place:
        code, names = frame.f_code, frame.f_globals
        module = names.get("__name__")
        module = module if type(module) is str else ""
        file = code.co_filename if code.co_filename.startswith("<") else os.path.abspath(code.co_filename)  # noqa: PTH100 - a tenth of Path's cost
        in_app = self._in_app(module, file)
        shown: dict[str, Any] = {"file": short_file(module, file), "path": file, "function": code.co_qualname}
        shown = {key: text_of(value) for key, value in shown.items()} | {"module": text_of(module), "in_app": in_app}
        if line is not None:
            shown |= {"line": line, **_columns(code, instruction)}
        lines, window = self._source(code.co_filename, names, line or 0)
        if lines:
            shown["source"] = lines
        size = sum(len(text) for texts in window.values() for text in texts)
        return Place(code, shown, window, size, in_app, is_telemetry(module))

    def _source(self, file: str, names: dict[str, Any], line: int) -> tuple[str, dict[str, list[str]]]:
        """Return the line, cut, and those around it. ``linecache`` keeps files; no source is no error."""
        lines = linecache.getlines(file, names)
        if not 0 < line <= len(lines):
            return "", {}
        start = max(0, line - 1 - self._around)
        window = {
            "before": [self._line(text) for text in lines[start : line - 1]],
            "after": [self._line(text) for text in lines[line : line + self._around]],
        }
        return self._line(lines[line - 1]), {key: found for key, found in window.items() if found}

    def _line(self, text: str) -> str:
        return text_of(self._scrubber.text(text[: 4 * MAX_LINE].rstrip()), MAX_LINE)


def short_file(module: str, file: str) -> str:
    """Return the part of a file's path that its module names: ``shop/pay.py``; of a script its name."""
    parts = Path(file).parts
    depth = module.count(".") + 1 + (parts[-1] == "__init__.py")
    named = parts[-depth:]
    stem = [*named[:-1], named[-1].removesuffix(".py")] if named[-1] != "__init__.py" else named[:-1]
    return "/".join(named) if ".".join(stem) == module else parts[-1]


def _ends(traceback: TracebackType | None) -> tuple[list[TracebackType], list[TracebackType], int]:
    """Return the outermost entries, the innermost ones, and how many are between them."""
    first: list[TracebackType] = []
    last: deque[TracebackType] = deque(maxlen=MAX_LAST_FRAMES)
    count = 0
    while traceback is not None:
        if len(first) < MAX_FIRST_FRAMES:
            first.append(traceback)
        else:
            last.append(traceback)
            count += 1
        traceback = traceback.tb_next
    return first, list(last), count - len(last)


def _without_telemetry(frames: Sequence[Frame]) -> list[int]:
    """Leave out frames that only pass a call on; where the exception was raised inside them, they are what matters."""
    own = [index for index, frame in enumerate(frames) if not frame.place.telemetry]
    if not own:
        return list(range(len(frames)))
    return [*own, *range(own[-1] + 1, len(frames))]


def _columns(code: CodeType, instruction: int) -> dict[str, int]:
    """Return the columns of the failing expression, from 1, as editors count; PEP 657."""
    end_line, column, end_column = next(islice(code.co_positions(), instruction // 2, None), (None,) * 4)[1:]
    if column is None or end_column is None or end_line is None:
        return {}
    return {"column": column + 1, "end_line": end_line, "end_column": end_column + 1}


def _variables(frame: FrameType, budget: Budget, values: ValueText) -> dict[str, str]:
    found: dict[str, str] = {}
    own = frame.f_locals
    of_module = own is frame.f_globals
    if not frame.f_code.co_flags & CO_OPTIMIZED and type(own) is not dict:
        return found  # a class body whose metaclass brings a mapping of its own
    for name, value in [*islice(own.items(), 10 * MAX_VARIABLES)]:
        if len(found) >= MAX_VARIABLES or budget.locals <= 0 or budget.expired():
            break
        if of_module and (name.startswith("__") or type(value) in _NOT_SHOWN or issubclass(type(value), type)):
            continue
        found[name] = text = values.write(name, value)
        budget.locals -= len(name) + len(text)
    return found


_NOT_SHOWN = (FunctionType, ModuleType)
