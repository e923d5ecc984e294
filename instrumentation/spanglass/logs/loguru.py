"""Records of loguru: sent once each, where the first of loguru's handlers gets them.

A record is sent if a handler of the application takes its level: loguru's loggers have no levels of their own. No
handler is added, so ``logger.remove()`` and ``logger.configure()`` change nothing here.
"""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from spanglass.exceptions.describing import code_attributes
from spanglass.guard import swallow
from spanglass.logs.sending import LOGURU, STDLIB, current_ids, handing_in, in_thread, inside_of, put_values, time_ns_of
from spanglass.patching.imports import when_imported
from spanglass.patching.patches import Call, see_before

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from opentelemetry.util.types import AnyValue

    from spanglass.logs.sending import Sender


_IDS = ("trace_id", "span_id")


class _Extra(dict[str, Any]):
    """A record's ``extra``, in which ``{extra[trace_id]}`` is found and ``{extra}`` prints what it always did.

    The ids are no keys of it: whoever reads it whole, as ``serialize`` does, finds what the application put in.
    """

    __slots__ = ("_ids",)

    def __init__(self, own: dict[str, Any], ids: tuple[str, str]) -> None:
        super().__init__(own)
        self._ids = ids

    def __missing__(self, key: str) -> str:
        if key not in _IDS:
            raise KeyError(key)
        return self._ids[_IDS.index(key)]

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        return dict, (dict(self),)  # a process that gets the record may be without us


class _Last(threading.local):
    """The last record of this thread: each handler gets it."""

    time: object = None


class _Watch:
    """Sees each record before the first of loguru's handlers does."""

    def __init__(self, sender: Sender | None, level: int) -> None:
        self._sender, self._level = sender, level
        self._last = _Last()

    def see(self, _: object, record: dict[str, Any]) -> bool:
        """Send a record, unless it is known already, and have its ids be found."""
        try:
            # its time is an object of its own, which tells records apart
            if self._last.time is not record["time"]:
                self._last.time = record["time"]
                self._see(record)
        except Exception as error:  # noqa: BLE001 - logging goes on whatever happens here
            swallow("send a record of loguru", error)
        return True

    def _see(self, record: dict[str, Any]) -> None:
        name, sender = record["name"] or "loguru", self._sender
        if sender is not None and record["level"].no >= self._level and not inside_of(STDLIB) and sender.wants(name):
            _send(sender, name, record)
        in_thread.handing |= LOGURU
        record["extra"] = _Extra(record["extra"], current_ids())


def install_loguru(sender: Sender | None, level: int) -> Callable[[], None]:
    """Have records sent once loguru is imported, and ``{extra[trace_id]}`` be known; returns what takes it back."""
    watch, undo = _Watch(sender, level), ExitStack()

    def wrap(loguru: ModuleType) -> None:
        handler = sys.modules["loguru._handler"].Handler
        handing_in(LOGURU, handler.emit)
        call = Call(type(loguru.logger)._log.__code__, "log_record")  # noqa: SLF001 - where handlers are called
        undo.callback(see_before(handler, "emit", call, watch.see))

    undo.callback(when_imported("loguru", wrap, doing="send records of loguru"))
    return undo.close


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
