"""Why a span failed, in one line.

Senders say it in many places. They are read in the order of ``SOURCES``; the first that says something is the reason.
A source that only names a code or a kind says less than any text, and what is no failure (an answer of 200, a status
of "Error") says nothing. All functions read spans as the API shows them, whose values may have any type.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from spanglass_core.attribute_names import EXCEPTION_CHAIN, EXCEPTION_HANDLED
from spanglass_server.error_text import as_text, one_line, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Attributes = Mapping[str, Any]
    JsonSpan = Mapping[str, Any]

_LEAST_HTTP_ERROR = 400
_CODE = re.compile(r"[0-9]{1,9}")  # other scripts have digits that int() does not know

_TYPE, _MESSAGE, _STACK = "exception.type", "exception.message", "exception.stacktrace"
_TELLS_EXCEPTION = (_TYPE, _MESSAGE, _STACK, EXCEPTION_CHAIN)
#: Texts about an error, the most telling first: OpenTelemetry, Node.js, .NET, Zipkin and OpenTracing, Rust.
_TEXTS = (
    "error.message", "http.error_message", "rpc.jsonrpc.error_message", "grpc.error_message", "error.msg",
    "error.object", "error.description", "otel.status_description", "messaging.error.message", "db.error.message",
    "error", "err", "message", "description", "body",
)  # fmt: skip
#: The kind that belongs to such a text.
_KINDS = ("error.kind", "error.type", "http.error_name", "error.name", "error.class")
_STACKS = ("error.stack", "stack")
_LEVELS = ("level", "severity", "log.severity", "log.level")
_ERROR_LEVELS = frozenset({"error", "fatal", "critical", "panic", "err", "severe"})
_HTTP_CODES = ("http.response.status_code", "http.status_code")
_RPC_CODES = (
    "rpc.response.status_code", "rpc.grpc.status_code", "rpc.connect_rpc.error_code", "rpc.jsonrpc.error_code",
    "grpc.status_code", "grpc.status",
)  # fmt: skip
_GRPC_NAMES = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip

#: What Python writes of a class; OpenTracing's SDKs send it as ``error.kind``.
_PYTHON_CLASS = re.compile(r"<class '([\w.]+)'>")
#: Says no more than the status of the span.
_SAYS_NOTHING = re.compile(
    r"(?:status_?code_?)?(?:unset|ok|success(?:ful)?|errors?|err|true|false|yes|no|none|null|undefined|_other|[01])[.!]?",
    re.IGNORECASE,
)
_PHRASES = "|".join(re.escape(status.phrase) for status in HTTPStatus)
#: Says no more than a code: ``500``, ``HTTP 404 Not Found``, ``Internal Server Error``.
_SAYS_LITTLE = re.compile(
    rf"(?:(?:http|response)\s*)?(?:status\s*)?(?:code\s*)?[:=]?\s*(\d{{3}})(?:[: -]+(?:{_PHRASES}))?|{_PHRASES}"
    r"|server error|failed|failure|exception|unknown(?: error)?|an? (?:unknown )?error (?:has )?occurr?ed",
    re.IGNORECASE,
)


def reason(span: JsonSpan) -> str:
    """Return why a span failed as one line of at most 200 characters, empty when nothing says so."""
    return _first(source(span) for source in SOURCES)


def says_why(span: JsonSpan) -> bool:
    """Whether a span has words for why it failed, not only a code or a kind."""
    return bool(_first(source(span) for source in _IN_WORDS))


def tells_exception(event: Attributes) -> bool:
    """Whether an event tells of an exception, whatever its name is."""
    return event["name"] == "exception" or _has_exception(event["attributes"])


def _has_exception(attributes: Attributes) -> bool:
    return any(key in attributes for key in _TELLS_EXCEPTION)


def exceptions_of(span: JsonSpan) -> list[Attributes]:
    """Return the events of a span that tell of an exception."""
    return [event for event in span["events"] if tells_exception(event)]


def is_handled(event: Attributes) -> bool:
    """Whether an exception was handled, as our SDK says of those that were."""
    return event["attributes"].get(EXCEPTION_HANDLED) is True


def has_code(span: JsonSpan) -> bool:
    """Whether a span has the code of an answer, of any meaning."""
    return any(key in span["attributes"] for key in (*_HTTP_CODES, *_RPC_CODES))


def _status_message(span: JsonSpan) -> str:
    """Return the status message if it says something; with the exception's type if that only lacks there."""
    message = one_line(span["status_message"])
    if not message or _SAYS_LITTLE.fullmatch(message):
        return ""
    for event in exceptions_of(span):
        if one_line(event["attributes"].get(_MESSAGE)) == message:
            return _told(event["attributes"])
    return message


def _exception(span: JsonSpan) -> str:
    """Return the last exception of the span that was not handled: earlier ones were retried."""
    events = exceptions_of(span)
    unhandled = [event for event in events if not is_handled(event)] or events
    return _first(_told(event["attributes"]) for event in reversed(unhandled))


