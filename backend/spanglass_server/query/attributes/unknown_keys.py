"""Keys of a filter that no record of the range has, and the nearest ones that there are."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated, TypedDict

from spanglass_server.query.answers import JsonSchema
from spanglass_server.query.attributes.keys import complete_keys
from spanglass_server.query.language import parse_filter
from spanglass_server.query.language.compiling.pins import is_pin_field
from spanglass_server.query.language.compiling.relations import is_trace_field
from spanglass_server.query.language.fields import resolve
from spanglass_server.query.language.parsing.ast import Exists, Field, fields_of
from spanglass_server.query.language.parsing.text import format_field, format_filter
from spanglass_server.query.records import match_records
from spanglass_server.query.statements import rows, statement
from spanglass_server.signals import POSITIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.query.attributes.keys import Key
    from spanglass_server.signals import Signal
    from spanglass_server.store.ports import QuerySession, Window

_MOST_NEAREST = 3
_LEAST_ALIKE = 0.7  # less is another word: "rarer" and "trace" are 0.6
_MOST_KEYS = 5_000  # keys that are compared with an unknown one
_MOST_UNKNOWN = 10  # keys of a filter for which near ones are looked for


class UnknownKey(TypedDict):
    """A key that no record has."""

    key: Annotated[str, JsonSchema({"description": "as the filter has it"})]
    column: Annotated[int, JsonSchema({"description": "where it stands in the filter, from 1"})]
    nearest: Annotated[list[str], JsonSchema({"description": "keys that there are, as a filter writes them"})]


class UnknownKeys(TypedDict):
    """The answer of ``GET /api/v1/filter/unknown``."""

    unknown: list[UnknownKey]


def unknown_keys(session: QuerySession, signal: Signal, window: Window, filter_text: str) -> UnknownKeys:
    """Answer ``GET /api/v1/filter/unknown``: each key once, nearest ones first; FilterError as of any filter."""
    fields = list(dict.fromkeys(fields_of(parse_filter(filter_text))))
    stored = session.columns(signal, window) if fields else {}
    missing = [field for field in fields if not _is_known(session, signal, window, field, stored)][:_MOST_UNKNOWN]
    known = complete_keys(session, signal, window, limit=_MOST_KEYS)["keys"] if missing else []
    return {
        "unknown": [
            {"key": format_field(field), "column": field.column, "nearest": _nearest(field, signal, known)}
            for field in missing
        ]
    }


def _is_known(session: QuerySession, signal: Signal, window: Window, field: Field, stored: Mapping[str, int]) -> bool:
    """Whether some record of the range has a field; where only its values can tell, they are read."""
    if is_trace_field(field, signal) or is_pin_field(field, signal):
        return True
    found = resolve(field, signal, stored)
    if found.intrinsic is not None or found.columns or found.names_service:
        return True
    if not found.maps and not found.overflow:
        return False
    records = match_records(session, signal, window, format_filter(Exists(field)))
    question = statement("any_record", relation=records.relation(session, ()), where=records.predicate)
    return bool(rows(session, question)[0]["found"])


def _nearest(field: Field, signal: Signal, known: Sequence[Key]) -> list[str]:
    """Return the keys that are written most alike, in any letter case; a position that was written stays."""
    position, _, rest = field.name.partition(".")
    at, name = (position, rest) if position in POSITIONS[signal] and rest else (field.position, field.name)
    # of keys that differ in case the most used one
    by_lower = {each["key"].lower(): each["key"] for each in reversed(known) if not at or each["position"] == at}
    close = difflib.get_close_matches(name.lower(), by_lower, _MOST_NEAREST, _LEAST_ALIKE)
    return [(at and f"{at}.") + format_field(Field(by_lower[lower])) for lower in close]
