"""Jaeger's JSON, as its page and its API give it, as requests of OTLP/JSON.

By OpenTelemetry's rules for Jaeger, the other way round: https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from spanglass.cli.errors import CliError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Json = dict[str, Any]

_SPANS_A_REQUEST = 2_000
_NS_PER_US = 1_000
_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_STATUS = {"OK": 1, "ERROR": 2}
#: Tags that are fields of a span in OTLP.
_FIELDS = frozenset({"span.kind", "otel.status_code", "otel.status_description", "w3c.tracestate", "error"})
#: How JSON of protobuf has them.
_NOT_FINITE = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}
_SCOPE = (("otel.scope.name", "otel.scope.version"), ("otel.library.name", "otel.library.version"))


def is_jaeger(content: Any) -> bool:
    """Whether JSON is that of Jaeger's traces."""
    traces = content.get("data") if isinstance(content, dict) else None
    return isinstance(traces, list) and all(isinstance(each, dict) and "spans" in each for each in traces)


def requests(content: Mapping[str, Any], place: str) -> Iterator[tuple[Json, int]]:
    """Yield requests with some spans each, and how many; ``CliError`` that names what is wrong, and in which trace."""
    for trace in content["data"]:
        spans = trace["spans"] or ()
        try:
            for start in range(0, len(spans), _SPANS_A_REQUEST):
                some = spans[start : start + _SPANS_A_REQUEST]
                yield {"resourceSpans": _resources(some, trace.get("processes") or {})}, len(some)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            wrong = f"the field {error} is missing" if isinstance(error, KeyError) else str(error)
            raise CliError(f"{place}: trace {trace.get('traceID')} is not as Jaeger writes it: {wrong}") from None


def _resources(spans: Sequence[Json], processes: Mapping[str, Json]) -> list[Json]:
    by_process: dict[str, dict[tuple[str, str], list[Json]]] = {}
    for span in spans:
        tags = {tag["key"]: tag for tag in span.get("tags") or ()}
        scope, names = _scope(tags)
        written = _span(span, tags, names)
        by_process.setdefault(span.get("processID", ""), {}).setdefault(scope, []).append(written)
    return [
        {
            "resource": {"attributes": _process(processes.get(process) or {})},
            "scopeSpans": [
                {"scope": {"name": name, "version": version}, "spans": of} for (name, version), of in scopes.items()
            ],
        }
        for process, scopes in by_process.items()
    ]


def _process(process: Mapping[str, Any]) -> list[Json]:
    named = process.get("serviceName")
    service = [{"key": "service.name", "value": {"stringValue": named}}] if named else []
    return service + _attributes(process.get("tags") or ())


def _scope(tags: Mapping[str, Json]) -> tuple[tuple[str, str], set[str]]:
    """Name and version of what wrote a span, and the tags that say so."""
    for name, version in _SCOPE:
        if name in tags:
            told = str(tags[version]["value"]) if version in tags else ""
            return (str(tags[name]["value"]), told), {name, version}
    return ("", ""), set()


def _span(span: Json, tags: Mapping[str, Json], scope_tags: set[str]) -> Json:
    start_ns = int(span["startTime"]) * _NS_PER_US
    parent, links = _references(span)
    left = [tag for tag in span.get("tags") or () if tag["key"] not in scope_tags and not _is_field(tag["key"], tag)]
    written = {
        "traceId": _hex(span["traceID"], 32),
        "spanId": _hex(span["spanID"], 16),
        "parentSpanId": parent,
        "name": span["operationName"],
        "kind": _KINDS.get(str(tags.get("span.kind", {}).get("value")), 0),
        "startTimeUnixNano": str(start_ns),
        "endTimeUnixNano": str(start_ns + int(span["duration"]) * _NS_PER_US),
        "traceState": str(tags.get("w3c.tracestate", {}).get("value", "")),
        "attributes": _attributes(left),
        "events": [_event(log) for log in span.get("logs") or ()],
        "links": links,
        "status": _status(tags),
    }
    return {name: value for name, value in written.items() if value not in ("", [], {}, 0)}


def _is_field(name: str, tag: Json) -> bool:
    """Whether a tag is a field of a span; a kind that OTLP does not know is not, nor is an error with words."""
    if name == "span.kind":
        return tag["value"] in _KINDS
    if name == "error":
        return _is_true(tag["value"])
    return name in _FIELDS


def _is_true(value: Any) -> bool:
    return value is True or value == "true"


def _status(tags: Mapping[str, Json]) -> Json:
    code = _STATUS.get(str(tags.get("otel.status_code", {}).get("value")), 0)
    if not code and _is_true(tags.get("error", {}).get("value")):
        code = _STATUS["ERROR"]
    message = str(tags.get("otel.status_description", {}).get("value", ""))
    return {**({"code": code} if code else {}), **({"message": message} if message else {})}


def _references(span: Json) -> tuple[str, list[Json]]:
    """The parent's id, and links to all else that a span refers to.

    What it follows in its trace is its parent too if it has no other.
    """
    parent, links = _hex(span["parentSpanID"], 16) if span.get("parentSpanID") else "", []
    followed = ""
    for each in span.get("references") or ():
        is_same_trace = each["traceID"] == span["traceID"]
        if each["refType"] == "CHILD_OF" and is_same_trace and not parent:
            parent = _hex(each["spanID"], 16)
            continue
        if parent == _hex(each["spanID"], 16) and is_same_trace:
            continue
        kind = {"key": "opentracing.ref_type", "value": {"stringValue": each["refType"].lower()}}
        links.append({"traceId": _hex(each["traceID"], 32), "spanId": _hex(each["spanID"], 16), "attributes": [kind]})
        if is_same_trace and not followed:
            followed = _hex(each["spanID"], 16)
    return parent or followed, links


def _event(log: Json) -> Json:
    fields = log.get("fields") or []
    name = next((str(field["value"]) for field in fields if field["key"] == "event"), "")
    left = [field for field in fields if field["key"] != "event"]
    return {"timeUnixNano": str(int(log["timestamp"]) * _NS_PER_US), "name": name, "attributes": _attributes(left)}


def _attributes(tags: Sequence[Json]) -> list[Json]:
    """Attributes of tags: one with all values for a key that comes with several, as OTLP has each key once."""
    values: dict[str, list[Json]] = {}
    for tag in tags:
        of_key = values.setdefault(tag["key"], [])
        value = _value(tag)
        if value not in of_key:
            of_key.append(value)
    return [
        {"key": key, "value": of_key[0] if len(of_key) == 1 else {"arrayValue": {"values": of_key}}}
        for key, of_key in values.items()
    ]


def _value(tag: Json) -> Json:
    value, kind = tag.get("value"), tag.get("type")
    match kind:
        case "bool":
            return {"boolValue": _is_true(value)}
        case "int64":
            return {"intValue": str(int(value or 0))}
        case "float64":
            number = float(value or 0)
            return {"doubleValue": number if math.isfinite(number) else _NOT_FINITE[str(number)]}
        case "binary":
            return {"bytesValue": value}
    return {"stringValue": str(value)}


def _hex(text: str, digits: int) -> str:
    """An id with all its digits, which Jaeger may leave out where they are zeros."""
    if len(text) > digits or any(letter not in "0123456789abcdefABCDEF" for letter in text):
        raise ValueError(f"{text!r} is no id of {digits} hex digits")
    return text.lower().rjust(digits, "0")