def _told(attributes: Attributes) -> str:
    """Return the type and message of an exception."""
    if _MESSAGE not in attributes and _TYPE not in attributes:
        return _first(map(one_line, (_outermost(attributes.get(EXCEPTION_CHAIN)), attributes.get(_STACK))))
    return _with_kind(one_line(attributes.get(_TYPE)), one_line(attributes.get(_MESSAGE)))


def _outermost(chain: Any) -> Any:
    """Return the first of the exceptions that the chain of our SDK has as JSON."""
    exceptions = parsed(chain)
    return exceptions[0] if isinstance(exceptions, list) and exceptions else None


def _error_event(span: JsonSpan) -> str:
    """Return what the last event says that reports an error: of OpenTracing, of a logger, of Rust's ``tracing``."""
    return _first(
        _texts(event["attributes"]) or ("" if _SAYS_LITTLE.fullmatch(event["name"]) else one_line(event["name"]))
        for event in reversed(span["events"])
        if _reports_error(event)
    )


def _reports_error(event: Attributes) -> bool:
    attributes = event["attributes"]
    words = {str(event["name"]).lower(), str(attributes.get("event", "")).lower()}
    levels = {str(attributes.get(key, "")).lower() for key in _LEVELS}
    return (
        "error" in words
        or bool(levels & _ERROR_LEVELS)
        or any(attributes.get(key) for key in ("error", "err", *_KINDS))
    )


def _own_exception(span: JsonSpan) -> str:
    return said(span["attributes"])


def said(attributes: Attributes) -> str:
    """Return type and message of the exception that attributes tell of, empty if they tell of none."""
    return _told(attributes) if _has_exception(attributes) else ""


def _own_texts(span: JsonSpan) -> str:
    return _texts(span["attributes"], _TEXTS[: _TEXTS.index("message")])


def _texts(attributes: Attributes, keys: Iterable[str] = _TEXTS) -> str:
    """Return the first text about an error among attributes, with its kind, else the first line of a stack."""
    found = _first(one_line(attributes.get(key)) for key in keys)
    if found and not _SAYS_LITTLE.fullmatch(found):
        return _with_kind(_first(one_line(attributes.get(key)) for key in _KINDS), found)
    return _first(one_line(attributes.get(key)) for key in _STACKS)


def _rpc_code(span: JsonSpan) -> str:
    code = _value(span, _RPC_CODES)
    if _CODE.fullmatch(code) and int(code) < len(_GRPC_NAMES):
        code = "" if code == "0" else f"{code} {_GRPC_NAMES[int(code)]}"
    return f"The answer was {code}." if code and not _SAYS_NOTHING.fullmatch(code) else ""


def _http_code(span: JsonSpan) -> str:
    code = _value(span, (*_HTTP_CODES, *_KINDS))
    if not _CODE.fullmatch(code) or int(code) < _LEAST_HTTP_ERROR:
        return ""
    words = one_line(span["attributes"].get("http.status_text"))
    return f"The answer was {code} {words}." if words and not words.startswith(code) else f"The answer was {code}."


def _other_code(span: JsonSpan) -> str:
    database, exit_code = _value(span, ("db.response.status_code",)), _value(span, ("process.exit.code",))
    if database and not _SAYS_NOTHING.fullmatch(database):
        return f"The database answered {database}."
    return f"The process ended with exit code {exit_code}." if exit_code not in {"", "0"} else ""


def _kind(span: JsonSpan) -> str:
    found = _first(one_line(span["attributes"].get(key)) for key in _KINDS)
    return "" if found.isdigit() else found


def _vague_message(span: JsonSpan) -> str:
    message = one_line(span["status_message"])
    matched = _SAYS_LITTLE.fullmatch(message)
    code = matched and matched[1]
    return "" if code and int(code) < _LEAST_HTTP_ERROR else message


#: Where a reason is looked for: first what says it in words ...
_IN_WORDS: tuple[Callable[[JsonSpan], str], ...] = (
    _status_message,
    _exception,
    _error_event,
    _own_exception,
    _own_texts,
)
#: ... then what names it.
SOURCES = (*_IN_WORDS, _rpc_code, _http_code, _other_code, _kind, _vague_message)


def _first(texts: Iterable[str]) -> str:
    """Return the first text that says something."""
    return next((text for text in texts if text and not _SAYS_NOTHING.fullmatch(text)), "")


def _value(span: JsonSpan, keys: Iterable[str]) -> str:
    """Return the first value there is as text."""
    found = (span["attributes"].get(key) for key in keys)
    return next((text for value in found if value is not None and (text := as_text(value).strip())), "")


def _with_kind(kind: str, message: str) -> str:
    """Write ``Kind: message``; a message that begins with its kind has it."""
    kind = _PYTHON_CLASS.sub(r"\1", kind)
    if not kind or kind.isdigit() or _SAYS_NOTHING.fullmatch(kind):
        return message
    if not message:
        return kind
    own = kind.rpartition(".")[2]
    return one_line(message if message.startswith((kind, f"{own}:")) else f"{kind}: {message}")
