"""Keys that lead into maps: ``order.id`` is also the key ``id`` of a map ``order``, and ``body.msg`` one of a body.

Maps are stored as JSON text. A value in one is compared by the type it has there, as an attribute of that type is.
A body that was sent as text is a map, too, if it is a JSON object.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from spanglass_server.query.language.compiling.conditions import Equals, scalar_condition
from spanglass_server.query.language.compiling.parts import Part
from spanglass_server.query.language.compiling.sql import FALSE, Sql, any_of
from spanglass_server.signals import AttributeColumn, Signal, ValueType, quote_identifier, quote_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from spanglass_server.query.language.compiling.conditions import Test
    from spanglass_server.query.language.parsing.ast import Field

_BODY = "body."
#: A longer path is looked for as it is written only, every dot a step: others double with every dot.
_MOST_STEPS = 5
#: Words that a JSON text has as they are, or with one of their characters as ``\\u00..``.
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_-]+")
#: SQL condition: a body that was sent as text may be a JSON object.
BODY_MAY_BE_MAP = r"body_type IS NULL AND starts_with(ltrim(body, E' \t\r\n'), '{')"

#: How a value of a map is read, by its type in JSON.
_TYPED = (
    (ValueType.STR, ("VARCHAR",), "found ->> '$'"),
    (ValueType.INT, ("BIGINT", "UBIGINT"), "TRY_CAST(found AS BIGINT)"),
    (ValueType.DOUBLE, ("DOUBLE",), "TRY_CAST(found AS DOUBLE)"),
    (ValueType.DOUBLE, ("OBJECT",), "TRY_CAST(found ->> '$.\"$double\"' AS DOUBLE)"),
    (ValueType.BOOL, ("BOOLEAN",), "TRY_CAST(found AS BOOLEAN)"),
    (ValueType.JSON, ("ARRAY", "OBJECT"), "CAST(found AS VARCHAR)"),
)


@dataclass(frozen=True, slots=True)
class MapPath:
    """Where in a map a key may be: SQL for the list of values found there, and what it reads.

    ``values`` is a list of JSON; of keys that are not there it has null. ``require`` as in ``Part``.
    """

    values: str
    columns: frozenset[str]
    require: frozenset[str] | None

    @property
    def text(self) -> str:
        """SQL for the first value as text; null where there is none."""
        return f"list_filter({self.values}, lambda found: found IS NOT NULL)[1] ->> '$'"


def map_paths(
    places: Iterable[tuple[str, str]], field: Field, signal: Signal, columns: Collection[str]
) -> tuple[MapPath, ...]:
    """List the maps that may hold a field: ``places`` are the positions and keys that it may have as an attribute."""
    found = [path for position, key in places for path in _in_attributes(position, key, columns)]
    if signal is Signal.LOGS and field.name.startswith(_BODY) and not field.quoted:
        found.append(MapPath(_in_body(field.name.removeprefix(_BODY)), frozenset(("body", "body_type")), None))
    return tuple(found)


def map_condition(path: MapPath, test: Test | None) -> Part:
    """Test the values of a path, of which any may match; without a test, that there is one."""
    inner = Sql("found IS NOT NULL") if test is None else _typed(test)
    if inner is FALSE:
        return Part(FALSE, frozenset(), frozenset(), frozenset())
    sql = Sql(f"len(list_filter({path.values}, lambda found: {inner.text})) > 0", inner.parameters)
    return Part(sql, path.columns, path.require)


def _typed(test: Test) -> Sql:
    parts = []
    for kind, names, value in _TYPED:
        types = ", ".join(f"'{name}'" for name in names)
        parts.append(scalar_condition(f"(CASE WHEN json_type(found) IN ({types}) THEN {value} END)", kind, test))
    if isinstance(test, Equals) and test.texts():
        parts.append(scalar_condition("(found ->> '$.\"$bytes\"')", ValueType.STR, test))
    return any_of(parts)


def _in_attributes(position: str, key: str, columns: Collection[str]) -> Iterator[MapPath]:
    """Maps that are attributes whose key the field begins with, in columns or past their limit."""
    for at, character in enumerate(key):
        if character != ".":
            continue
        stored, rest = AttributeColumn(position, key[:at], ValueType.JSON), key[at + 1 :]
        if stored.name in columns:
            name = quote_identifier(stored.name)
            values = _extracted(name, rest)
            if stored.is_list:
                values = f"flatten(list_transform({name}, lambda map: {_extracted('map', rest)}))"
            yield MapPath(values, frozenset((stored.name,)), frozenset((stored.name,)))
        if "overflow_name" in columns:
            name = quote_text(stored.name)
            entries = f'list_filter("overflow_value", lambda _, place: "overflow_name"[place] = {name})'
            values = f"flatten(list_transform({entries}, lambda map: {_extracted('map', rest)}))"
            # few records have an overflow at all, and fewer this map
            values = f'CASE WHEN list_contains("overflow_name", {name}) THEN {values} END'
            yield MapPath(values, frozenset(("overflow_name", "overflow_value")), frozenset(("overflow_name",)))


def _in_body(rest: str) -> str:
    """SQL for the values at a path of a record's body.

    Of texts only those are parsed that hold the path's longest word: for a million lines of JSON without it 90 ms of
    processor time instead of 650. Only valid JSON is: of a million others that begin with a brace, as ``repr`` writes
    them, each would be an error that ``TRY`` catches, which takes 9 s.
    """
    is_map = f"{BODY_MAY_BE_MAP} AND {_has_word(rest)}json_valid(body)"
    stored, sent = _extracted("body", rest), _extracted("body", rest, is_stored=False)
    if stored == sent:
        return f"CASE WHEN body_type = 'json' OR ({is_map}) THEN {stored} END"
    return f"CASE WHEN body_type = 'json' THEN {stored} WHEN {is_map} THEN {sent} END"


def _has_word(rest: str) -> str:
    words = [word for word in rest.split(".") if _PLAIN_WORD.fullmatch(word)]
    if not words:
        return ""
    return rf"(contains(body, {quote_text(max(words, key=len))}) OR contains(body, '\u00')) AND "


def _extracted(operand: str, rest: str, *, is_stored: bool = True) -> str:
    """SQL for the list of values at a path of a JSON text, null when that is none (cut, or of another kind)."""
    splits = [[_as_held(key, is_stored=is_stored) for key in keys] for keys in _splits(rest.split("."))]
    direct = ", ".join(quote_text(_direct(keys)) for keys in splits)
    # an array on the way: any of its elements leads on
    through = [_through(operand, keys[:at], keys[at:]) for keys in splits for at in range(len(keys))]
    return f"TRY(list_concat(json_extract({operand}, [{direct}]), {', '.join(through)}))"


def _splits(words: list[str]) -> Iterator[list[str]]:
    """Every way in which keys with dots in them can make up a path, the longest path first."""
    dots = range(1, len(words))
    counts = range(len(dots), -1, -1) if len(words) <= _MOST_STEPS else (len(dots),)
    for count in counts:
        for chosen in combinations(dots, count):
            bounds = [0, *chosen, len(words)]
            yield [".".join(words[start:end]) for start, end in pairwise(bounds)]


def _as_held(key: str, *, is_stored: bool) -> str:
    """A key as a JSON text has it: one that begins with ``$`` is stored with one more, and sent as it is."""
    return "$" + key if is_stored and key.startswith("$") else key


def _direct(keys: list[str]) -> str:
    """A JSON path of keys; a JSON pointer where a path can't name them, as a pointer's numbers are places in arrays."""
    return "$" + _steps(keys) if _fit_path(keys) else _pointer(keys)


def _through(operand: str, before: list[str], after: list[str]) -> str:
    """SQL for the values at a path that leads through the elements of an array."""
    if _fit_path([*before, *after]):
        return f"json_extract({operand}, {quote_text(f'${_steps(before)}[*]{_steps(after)}')})"
    elements = f"json_extract(json_extract({operand}, {quote_text(_direct(before))}), '$[*]')"
    return f"list_transform({elements}, lambda element: json_extract(element, {quote_text(_direct(after))}))"


def _fit_path(keys: list[str]) -> bool:
    """Whether a JSON path can name keys: DuckDB's has no empty step, and takes a star in quotes for any key."""
    return not {"", "*"}.intersection(keys)


def _steps(keys: list[str]) -> str:
    return "".join('."' + key.replace("\\", "\\\\").replace('"', '\\"') + '"' for key in keys)


def _pointer(keys: list[str]) -> str:
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)
