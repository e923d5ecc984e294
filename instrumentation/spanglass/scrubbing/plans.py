"""What is done with the value of an attribute, by its key: left, replaced, or read as text, URL or SQL.

And what is written where a secret was: a mark that says why, and how to tell that something is one already.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable

from spanglass_core.lazy_patterns import lazy_pattern


class Plan(enum.IntEnum):
    """How the values of one key are scrubbed."""

    PLAIN = 1  # not looked at: names, numbers and addresses that the conventions define
    SECRET = 2  # replaced whole
    TEXT = 3
    URL = 4
    QUERY = 5
    SQL = 6


_SPECIAL = {
    "url.full": Plan.URL,
    "url.original": Plan.URL,
    "url.query": Plan.QUERY,
    "http.url": Plan.URL,
    "http.target": Plan.URL,
    "http.request.header.referer": Plan.TEXT,
    "db.query.text": Plan.SQL,
    "db.statement": Plan.SQL,
    "db.statement.parameters": Plan.SECRET,  # a text of all values, without names
}

#: Values that the conventions or the SDK choose: enumerated words, addresses, names of code. Reading them costs time
#: on every span and finds nothing. ``exception.type`` is one, ``exception.message`` is not.
_PLAIN = frozenset(
    {
        "client.address", "code.file.path", "code.filepath", "code.function", "code.function.name",
        "code.line.number", "code.lineno", "code.namespace", "db.collection.name", "db.name", "db.namespace",
        "db.operation", "db.operation.name", "db.system", "db.system.name", "error.type", "exception.escaped",
        "exception.type", "http.flavor", "http.host", "http.method", "http.request.method", "http.route",
        "http.scheme", "http.server_name", "http.status_code", "http.status_text", "log.record.uid",
        "messaging.system", "net.host.name", "net.peer.ip", "net.peer.name", "otel.scope.name", "rpc.method",
        "rpc.service", "rpc.system", "rpc.system.name", "server.address", "session.id", "thread.name", "url.domain",
        "url.scheme", "user.id",
    }
)  # fmt: skip
_PLAIN_PREFIXES = (
    "asgi.event.type", "host.", "network.", "os.", "otel.", "process.runtime.", "service.", "telemetry.",
    "spanglass.sampling.", "spanglass.span.", "spanglass.exception.occurrence_id", "spanglass.exception.handled",
    "spanglass.scrubbed",
)  # fmt: skip

# a value bound to a place in a statement: nothing says what it is
_UNNAMED_PARAMETER = lazy_pattern(r"db\.(?:query|operation)\.parameter\.\d+")


def plan_of(key: str, *, secret: bool) -> Plan:
    """Decide once for a key; ``secret`` says whether its words make it one."""
    special = _SPECIAL.get(key)
    if special is not None:
        return special
    if key in _PLAIN or key.startswith(_PLAIN_PREFIXES):
        return Plan.PLAIN
    return Plan.SECRET if secret or _UNNAMED_PARAMETER.fullmatch(key) else Plan.TEXT


#: What to write instead of a text that was found, given the text and the reason.
Mark = Callable[[str, str], str]

#: In URLs, where a mark with blanks would make it another URL; the semantic conventions of ``url.full`` name this word.
REDACTED = "REDACTED"

# what others, and we before, leave in a secret's place: nothing is gained by marking it again
_WORDS = "redacted|filtered|scrubbed|masked|hidden"
_DONE = lazy_pattern(rf"{_WORDS}|[\[<](?:{_WORDS})\b[^\]>\n]{{0,80}}[\]>]|[*•x.]{{3,}}", re.IGNORECASE)


def mark(reason: str) -> str:
    """Write the mark: ``[scrubbed: password]``."""
    return f"[scrubbed: {reason}]"


def is_marked(text: str) -> bool:
    """Return whether there is no secret any more: empty, or a mark of ours or of somebody else."""
    return not text or _DONE.fullmatch(text) is not None
