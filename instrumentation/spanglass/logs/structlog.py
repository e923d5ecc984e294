"""Events of structlog: sent with their keys and values, before they are rendered as text.

A processor is put in front of the last one, the renderer, of what ``structlog.configure`` was and will be given. Where
structlog writes through stdlib logging, the text that arrives there is not sent again.
"""

from __future__ import annotations

import logging
import sys
import time
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Any

from opentelemetry.semconv.attributes.exception_attributes import EXCEPTION_STACKTRACE

from spanglass.clock import NS_PER_S
from spanglass.exceptions.describing import code_attributes
from spanglass.guard import guarded, swallow
from spanglass.logs.sending import STDLIB, current_ids, in_thread, inside_of, put_values, time_ns_of
from spanglass.patching.imports import when_imported
from spanglass.patching.patches import Replacement, replace
from spanglass.values import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from types import FrameType, ModuleType

    from opentelemetry.util.types import AnyValue

    from spanglass.logs.sending import Sender

_LEVELS = {
    "trace": 5,
    "debug": 10,
    "info": 20,
    "msg": 20,
    "warning": 30,
    "warn": 30,
    "error": 40,
    "err": 40,
    "failure": 40,
    "exception": 40,
    "critical": 50,
    "fatal": 50,
}
#: Keys that are not attributes: they are the record's level, time, name and exception; and so is the text's.
_OWN = frozenset({"level", "log_level", "timestamp", "logger", "exc_info", "exception", "_record", "_from_structlog"})
_TEXT = "event"
#: Under which names processors of the application's own put the text, if it is not under structlog's.
_OTHER_TEXTS = ("message", "msg")


class Processor:
    """Sends each event and passes it on, with ``trace_id`` and ``span_id`` added for the renderer."""

    def __init__(self, sender: Sender | None, level: int) -> None:
        self._sender = sender
        self._level = level
        self.text = _TEXT
        self.active = True

    def __call__(self, logger: Any, method_name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Do it; part of structlog's interface of processors."""
        if not self.active:
            return event
        try:
            self._see(logger, method_name, event)
            for key, text in zip(("trace_id", "span_id"), current_ids(), strict=True):
                if text:
                    event.setdefault(key, text)
        except Exception as error:  # noqa: BLE001 - logging goes on whatever happens here
            swallow("send an event of structlog", error)
        return event

    def _see(self, logger: Any, method_name: str, event: MutableMapping[str, Any]) -> None:
        level = _LEVELS.get(str(event.get("level", method_name)).lower(), logging.INFO)
        to_stdlib = isinstance(logger, logging.Logger)
        if self._sender is None or (to_stdlib and not logger.isEnabledFor(level)):
            return  # nothing will be written either
        frame = _caller()
        module = frame.f_globals.get("__name__", "") if frame is not None else ""
        name = str(event.get("logger") or getattr(logger, "name", None) or module or "structlog")
        if level >= self._level and not inside_of(STDLIB) and self._sender.wants(name):
            _send(self._sender, name, level, method_name, event, frame, self.text)
        if to_stdlib:
            in_thread.passed_on = logger.name


def install_structlog(sender: Sender | None, level: int) -> Callable[[], None]:
    """Have events sent once structlog is imported; returns what takes it back."""
    processor, undo = Processor(sender, level), ExitStack()

    def wrap(structlog: ModuleType) -> None:
        config = structlog._config  # noqa: SLF001 - `configure_once` calls the function in there
        for function in ("configure", "reset_defaults"):
            for module in (structlog, config):
                undo.callback(replace(module, function, _then_put(processor, structlog)))
        _put(processor, structlog)
        undo.callback(_take_out, processor, structlog)

    undo.callback(when_imported("structlog", wrap, doing="send events of structlog"))

    def take_back() -> None:
        processor.active = False
        with guarded("take structlog's processor back"):
            undo.close()

    return take_back


def _then_put(processor: Processor, structlog: ModuleType) -> Callable[[Replacement], Callable[..., None]]:
    def make(replaced: Replacement) -> Callable[..., None]:
        def configure(*args: Any, **kwargs: Any) -> None:
            """Configure structlog."""
            replaced.original(*args, **kwargs)
            if replaced.active:
                with guarded("put a processor into structlog"):
                    _put(processor, structlog)

        return configure

    return make


def _put(processor: Processor, structlog: ModuleType) -> None:
    """Put the processor in front of the last one: into the very list, which loggers made before hold too."""
    processors = structlog.get_config()["processors"]
    processor.text = next((each.to for each in processors if type(each).__name__ == "EventRenamer"), _TEXT)
    if processor in processors:
        return
    if isinstance(processors, list):
        processors.insert(max(len(processors) - 1, 0), processor)
        return
    *before, last = [*processors] or [None]
    _set(structlog, [*before, processor, *([last] if last is not None else [])])


def _take_out(processor: Processor, structlog: ModuleType) -> None:
    processors = structlog.get_config()["processors"]
    if processor in processors:
        processors.remove(processor)


def _set(structlog: ModuleType, processors: list[Any]) -> None:
    structlog._config._CONFIG.default_processors = processors  # noqa: SLF001 - `configure` would say "configured"


def _send(
    sender: Sender,
    name: str,
    level: int,
    method_name: str,
    event: MutableMapping[str, Any],
    frame: FrameType | None,
    text: str,
) -> None:
    attributes: dict[str, AnyValue] = {}
    if text not in event:
        text = next((each for each in _OTHER_TEXTS if each in event), text)
    put_values(attributes, event, {*_OWN, text})
    if frame is not None:
        at = frame.f_code
        attributes |= code_attributes(
            at.co_filename, frame.f_globals.get("__name__", ""), at.co_qualname, frame.f_lineno
        )
    error = _exception(event, method_name)
    if error is None and isinstance(event.get("exception"), str):
        attributes[EXCEPTION_STACKTRACE] = text_of(event["exception"])
    sender.send(
        name,
        body=text_of(event.get(text, "")),
        level=level,
        level_name=str(event.get("level", method_name)).upper(),
        time_ns=_time_ns(event.get("timestamp")),
        attributes=attributes,
        error=error,
    )


def _exception(event: MutableMapping[str, Any], method_name: str) -> BaseException | None:
    """Return the exception that an event carries; a processor before ours may have made text of it already."""
    given = event.get("exc_info")
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple) and len(given) == 3:  # noqa: PLR2004 - as sys.exc_info() gives it
        return given[1] if isinstance(given[1], BaseException) else None
    return sys.exception() if given or "exception" in event or method_name == "exception" else None


def _caller() -> FrameType | None:
    """Return the frame that logs; of ``await logger.ainfo(...)`` the one that awaits, which structlog keeps."""
    find = getattr(sys.modules.get("structlog._frames"), "_find_first_app_frame_and_name", None)
    found: FrameType | None = find(["spanglass"])[0] if find is not None else None
    return found


def _time_ns(stamp: object) -> int:
    """Return nanoseconds since 1970: what structlog's ``TimeStamper`` wrote, if it is unambiguous, else now."""
    if isinstance(stamp, int | float) and not isinstance(stamp, bool):
        return int(stamp * NS_PER_S)
    if isinstance(stamp, str):
        try:
            found = datetime.fromisoformat(stamp)
        except ValueError:
            return time.time_ns()
        if found.tzinfo is not None:
            return time_ns_of(found)
    return time.time_ns()
