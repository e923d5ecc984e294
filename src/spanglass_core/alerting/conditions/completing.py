"""What may come next while a condition is typed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spanglass_core.alerting.conditions.building import AGGREGATES, is_simple_name, quoted
from spanglass_core.alerting.conditions.numbers import UNITS
from spanglass_core.alerting.conditions.parse import MAX_LENGTH, parser
from spanglass_core.alerting.conditions.problems import ConditionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

Kind = Literal["measure", "metric", "aggregation", "function", "word", "label", "operator", "duration", "unit"]

#: An editor shows no more, and who has thousands of metrics types on.
MAX_OFFERED = 50

_WORD = re.compile(r"[A-Za-z_:][\w:.]*$")
_NUMBER_AND_UNIT = re.compile(r"[0-9.]([A-Za-z%]*)$")
_CALLS = ("promql", "forecast")
_FUNCTIONS = (*_CALLS, "baseline", "spread")
_CONDITIONS = ("not", "absent", "present", "new_issue", "regression", "escalation")
_QUANTILES = ("p50", "p95", "p99")
_OPERATORS = (">", ">=", "<", "<=", "==", "!=")
_DURATIONS = ("5m", "15m", "1h", "1d", "1w")
_WORDS = {"BY": "by", "OVER": "over", "OFFSET": "offset", "_AND": "and", "_OR": "or"}
_CALLED = {*AGGREGATES, *_QUANTILES, *_FUNCTIONS, "absent", "present"}


@dataclass(frozen=True, slots=True)
class Names:
    """What is known by name: measures, metrics by the names that they are found by, keys of conditions and ``by``."""

    measures: Sequence[str] = ()
    metrics: Sequence[str] = ()
    labels: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """One thing that may stand there. ``text`` replaces what is between ``start`` and ``end`` of ``Completions``."""

    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Completions:
    """What may replace the text from ``start`` up to ``end``, positions from 0; the likeliest first."""

    start: int
    end: int
    items: tuple[Completion, ...]


def completions(text: str, at: int, names: Names) -> Completions:
    """What may stand at a position of a condition, given what stands before it; nothing where that is wrong already."""
    before = text[: max(0, min(at, len(text), MAX_LENGTH))]
    unit = _NUMBER_AND_UNIT.search(before)
    if unit is not None and _WORD.search(before[: unit.start(1)]) is None:
        start = unit.start(1)
        units = (Completion(each, "unit") for each in UNITS)
        if unit[1] or not before[start:]:
            return _matching(units, before[start:], start, _end(text, len(before)))
    typed = _WORD.search(before)
    start = typed.start() if typed is not None else len(before)
    return _matching(_offered(before[:start], names), before[start:], start, _end(text, len(before)))


def _offered(head: str, names: Names) -> Iterator[Completion]:
    from lark.exceptions import UnexpectedInput  # noqa: PLC0415 - the parser is imported only when used

    parsing = parser().parse_interactive(head)
    try:
        tokens = parsing.exhaust_lexer()
    except (UnexpectedInput, ConditionError):
        return
    accepted = parsing.accepts()  # type: ignore[no-untyped-call] # of lark
    yield from _of_values(accepted, [token.type for token in tokens], names)
    yield from (Completion(word, "word") for terminal, word in _WORDS.items() if terminal in accepted)
    if "COMPARISON" in accepted:
        yield from (Completion(each, "operator") for each in _OPERATORS)


def _of_values(accepted: AbstractSet[str], terminals: Sequence[str], names: Names) -> Iterator[Completion]:
    if "NAME" not in accepted:
        if "NUMBER" in accepted:
            yield from (Completion(each, "duration") for each in _DURATIONS)
        return
    if "RECORDS" not in accepted:
        yield from (Completion(_as_written(each), "label") for each in names.labels)
        return
    yield from (Completion(each, "measure") for each in names.measures)
    if "NUMBER" in accepted:
        yield from (Completion(f"{each}(", "aggregation") for each in (*AGGREGATES, *_QUANTILES))
        wanted = _FUNCTIONS if _is_compared(terminals) else _CALLS
        yield from (Completion(each + "(" * (each in _CALLS), "function") for each in wanted)
    else:
        yield from (Completion(each, "word") for each in ("spans", "logs"))
    if "NOT" in accepted:
        yield from (Completion(each + "(" * (each in _CALLED), "word") for each in _CONDITIONS)
    yield from (Completion(_as_written(each), "metric") for each in names.metrics)


def _is_compared(terminals: Sequence[str]) -> bool:
    """Whether a comparison stands on the left, so that there is a quantity whose baseline can be meant."""
    since = max((place for place, name in enumerate(terminals) if name in {"_AND", "_OR", "NOT"}), default=-1)
    return any(name in {"COMPARISON", "NOT_EQUAL"} for name in terminals[since + 1 :])


def _matching(offered: Iterable[Completion], typed: str, start: int, end: int) -> Completions:
    """Those that begin with what is typed, then those that contain it, in the order in which they are offered."""
    wanted = typed.lower()
    found = [each for each in offered if wanted in each.text.lower() and each.text != typed]
    found.sort(key=lambda each: not each.text.lower().lstrip('"').startswith(wanted))
    return Completions(start, end, tuple(found[:MAX_OFFERED]))


def _end(text: str, at: int) -> int:
    """Where the word ends that the position is in."""
    rest = re.match(r"[\w:.%]*", text[at:])
    return at + (rest.end() if rest is not None else 0)


def _as_written(name: str) -> str:
    return name if is_simple_name(name) else quoted(name)
