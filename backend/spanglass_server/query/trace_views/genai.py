"""What a call of a language model says: model, tokens, cost, and the messages that went back and forth.

Messages stand in attributes as JSON (``gen_ai.input.messages``), in events, one each, or in numbered attributes
(``gen_ai.prompt.0.content``), by the age of the instrumentation.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Any, TypedDict

import orjson

from spanglass_server.query.trace_views.named import count_of, text_of, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from spanglass_core.model_prices import Prices
    from spanglass_server.query.trace_views.named import Attributes

#: Messages of an answer and characters of each: a conversation can be a book.
MOST_MESSAGES, MOST_TEXT = 100, 20_000
_MOST_ROLE = 100


class Cost(TypedDict):
    """What a call cost, by the settings' table of prices."""

    amount: float
    currency: str


class Said(TypedDict):
    """One message: who said it, and what; a call of a tool is a text, too."""

    role: str
    text: str


class GenAi(TypedDict):
    """A call of a model, an agent or a tool. Texts are empty and counts null where the sender does not say."""

    provider: str
    operation: str
    request_model: str
    response_model: str
    tool: str
    finish: str
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    cost: Cost | None
    messages: list[Said]


def genai(attributes: Attributes, events: Sequence[Mapping[str, Any]], prices: Prices) -> GenAi | None:
    """Read the span of a call; None for spans of other things."""
    operation = text_of(attributes, "gen_ai.operation.name")
    provider = text_of(attributes, "gen_ai.provider.name")
    if not operation and not provider:
        return None
    asked, answered = (text_of(attributes, f"gen_ai.{side}.model") for side in ("request", "response"))
    tokens_in = count_of(attributes, "gen_ai.usage.input_tokens")
    tokens_out = count_of(attributes, "gen_ai.usage.output_tokens")
    cached = count_of(attributes, "gen_ai.usage.cache_read.input_tokens")
    known = tokens_in is not None or tokens_out is not None
    amount = prices.cost((answered, asked), tokens_in or 0, tokens_out or 0, cached or 0) if known else None
    said = chain(_said(attributes), *(_said_in(event) for event in events))
    return {
        "provider": provider,
        "operation": operation,
        "request_model": asked,
        "response_model": answered,
        "tool": text_of(attributes, "gen_ai.tool.name"),
        "finish": text_of(attributes, "gen_ai.response.finish_reasons"),
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "cached_tokens": cached,
        "cost": None if amount is None else {"amount": amount, "currency": prices.currency},
        "messages": [message for _, message in zip(range(MOST_MESSAGES), said, strict=False)],
    }


def _said(attributes: Attributes) -> Iterator[Said]:
    """Yield what attributes hold of a conversation, in its order."""
    yield from _parts("system", _decoded(value_of(attributes, "gen_ai.system_instructions")))
    yield from _messages(value_of(attributes, "gen_ai.input.messages"), "user")
    yield from _numbered(attributes, "prompt", "user")
    yield from _parts("tool call", _decoded(value_of(attributes, "gen_ai.tool.call.arguments")))
    yield from _messages(value_of(attributes, "gen_ai.output.messages"), "assistant")
    yield from _numbered(attributes, "completion", "assistant")
    yield from _parts("tool", _decoded(value_of(attributes, "gen_ai.tool.call.result")))


_EVENT = re.compile(r"gen_ai\.(system|user|assistant|tool)\.message")
_OUTPUT_EVENT = "gen_ai.choice"
_OLD_EVENTS = {
    "gen_ai.content.prompt": ("gen_ai.prompt", "user"),
    "gen_ai.content.completion": ("gen_ai.completion", "assistant"),
}


def _said_in(event: Mapping[str, Any]) -> Iterable[Said]:
    name, attributes = event["name"], event["attributes"]
    found = _EVENT.fullmatch(name)
    if found or name == _OUTPUT_EVENT:
        role = found[1] if found else "assistant"
        return _parts(role, _decoded(attributes.get("content") or attributes.get("message")))
    if name in _OLD_EVENTS:
        key, role = _OLD_EVENTS[name]
        return _messages(attributes.get(key), role)
    return _said(attributes) if name.startswith("gen_ai.") else ()


def _messages(value: Any, role: str) -> Iterator[Said]:
    """Yield the messages of a list of them, or of one, or of a text."""
    value = _decoded(value)
    for message in value if isinstance(value, list) else [value]:
        if isinstance(message, dict):
            own = str(message.get("role") or role)
            yield from _parts(own, message.get("parts", message.get("content", message.get("text"))))
            yield from _parts(own, message.get("tool_calls"))
        else:
            yield from _parts(role, message)


def _parts(role: str, value: Any) -> Iterator[Said]:
    """Yield the parts of one message."""
    for part in value if isinstance(value, list) else [value]:
        text = _text(part)
        if text:
            yield {"role": role[:_MOST_ROLE], "text": text[:MOST_TEXT]}


def _text(part: Any) -> str:
    """Return what a part says: its text, a call of a tool as ``name(arguments)``, anything else as JSON."""
    if part is None or isinstance(part, str):
        return part or ""
    if not isinstance(part, dict):
        return _json(part)
    call = part.get("function") if isinstance(part.get("function"), dict) else part
    if isinstance(call, dict) and "name" in call and "arguments" in call:
        arguments = call["arguments"]
        return f"{call['name']}({arguments if isinstance(arguments, str) else _json(arguments)})"
    for key in ("content", "text", "response", "result"):
        if isinstance(part.get(key), str):
            return str(part[key])
    return _json(part)


_NUMBERED = re.compile(r"gen_ai\.(prompt|completion)\.(\d{1,4})\.(role|content)")


def _numbered(attributes: Attributes, kind: str, role: str) -> Iterator[Said]:
    found: dict[int, dict[str, Any]] = {}
    for key, value in attributes.items():
        part = _NUMBERED.fullmatch(key)
        if part and part[1] == kind:
            found.setdefault(int(part[2]), {})[part[3]] = value
    for _, message in sorted(found.items()):
        yield from _messages(message, role)


def _decoded(value: Any) -> Any:
    """Read a text that is a JSON list or object; others stay texts."""
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    try:
        decoded = orjson.loads(value)
        orjson.dumps({"in": [decoded]})
    except (TypeError, ValueError):  # no JSON, or nested so deeply that it can't be written again
        return value
    return decoded


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    except TypeError:
        return str(value)
