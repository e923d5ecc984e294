"""What attributes of an event or a log record say of an exception; ``static/js/exception.js`` shows its structure.

docs/app/exceptions.md has the attributes. They come from outside: any of them may have any type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_core.attribute_names import EXCEPTION_CHAIN, EXCEPTION_HANDLED, EXCEPTION_OCCURRENCE_ID
from spanglass_server.pages.rendering.format import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

#: OpenTelemetry's own names.
TYPE, MESSAGE, STACK = "exception.type", "exception.message", "exception.stacktrace"
#: The name of an event that is an exception and nothing else.
EVENT = "exception"
ESCAPED = "exception.escaped"
HANDLED = EXCEPTION_HANDLED
#: Characters of a stack trace in the HTML of a page; script and the API have all of it.
MOST_TEXT = 20_000
#: What the view of an exception shows, so that a record's list of attributes leaves it out.
SHOWN = frozenset({EXCEPTION_CHAIN, STACK, MESSAGE})
#: What an event's list leaves out, too: nobody searches for it there.
OF_EVENT = SHOWN | {TYPE, ESCAPED, HANDLED, EXCEPTION_OCCURRENCE_ID}
#: What the line of a log record has no room for.
# What nearly every record has, and says nothing in a list of them.
_OF_EVERY_LINE = ("code.", "thread.", "process.", "user.", "session.", "spanglass.message.")
NOT_IN_LINE = frozenset({EXCEPTION_CHAIN, STACK, EXCEPTION_OCCURRENCE_ID, HANDLED})


def told(attributes: Mapping[str, Any]) -> bool:
    """Whether these attributes tell an exception."""
    return any(key in attributes for key in (TYPE, MESSAGE, STACK, EXCEPTION_CHAIN))


def is_exception(event: Mapping[str, Any]) -> bool:
    """Whether a span's event tells an exception, whatever its name: Rust's ``tracing`` puts the log message there."""
    return event["name"] == EVENT or told(event["attributes"])


def text(value: Any) -> str:
    """Return a stack trace or a message as text; several lines may be sent as an array."""
    return "\n".join(map(plain, value)) if isinstance(value, list) else plain(value)


def in_full(attributes: Mapping[str, Any]) -> bool:
    """Whether they tell all of it, not only that it was seen again."""
    return EXCEPTION_CHAIN in attributes or STACK in attributes


def occurrence(attributes: Mapping[str, Any]) -> str:
    """Return the id of the occurrence, or nothing."""
    found = attributes.get(EXCEPTION_OCCURRENCE_ID)
    return found if isinstance(found, str) else ""


def is_body(body: Any, attributes: Mapping[str, Any]) -> bool:
    """Whether a record's body is its exception's last line, which is shown anyway."""
    return TYPE in attributes and body == f"{attributes[TYPE]}: {attributes.get(MESSAGE)}"


def line_text(record: Mapping[str, Any]) -> Any:
    """Return what a log record's line shows: its body, or where it has none its event's name or its exception."""
    body, event, attributes = record["body"], record["event_name"], record["attributes"]
    if body not in (None, "") or (event and event != EVENT):
        return event if body in (None, "") else body
    texts = (attributes.get(key) for key in (TYPE, MESSAGE))
    return ": ".join(str(text) for text in texts if text) or event


def repeats(span: Mapping[str, Any]) -> bool:
    """Whether a span's status only says what its exception says, with the type written in some way."""
    status = span["status_message"]
    messages = {text(event["attributes"].get(MESSAGE, "")) for event in span["events"] if is_exception(event)} - {""}
    return bool(status) and (status in messages or status.partition(": ")[2] in messages)


def rest_of_record(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a record says besides its exception."""
    return {key: value for key, value in attributes.items() if key not in SHOWN} if told(attributes) else attributes


def rest_of_line(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a record's line in a list says besides its body."""
    left_out = (key in NOT_IN_LINE or key.startswith(_OF_EVERY_LINE) for key in attributes)
    return {key: attributes[key] for key, out in zip(attributes, left_out, strict=True) if not out}


def rest_of_event(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what an event says besides its exception."""
    return {key: value for key, value in attributes.items() if key not in OF_EVENT}


def tellers(trace: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return by the id of each occurrence the span of a trace that tells it in full."""
    found: dict[str, Mapping[str, Any]] = {}
    for row, events in trace["spans"].others("events"):
        for event in events:
            if in_full(event["attributes"]) and occurrence(event["attributes"]):
                found.setdefault(occurrence(event["attributes"]), trace["spans"][row])
    return found
