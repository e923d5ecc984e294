"""The label ``__filter__``: which records are counted, in the filter language."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from spanglass_server.promql.errors import BadFilterError
from spanglass_server.promql.stored.counting.families import COUNTED
from spanglass_server.query.errors import FilterError
from spanglass_server.query.issues.event_log import event_condition
from spanglass_server.query.language import compile_filter, parse_filter
from spanglass_server.query.language.compiling.sql import FALSE, Sql, all_of
from spanglass_server.query.own_events import without_own_events
from spanglass_server.signals import AttributeColumn, Signal

if TYPE_CHECKING:
    from spanglass_server.promql.ports import Selector
    from spanglass_server.query.language import CompiledFilter

#: The label that no series has: its value is a filter.
FILTER = "__filter__"


def filters_of(selector: Selector) -> tuple[str, ...]:
    """The filters of a selector of counted records, all of which must hold. Raises ``BadFilterError``."""
    if any(matcher.name == FILTER for group in selector.any_of for matcher in group):
        raise BadFilterError(f"{FILTER} cannot stand beside or; write the or into the filter itself")
    found = [matcher for matcher in selector.matchers if matcher.name == FILTER]
    for matcher in found:
        if matcher.operator != "=":
            wrong = f'{FILTER}{matcher.operator}"..."'
            raise BadFilterError(f'{wrong} is no filter; write {FILTER}="...", with not inside the filter')
    return tuple(dict.fromkeys(matcher.value for matcher in found if matcher.value.strip()))


def refuse_filters(selector: Selector) -> None:
    """Refuse filters of what is not counted from records. Raises ``BadFilterError``."""
    matchers = (*selector.matchers, *(matcher for group in selector.any_of for matcher in group))
    if any(matcher.name == FILTER for matcher in matchers):
        counted = ", ".join(sorted(name for name, each in COUNTED.items() if not each.family.is_of_objectives))
        raise BadFilterError(f"{FILTER} narrows what is counted from records, by exact name: {counted}")


def check_filters(filters: tuple[str, ...], signal: Signal) -> None:
    """Raise ``BadFilterError`` for whatever is wrong with filters, which shows without looking at records."""
    for text in filters:
        try:
            if signal is Signal.OCCURRENCES:
                event_condition(text)
            else:
                _compiled(text, signal, frozenset())
        except FilterError as error:
            is_told = not error.expected or error.message.startswith("expected")
            expected = "" if is_told else f"; expected {', '.join(error.expected)}"
            hint = f"; {error.hint}" if error.hint else ""
            reason = f"{FILTER}: {error.message}, at character {error.column}{expected}{hint}"
            raise BadFilterError(reason, text, error.column) from None


@dataclass(frozen=True, slots=True)
class Condition:
    """Which records of a part count. ``columns`` are what ``sql`` reads; a part ``is_out`` if none of it can match."""

    sql: Sql
    columns: frozenset[str]
    is_out: bool


def condition(filters: tuple[str, ...], signal: Signal, present: frozenset[str]) -> Condition:
    """The records of a part with these columns for which all filters hold.

    Events of our own side of applications are no log records, as in a search: only a filter that names them finds them.
    """
    known = frozenset(name for name in present if AttributeColumn.parse(name) or name.startswith("overflow"))
    found = [_compiled(text, signal, known) for text in filters]
    terms = [Sql(each.sql, tuple(each.parameters)) for each in found]
    columns = frozenset[str]().union(*(each.columns for each in found))
    if signal is Signal.LOGS and (hidden := without_own_events(present, list(map(parse_filter, filters)))):
        terms += hidden
        columns |= {"event_name"}
    is_out = any(each.sql == FALSE.text or (each.require and not each.require & present) for each in found)
    return Condition(all_of(terms), columns, is_out)


#: A recurring evaluation asks for the same filters, of parts whose columns are mostly the same.
@lru_cache(maxsize=4096)
def _compiled(text: str, signal: Signal, known: frozenset[str]) -> CompiledFilter:
    return compile_filter(parse_filter(text), signal, known)
