"""A stack trace in any language as the structure that ``static/js/exception.js`` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from spanglass_core.attribute_names import EXCEPTION_CHAIN
from spanglass_core.stacks.parse import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_core.stacks.model import Frame, Raised

#: Parts of a path that a reader needs to know a file.
_PATH_PARTS = 3


def chain_of(exception: Mapping[str, Any]) -> str | None:
    """Return the chain of an exception as JSON text: as it was sent, or read from its stack trace; None without."""
    sent = exception["attributes"].get(EXCEPTION_CHAIN)
    if isinstance(sent, str) and sent:
        return sent
    text = exception["stacktrace"]
    chain = parse(text, exception["type"], exception["message"]) if text else ()
    if not any(raised.frames for raised in chain):
        return None
    return orjson.dumps([_exception(raised) for raised in chain]).decode()


def _exception(raised: Raised) -> dict[str, Any]:
    relation = "context" if raised.relation == "suppressed" else raised.relation
    return {
        "type": raised.type, "message": raised.message, "relation": relation, "parent": raised.parent,
        "frames": [_frame(frame) for frame in raised.frames],
    }  # fmt: skip


def _frame(frame: Frame) -> dict[str, Any]:
    short = "/".join(frame.file.replace("\\", "/").split("/")[-_PATH_PARTS:])
    return {
        "function": frame.function, "module": frame.module, "path": frame.file, "file": short or frame.module,
        "line": frame.line, "in_app": frame.in_app,
    }  # fmt: skip
