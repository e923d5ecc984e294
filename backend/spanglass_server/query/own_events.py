"""Log records by which an application tells of other things than its log: open spans, stacks of its profiler.

Readers of logs are shown none of them, nor are they counted, unless a filter names their event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_core.attribute_names import PROFILE_EVENT, PROFILE_WALL_NANO, SPAN_RUNNING_EVENT
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.language.intrinsics import INTRINSICS
from spanglass_server.query.language.parsing.ast import And, Compare, In, Not, Or
from spanglass_server.query.traces.announcements import START
from spanglass_server.signals import AttributeColumn, Signal, ValueType

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from spanglass_server.query.language.parsing.ast import Filter, Value

#: The attribute that all stacks have.
WALL: Final = AttributeColumn("log", PROFILE_WALL_NANO, ValueType.INT).name
#: A column that all records of an event have: without it there are none, and nothing more to read.
_COLUMNS: Final = {SPAN_RUNNING_EVENT: START, PROFILE_EVENT: WALL}


def without_own_events(present: Collection[str], trees: Sequence[Filter]) -> Sequence[Sql]:
    """Conditions over ``event_name`` that leave out the events that may be there and that no filter names."""
    return [
        Sql("event_name IS DISTINCT FROM ?", (event,))
        for event, column in _COLUMNS.items()
        if column in present and not any(_names(tree, event) for tree in trees)
    ]


def _names(tree: Filter, event: str) -> bool:
    """Whether a filter names an event."""
    match tree:
        case And(terms) | Or(terms):
            return any(_names(term, event) for term in terms)
        case Not(term):
            return _names(term, event)
        case Compare(field, _, value):
            values: tuple[Value, ...] = (value,)
        case In(field, values):
            pass
        case _:
            return False
    is_event = INTRINSICS[Signal.LOGS].get(field.name) is INTRINSICS[Signal.LOGS]["event_name"]
    return is_event and any(value.text == event for value in values)
