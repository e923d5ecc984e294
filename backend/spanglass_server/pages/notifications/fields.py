"""The fields of a form from a JSON schema: what each is called, how it is typed, and what stands in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: Keys of every channel that have a place of their own, and the one that the form is chosen by.
COMMON = ("send_resolved", "fallback", "limit", "title", "text", "html")
#: Words that are not written as the key is.
NAMES = {
    "smtp_server": "SMTP server", "webhook_url": "Webhook address", "url": "Address", "tls": "TLS", "to": "To",
    "from": "From", "send_resolved": "Tell of resolutions", "routing_key": "Routing key", "ca_file": "CA file",
    "limit.messages": "At most messages", "limit.per": "in", "html": "HTML", "urls": "Addresses",
}  # fmt: skip
#: Texts with more than one line.
LONG = frozenset({"title", "text", "html", "body", "template"})


@dataclass(frozen=True, slots=True)
class Field:
    """A field; ``value`` is as it is typed. Sorts: text, long, secret, flag, choice, number, list, pairs, json."""

    key: str
    label: str
    sort: str
    value: str
    required: bool = False
    choices: Sequence[str] = ()
    hint: str = ""
    note: str = ""


def fields_of(schema: Mapping[str, Any], values: Mapping[str, Any], without: Sequence[str] = ()) -> list[Field]:
    """Return a field for each property, those of one inner object beside the others as ``limit.per``.

    ``values`` are those that stand; a default is used where there is none.
    """
    required = set(schema.get("required", ()))
    return [
        field
        for key, inner in schema.get("properties", {}).items()
        if key not in without and "const" not in inner
        for field in _fields(key, inner, values.get(key), is_required=key in required)
    ]


def _fields(key: str, schema: Mapping[str, Any], value: Any, *, is_required: bool) -> Iterator[Field]:
    plain = _without_null(schema)
    if plain.get("type") == "object" and plain.get("properties"):
        given = value if isinstance(value, dict) else {}
        for name, inner in plain["properties"].items():
            yield from _fields(f"{key}.{name}", inner, given.get(name), is_required=False)
        return
    yield _field(key, plain, value, is_required=is_required)


def _without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of the value where there is one."""
    choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    return choices[0] if len(choices) == 1 else schema


def _field(key: str, schema: Mapping[str, Any], value: Any, *, is_required: bool) -> Field:
    sort = _sort(key, schema)
    given = schema.get("default") if value is None else value
    examples = schema.get("examples", ())
    hint = str(examples[0]) if examples and not isinstance(examples[0], dict) else ""
    note = ""
    if sort == "secret":
        note, given = _secret(given)
    return Field(
        key, _label(key), sort, _typed(sort, given), is_required, tuple(schema.get("enum", ())), hint,
        note or str(schema.get("description", "")),
    )  # fmt: skip


def _label(key: str) -> str:
    last = key.rpartition(".")[2]
    return NAMES.get(key) or NAMES.get(last) or last.replace("_", " ").capitalize()


def _sort(key: str, schema: Mapping[str, Any]) -> str:
    given = schema.get("type")
    kinds = {given} if isinstance(given, str) else set(given or ())
    items, more = schema.get("items", {}), schema.get("additionalProperties")
    sorts = (
        ("choice", bool(schema.get("enum"))),
        ("secret", {"string", "object"} <= kinds or _may_be_named(schema)),
        ("flag", "boolean" in kinds),
        ("number", bool({"integer", "number"} & kinds)),
        ("list", "array" in kinds and items.get("type") == "string"),
        ("pairs", "object" in kinds and more == {"type": "string"}),
        ("long", "string" in kinds and key in LONG),
        ("text", "string" in kinds),
    )
    return next((sort for sort, holds in sorts if holds), "json")


def _may_be_named(schema: Mapping[str, Any]) -> bool:
    """Whether a value may stand in the environment or in a file: it is a secret."""
    return any("env" in one.get("properties", {}) for one in schema.get("oneOf", ()))


def _secret(value: Any) -> tuple[str, str]:
    """Return what is said of a secret that stands, and what stands in its field."""
    if not isinstance(value, dict):
        return "", str(value or "")
    if value.get("kept"):
        return "one is kept; leave it empty to keep it", ""
    places = [f"from {'the variable' if name == 'env' else 'the file'} {text}" for name, text in value.items()]
    return "".join(places[:1]), ""


def _typed(sort: str, value: Any) -> str:
    if sort == "flag":
        return {True: "true", False: "false"}.get(value, "")
    if value in (None, "", [], {}):
        return ""
    if sort == "list":
        return ", ".join(str(one) for one in value)
    if sort == "pairs":
        return "\n".join(f"{name}: {text}" for name, text in value.items())
    if sort == "json":
        return json.dumps(value, indent=1, ensure_ascii=False)
    return str(value)
