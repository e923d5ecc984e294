"""JSON schemas of answers, as OpenAPI 3.1 takes them: made from the types of the answers."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
ANYTHING: Schema = {}

_SCALARS: dict[Any, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Any: {},
}


def schema_of(kind: Any) -> Schema:
    """Describe a type of answers: scalars, ``Any``, lists, dicts, literals, unions, TypedDicts, also ``Annotated``.

    A TypedDict is an object that has no other members; those that are not ``NotRequired`` are always there.
    TypeError for any other type.
    """
    if is_typeddict(kind):
        return _object(kind)
    describe = _GENERICS.get(get_origin(kind))
    if describe is not None:
        return describe(get_args(kind))
    if kind not in _SCALARS:
        raise TypeError(f"{kind!r} is no type of answers: see api/schema.py")
    return dict(_SCALARS[kind])


def _object(kind: Any) -> Schema:
    hints = get_type_hints(kind, include_extras=True)
    optional = {name for name, hint in hints.items() if get_origin(hint) is NotRequired}
    members = {name: get_args(hint)[0] if name in optional else hint for name, hint in hints.items()}
    return {
        "type": "object",
        "properties": {name: schema_of(hint) for name, hint in members.items()},
        "required": [name for name in members if name not in optional],
        "additionalProperties": False,
    }


def _annotated(arguments: tuple[Any, ...]) -> Schema:
    schema = schema_of(arguments[0])
    for metadata in arguments[1:]:
        schema |= metadata.keywords
    return schema


def _union(members: tuple[Any, ...]) -> Schema:
    schemas = [schema_of(member) for member in members if member is not NoneType]
    schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
    if NoneType not in members:
        return schema
    if not isinstance(schema.get("type"), str):
        return {"oneOf": [*schemas, {"type": "null"}]}
    words = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **words}


_GENERICS: dict[Any, Callable[[tuple[Any, ...]], Schema]] = {
    Annotated: _annotated,
    Literal: lambda words: choice(*words),
    Union: _union,
    UnionType: _union,
    list: lambda items: array(schema_of(items[0])),
    dict: lambda pair: table(schema_of(pair[1]) or True),
}


def array(items: Schema) -> Schema:
    """Describe a list."""
    return {"type": "array", "items": items}


def table(values: Schema | Literal[True]) -> Schema:
    """Describe an object whose keys are data."""
    return {"type": "object", "additionalProperties": values}


def choice(*values: str) -> Schema:
    """One of a few words."""
    return {"type": "string", "enum": list(values)}
