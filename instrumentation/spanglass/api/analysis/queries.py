"""Queries of databases: those that take long, and those that run once for each row of another (N+1)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass.process.forking import in_child_while_alive
from spanglass.scrubbing.sql import scrub_sql
from spanglass_core.lazy_patterns import lazy_pattern

if TYPE_CHECKING:
    from collections.abc import Hashable

#: From so many times on in one run of an operation, a query is taken for one in a loop.
REPEATED = 10
#: Statements kept apart, and runs remembered: about 1 MB.
MAX_SHAPES = 500
MAX_RUNS = 2_000
_MAX_TEXT = 500

_LIST = lazy_pattern(r"\(\s*\?(?:\s*,\s*\?)+\s*\)")
_SPACE = lazy_pattern(r"\s+")


@dataclass(slots=True)
class QueryFigures:
    """What is known of the queries of one shape: the statement without its values."""

    shape: str
    operation: str = ""  # where it ran most often in one run, or slowest
    count: int = 0
    total_s: float = 0.0
    max_s: float = 0.0
    slow: int = 0
    most_in_one_run: int = 0
    runs_with_repeats: int = 0


class QueryLog:
    """Takes queries as they end, and keeps figures by shape. Any thread may record; a forked child begins at zero."""

    def __init__(self, *, slow_s: float = 0.5, repeated: int = REPEATED) -> None:
        self.slow_s = slow_s
        self.repeated = repeated
        self.renew()
        in_child_while_alive(self)

    def renew(self) -> None:
        """Forget all queries."""
        self._lock = threading.Lock()
        self._shapes: dict[str, QueryFigures] = {}
        self._runs: OrderedDict[tuple[Hashable, str], int] = OrderedDict()

    def record(self, text: str, duration_s: float, *, operation: str = "", run: Hashable = None) -> None:
        """Take one query. ``run`` is the run of the operation that made it, such as its span's id, if it is known.

        Literals of the text are left out; beyond 500 shapes further ones are not kept.
        """
        shape = shape_of(text)
        with self._lock:
            figures = self._shapes.get(shape)
            if figures is None:
                if len(self._shapes) >= MAX_SHAPES:
                    return
                figures = self._shapes[shape] = QueryFigures(shape, operation)
            figures.count += 1
            figures.total_s += duration_s
            figures.slow += duration_s >= self.slow_s
            if duration_s > figures.max_s:
                figures.max_s = duration_s
                if figures.most_in_one_run < self.repeated:
                    figures.operation = operation or figures.operation
            if run is not None:
                self._repeats(figures, (run, shape), operation)

    def figures(self) -> list[QueryFigures]:
        """Copies of the figures of all shapes, those that took most time together first."""
        with self._lock:
            copies = [QueryFigures(*(getattr(each, name) for name in _FIELDS)) for each in self._shapes.values()]
        return sorted(copies, key=lambda each: -each.total_s)

    def _repeats(self, figures: QueryFigures, key: tuple[Hashable, str], operation: str) -> None:
        count = self._runs.pop(key, 0) + 1
        self._runs[key] = count
        if len(self._runs) > MAX_RUNS:
            self._runs.popitem(last=False)
        figures.runs_with_repeats += count == self.repeated
        if count > figures.most_in_one_run:
            figures.most_in_one_run = count
            if count >= self.repeated:
                figures.operation = operation or figures.operation


_FIELDS = tuple(QueryFigures.__dataclass_fields__)


def shape_of(text: str) -> str:
    """A statement on one line, without its values and without the length of lists: at most 500 characters."""
    return _SPACE.sub(" ", _LIST.sub("(?)", scrub_sql(text[: 4 * _MAX_TEXT]))).strip()[:_MAX_TEXT]
