"""JSON schemas that are made from the types of answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest

from spanglass_server.api.schema import schema_of
from spanglass_server.query.answers import JsonSchema


class Inner(TypedDict):
    """A part of an answer."""

    name: str


class Outer(Inner):
    """An answer with every kind of member."""

    count: Annotated[int, JsonSchema({"minimum": 0})] | None
    inner: list[Inner]
    more: NotRequired[bool]


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (str, {"type": "string"}),
        (Any, {}),
        (Annotated[float, JsonSchema({"description": "seconds"})], {"type": "number", "description": "seconds"}),
        (Literal["on", "off"], {"type": "string", "enum": ["on", "off"]}),
        (int | None, {"type": ["integer", "null"]}),
        (Literal["on"] | None, {"type": ["string", "null"], "enum": ["on", None]}),
        (int | str, {"oneOf": [{"type": "integer"}, {"type": "string"}]}),
        (int | str | None, {"oneOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]}),
        (list[bool], {"type": "array", "items": {"type": "boolean"}}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (dict[str, Any], {"type": "object", "additionalProperties": True}),
    ],
)
def test_each_kind_of_type(kind, schema):
    """Scalars, literals, unions, lists, tables and annotations have the schema that JSON Schema 2020-12 means."""
    assert schema_of(kind) == schema


def test_objects_have_their_members_and_no_others():
    """Members of a TypedDict and of its bases are described; only those that are NotRequired may be absent."""
    inner = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    }
    assert schema_of(Outer) == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "count": {"type": ["integer", "null"], "minimum": 0},
            "inner": {"type": "array", "items": inner},
            "more": {"type": "boolean"},
        },
        "required": ["name", "count", "inner"],
        "additionalProperties": False,
    }


def test_other_types_are_refused():
    """A type that JSON has no word for is an error where the table of routes is made."""
    with pytest.raises(TypeError, match="set"):
        schema_of(set[str])
