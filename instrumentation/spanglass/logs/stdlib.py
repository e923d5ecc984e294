"""Records of stdlib logging: sent where a logger hands them to its handlers, with trace ids added for formatters.

``Logger.callHandlers`` is where every record passes once, whatever handlers there are. A handler of our own on the
root logger would be removed by ``dictConfig`` and ``fileConfig``, would make ``basicConfig`` do nothing and silence
``logging.lastResort``, and would miss loggers with ``propagate = False``, such as uvicorn's and gunicorn's.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from opentelemetry.semconv.attributes import code_attributes as code
from opentelemetry.semconv.attributes.exception_attributes import EXCEPTION_STACKTRACE

from spanglass.clock import NS_PER_S
from spanglass.guard import swallow
from spanglass.logs.sending import current_ids, in_thread, put_values
from spanglass.patching.patches import Replacement, replace
from spanglass.values import printed, text_of
from spanglass_core.attribute_names import MESSAGE_ERROR, MESSAGE_TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.util.types import AnyValue

    from spanglass.logs.sending import Sender

_IDS = ("trace_id", "span_id", "service_name")
#: What every record has; `color_message` is uvicorn's text again, with colours.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_EVENT_NAME, _OLD_EVENT_NAME = "otel.event.name", "event.name"
_EVENT_NAMES = frozenset({_EVENT_NAME, _OLD_EVENT_NAME})


def install_stdlib(sender: Sender | None, level: int, service_name: str) -> Callable[[], None]:
    """Have every record sent, if there is a sender, and given ``trace_id``, ``span_id`` and ``service_name``.

    ``level`` is the least one that is sent. Returns what takes it back.
    """
    made: list[Replacement] = []

    def make(replaced: Replacement) -> Callable[[logging.Logger, logging.LogRecord], None]:
        made.append(replaced)
        return _call_handlers(replaced, sender, level, service_name)

    remove = replace(logging.Logger, "callHandlers", make)

    def take_back() -> None:
        if _ids_are_printed():
            made[0].active = False  # a format that names them would fail: from now on they are empty
        else:
            remove()

    return take_back


def _call_handlers(
    replaced: Replacement, sender: Sender | None, level: int, service_name: str
) -> Callable[[logging.Logger, logging.LogRecord], None]:
    def call_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
        """Pass a record to all handlers of this logger and of those above it."""
        if not replaced.active:
            _add_ids(record, "", "", service_name)
            replaced.original(logger, record)
            return
        try:
            if sender is not None and record.levelno >= level and not _was_sent(record) and sender.wants(record.name):
                _send(sender, record)
            _add_ids(record, *current_ids(), service_name)
        except Exception as error:  # noqa: BLE001 - logging goes on whatever happens here
            swallow("send a record of stdlib logging", error)
        outer, in_thread.inside = in_thread.inside, "stdlib"
        try:
            replaced.original(logger, record)
        finally:
            in_thread.inside = outer

    return call_handlers


def _ids_are_printed() -> bool:
    handlers = [each() for each in logging._handlerList]  # type: ignore[attr-defined]  # noqa: SLF001 - weak references
    formats = [getattr(getattr(handler, "formatter", None), "_fmt", None) for handler in handlers]
    return any(name in format_ for format_ in formats if isinstance(format_, str) for name in _IDS)


def _was_sent(record: logging.LogRecord) -> bool:
    passed_on = in_thread.passed_on
    if passed_on:
        in_thread.passed_on = ""
    return in_thread.inside == "loguru" or passed_on == record.name


def _add_ids(record: logging.LogRecord, trace_id: str, span_id: str, service_name: str) -> None:
    """Add them here, not in a record factory: with one, an application's ``extra={"trace_id": ...}`` would raise."""
    values = record.__dict__
    values.setdefault("trace_id", trace_id)
    values.setdefault("span_id", span_id)
    values.setdefault("service_name", service_name)


def _send(sender: Sender, record: logging.LogRecord) -> None:
    attributes: dict[str, AnyValue] = {}
    event_name = None
    if not _OWN.issuperset(record.__dict__):
        put_values(attributes, record.__dict__, _OWN)
        if not _EVENT_NAMES.isdisjoint(attributes):
            event_name = _event_name(attributes)
    body = _message(record, attributes)
    attributes[code.CODE_FILE_PATH] = text_of(record.pathname)
    attributes[code.CODE_FUNCTION_NAME] = record.funcName or ""
    attributes[code.CODE_LINE_NUMBER] = record.lineno
    if record.thread is not None:
        attributes["thread.id"] = record.thread
    if record.threadName is not None:
        attributes["thread.name"] = record.threadName
    if record.stack_info:
        attributes[code.CODE_STACKTRACE] = text_of(record.stack_info)
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    if error is None and record.exc_text:
        attributes[EXCEPTION_STACKTRACE] = text_of(record.exc_text)
    sender.send(
        record.name,
        body=body,
        level=record.levelno,
        level_name=record.levelname,
        time_ns=int(record.created * NS_PER_S),
        attributes=attributes,
        error=error,
        event_name=event_name,
    )


def _event_name(attributes: dict[str, AnyValue]) -> str | None:
    names = attributes.pop(_OLD_EVENT_NAME, None), attributes.pop(_EVENT_NAME, None)
    return text_of(names[1] or names[0]) or None


def _message(record: logging.LogRecord, attributes: dict[str, AnyValue]) -> str:
    """Return the finished text, and add what it was made of."""
    if not record.args:
        return record.msg if type(record.msg) is str else printed(record.msg)
    attributes[MESSAGE_TEMPLATE] = text_of(record.msg)  # without the values: they stand in the text, and have no names
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001 - stdlib's handlers report it to the developer
        attributes[MESSAGE_ERROR] = text_of(f"{type(error).__name__}: {error}")
        return text_of(record.msg)
