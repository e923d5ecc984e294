"""Records of loguru: sent once each, where the first of loguru's handlers gets them.

A record is sent if a handler of the application takes its level: loguru's loggers have no levels of their own. No
handler is added, so ``logger.remove()`` and ``logger.configure()`` change nothing here.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from spanglass.exceptions.describing import code_attributes
from spanglass.guard import swallow
from spanglass.logs.sending import current_ids, in_thread, put_values, time_ns_of
from spanglass.patching.imports import when_imported
from spanglass.patching.patches import Replacement, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from opentelemetry.util.types import AnyValue

    from spanglass.logs.sending import Sender


def install_loguru(sender: Sender | None, level: int) -> Callable[[], None]:
    """Have records sent once loguru is imported, and ``{extra[trace_id]}`` be known; returns what takes it back."""
    undo: list[Callable[[], None]] = []

    def wrap(_: ModuleType) -> None:
        handler = getattr(sys.modules.get("loguru._handler"), "Handler", None)
        if handler is not None:
            undo.append(replace(handler, "emit", lambda replaced: _emit(replaced, sender, level)))

    undo.append(when_imported("loguru", wrap, doing="send records of loguru"))

    def take_back() -> None:
        while undo:
            undo.pop()()

    return take_back


def _emit(replaced: Replacement, sender: Sender | None, level: int) -> Callable[..., None]:
    def emit(handler: object, record: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        """Pass a record to one handler."""
        if not replaced.active:
            replaced.original(handler, record, *args, **kwargs)
            return
        try:
            _see(sender, record, level)
        except Exception as error:  # noqa: BLE001 - logging goes on whatever happens here
            swallow("send a record of loguru", error)
        outer, in_thread.inside = in_thread.inside, "loguru"
        try:
            replaced.original(handler, record, *args, **kwargs)
        finally:
            in_thread.inside = outer

    return emit


def _see(sender: Sender | None, record: dict[str, Any], level: int) -> None:
    """Send a record when its first handler gets it. Its time is an object of its own, which tells records apart."""
    if in_thread.last_time is record["time"]:
        return
    in_thread.last_time = record["time"]
    name = record["name"] or "loguru"
    if sender is not None and record["level"].no >= level and in_thread.inside != "stdlib" and sender.wants(name):
        _send(sender, name, record)
    trace_id, span_id = current_ids()
    record["extra"].setdefault("trace_id", trace_id)
    record["extra"].setdefault("span_id", span_id)


def _send(sender: Sender, name: str, record: Mapping[str, Any]) -> None:
    attributes: dict[str, AnyValue] = {}
    put_values(attributes, record["extra"])
    attributes |= code_attributes(record["file"].path, record["name"] or "", record["function"], record["line"])
    attributes["thread.id"] = record["thread"].id
    attributes["thread.name"] = record["thread"].name
    error = record["exception"].value if record["exception"] else None
    sender.send(
        name,
        body=record["message"],
        level=record["level"].no,
        level_name=record["level"].name,
        time_ns=time_ns_of(record["time"]),
        attributes=attributes,
        error=error if isinstance(error, BaseException) else None,
    )
