"""A statement of a database without its values: equal for all calls of one place in a program."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_core.lazy_patterns import lazy_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The rest of a longer statement is left out.
MOST_CHARACTERS = 4096
#: Comments, strings, quoted names, words, numbers, placeholders; what is not closed goes to the end.
_TOKEN = lazy_pattern(
    r"(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<string>'(?:[^']|'')*(?:'|\Z)|\$(\w*)\$.*?(?:\$\3\$|\Z))"
    r"|(?P<kept>\"[^\"]*(?:\"|\Z)|`[^`]*(?:`|\Z)|[^\W\d]\w*)"
    r"|(?P<number>0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)"
    r"|(?P<placeholder>\$\d+|%\(\w+\)s|%s|(?<!:):\w+|@\w+)"
    r"|(?P<blank>\s+)|(?P<other>.)",
    re.DOTALL,
)
_LIST = lazy_pattern(r"\(\s*\?(?:\s*,\s*\?)+\s*\)")
_ROWS = lazy_pattern(r"(?:\(\?\)\s*,\s*)+\(\?\)")
_VALUES = frozenset({"string", "number", "placeholder"})


def normalised(text: str) -> str:
    """Return a statement with ``?`` for each value and each list of values, on one line, without comments.

    ``SELECT * FROM t WHERE id IN (1, 2) AND name = 'a'`` becomes ``SELECT * FROM t WHERE id IN (?) AND name = ?``.
    Names, also quoted ones, and letter case stay as they are.
    """
    parts = []
    for found in _TOKEN.finditer(text[:MOST_CHARACTERS]):
        kind = str(found.lastgroup)
        parts.append("?" if kind in _VALUES else " " if kind in {"blank", "comment"} else found[0])
    one_line = " ".join("".join(parts).split()).rstrip("; ")
    return _ROWS.sub("(?)", _LIST.sub("(?)", one_line))


#: A call of a statement: service, text, duration in nanoseconds, whether of a usual request, and of a slow one.
Call = tuple[str, str, int, bool, bool]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement without its values: how often an average request runs it, and how long it waits for it."""

    service: str
    text: str
    calls: float
    total_ns: float
    slow_calls: float
    slow_total_ns: float


def add_up(calls: Iterable[Call], usual: int, slow: int, most: int) -> list[Statement]:
    """Add up statements, those of most time first; ``usual`` and ``slow`` are numbers of requests."""
    found: dict[tuple[str, str], list[list[int]]] = defaultdict(lambda: [[], []])
    for service, text, duration_ns, is_usual, is_slow in calls:
        for place, counts in enumerate((is_usual, is_slow)):
            if counts:
                found[service, text][place].append(duration_ns)
    added = [
        Statement(service, text, *_a_request(of_usual, usual), *_a_request(of_slow, slow))
        for (service, text), (of_usual, of_slow) in found.items()
    ]
    added.sort(key=lambda each: (-max(each.total_ns, each.slow_total_ns), each.service, each.text))
    return added[:most]


def _a_request(durations_ns: Sequence[int], requests: int) -> tuple[float, float]:
    if not requests:
        return 0.0, 0.0
    return len(durations_ns) / requests, sum(durations_ns) / requests
