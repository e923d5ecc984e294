"""One value of a field per row, for grouping, facets and arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.fields import Resolved, resolve
from spanglass_server.query.language.intrinsics import Intrinsic, Kind
from spanglass_server.query.language.parsing.ast import Field
from spanglass_server.query.language.parsing.parser import parse_field
from spanglass_server.query.logs.severity import severity_sql
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import AttributeColumn, Signal, ValueType, quote_identifier, quote_text

if TYPE_CHECKING:
    from collections.abc import Collection

_OVERFLOW_COLUMNS = frozenset({"overflow_name", "overflow_value"})


def field_expression(key: str | Field, signal: Signal, columns: Collection[str]) -> tuple[str, frozenset[str]]:
    """Return SQL for the value of a key in each row, and the stored columns it reads; null where a row lacks it.

    Under several types, names or positions it is the first that is there, as VARCHAR; under one it has its own type.
    Of a list (events, links) it is the first element that has the key. Intrinsic fields read as in the API: names of
    kinds, statuses and severities, ids in lower-case hex, times and durations in nanoseconds.
    """
    resolved = _resolve(key, signal, columns)
    if resolved.names_service:
        return _service(resolved)
    sources = [_native(stored) for stored in resolved.columns]
    read = frozenset(stored.name for stored in resolved.columns)
    if resolved.intrinsic is not None:
        sources.insert(0, _intrinsic(resolved.intrinsic))
        read |= frozenset(resolved.intrinsic.columns)
    if resolved.overflow:
        sources.append(_overflow(resolved))
        read |= _OVERFLOW_COLUMNS
    for path in resolved.maps:
        sources.append(path.text)
        read |= path.columns
    if not sources:
        return "CAST(NULL AS VARCHAR)", read
    one_type = len({stored.type for stored in resolved.columns}) == 1 and len(sources) == len(resolved.columns)
    return _first(sources if one_type or len(sources) == 1 else [_as_text(source) for source in sources]), read


def numeric_expression(key: str | Field, signal: Signal, columns: Collection[str]) -> tuple[str, frozenset[str]]:
    """Return SQL for a key's value as DOUBLE, and the columns it reads; null where it is missing or no number."""
    resolved = _resolve(key, signal, columns)
    if resolved.intrinsic is not None:
        names = [
            quote_identifier(name) + ("[1]" if resolved.intrinsic.is_list else "")
            for name in resolved.intrinsic.columns
        ]
        return _first([_as_double(name) for name in names]), frozenset(resolved.intrinsic.columns)
    sources = [_as_double(_native(stored)) for stored in resolved.columns if stored.type is not ValueType.BYTES]
    read = frozenset(stored.name for stored in resolved.columns if stored.type is not ValueType.BYTES)
    if resolved.overflow:
        sources.append(_as_double(_overflow(resolved)))
        read |= _OVERFLOW_COLUMNS
    for path in resolved.maps:
        sources.append(_as_double(path.text))
        read |= path.columns
    return _first(sources) if sources else "CAST(NULL AS DOUBLE)", read


def _resolve(key: str | Field, signal: Signal, columns: Collection[str]) -> Resolved:
    known = columns if isinstance(columns, AbstractSet | Mapping) else frozenset(columns)
    return resolve(key if isinstance(key, Field) else parse_field(key), signal, known)


def _service(resolved: Resolved) -> tuple[str, frozenset[str]]:
    """Return the name of each row's service, which is always there."""
    others = [stored for stored in resolved.columns if stored.name != SERVICE]
    sources = [f"nullif(trim({_as_text(_native(stored))}), '')" for stored in others]
    return _first([*sources, SERVICE_NAME.text]), frozenset((SERVICE, *(stored.name for stored in others)))


def _native(stored: AttributeColumn) -> str:
    column = quote_identifier(stored.name)
    if stored.is_list:
        column = f"list_filter({column}, lambda element: element IS NOT NULL)[1]"
    return f"to_base64({column})" if stored.type is ValueType.BYTES else column


def _intrinsic(field: Intrinsic) -> str:
    columns = [quote_identifier(name) + ("[1]" if field.is_list else "") for name in field.columns]
    column = columns[0]
    match field.kind:
        case Kind.ID:
            return f"lower(hex({column}))"
        case Kind.NAMED:
            cases = " ".join(f"WHEN {code} THEN '{name}'" for code, name in enumerate(field.names))
            return f"CASE coalesce({column}, 0) {cases} END"
        case Kind.SEVERITY:
            return severity_sql()
        case Kind.ABSENCE:
            return f"({column} IS NULL)"
        case _:
            return _first(columns)


def _overflow(resolved: Resolved) -> str:
    names = ", ".join(quote_text(name) for name in resolved.overflow)
    place = f'list_position(list_transform("overflow_name", lambda entry: entry IN ({names})), true)'
    return f'"overflow_value"[{place}]'


def _as_text(source: str) -> str:
    return f"CAST({source} AS VARCHAR)"


def _as_double(source: str) -> str:
    return f"TRY_CAST({source} AS DOUBLE)"


def _first(sources: list[str]) -> str:
    return sources[0] if len(sources) == 1 else f"coalesce({', '.join(sources)})"
