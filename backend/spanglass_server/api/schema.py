"""Short words for the JSON schemas of answers, as OpenAPI 3.1 takes them."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
ANYTHING: Schema = {}
#: Attributes: keys with plain JSON values.
ATTRIBUTES: Schema = {"type": "object", "additionalProperties": True, "description": "keys with plain JSON values"}
TIME: Schema = {"type": "string", "format": "date-time", "description": "RFC 3339 in UTC with nanoseconds"}
HEX_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]*$"}
NANOSECONDS: Schema = {"type": "integer", "description": "nanoseconds"}
UNIX_SECONDS: Schema = {"type": "number", "description": "seconds since 1970"}
SLOT: Schema = {"type": "integer", "minimum": 0, "maximum": 9, "description": "the service's colour"}


def record(**properties: Schema) -> Schema:
    """Describe an object that always has exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def array(items: Schema) -> Schema:
    """Describe a list."""
    return {"type": "array", "items": items}


def table(values: Schema) -> Schema:
    """Describe an object whose keys are data."""
    return {"type": "object", "additionalProperties": values}


def nullable(schema: Schema) -> Schema:
    """Allow null too."""
    return {**schema, "type": [schema["type"], "null"]}


def choice(*values: str) -> Schema:
    """One of a few words."""
    return {"type": "string", "enum": list(values)}


#: Of figures that are scaled up because a sampler kept only some spans.
SAMPLED_SHARE: Schema = {"type": ["number", "null"], "description": "share that was kept of what is counted; null: all"}

WINDOW = record(start_time=TIME, end_time=TIME)
CURSOR = nullable({"type": "string", "description": "pass back as cursor for the next page; null on the last"})


def otlp(member: str, **beside: Schema) -> Schema:
    """Describe a message of OTLP/JSON by its one member; receivers of OTLP ignore what stands beside it."""
    return {
        "type": "object",
        "properties": {member: array({"type": "object"}), **beside},
        "required": [member, *beside],
        "additionalProperties": False,
    }
