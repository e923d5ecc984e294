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
from spanglass.exceptions.in_app import is_telemetry
from spanglass.guard import own_work, swallow
from spanglass.logs.sending import LOGURU, STDLIB, current_ids, handing_in, in_thread, inside_of, put_values
from spanglass.patching.patches import Call, see_before
from spanglass.values import printed, text_of
from spanglass_core.attribute_names import MESSAGE_ERROR, MESSAGE_TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.util.types import AnyValue

    from spanglass.logs.sending import Sender

_IDS = ("trace_id", "span_id", "service_name")
#: What every record has, or may have; `color_message` is uvicorn's text again, with colours.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message", "getMessage"}
_EVENT_NAME, _OLD_EVENT_NAME = "otel.event.name", "event.name"
_EVENT_NAMES = frozenset({_EVENT_NAME, _OLD_EVENT_NAME})
_OF_TRAITLETS = frozenset({"traitlets.config.application", "tornado.log"})  # of Jupyter's servers


def install_stdlib(sender: Sender | None, level: int, service_name: str) -> Callable[[], None]:
    """Have every record sent, if there is a sender, and given ``trace_id``, ``span_id`` and ``service_name``.

    ``level`` is the least one that is sent. Returns what takes it back.
    """
    watch = _Watch(sender, level, service_name)
    remove = see_before(logging.Logger, "callHandlers", Call(logging.Logger.handle.__code__, "record"), watch.see)

    def take_back() -> None:
        if _ids_are_printed():
            watch.stopped = True  # a format that names them would fail: from now on they are empty
        else:
            remove()

    return take_back


class _Watch:
    """Sees each record before the handlers do."""

    def __init__(self, sender: Sender | None, level: int, service_name: str) -> None:
        self._sender, self._level, self._service_name = sender, level, service_name
        self.stopped = False
        handing_in(STDLIB, logging.Logger.callHandlers)

    def see(self, logger: logging.Logger, record: logging.LogRecord) -> bool:
        """Send a record, unless it is known already; False if the handlers must not get it: it is about our work."""
        if self.stopped:
            _add_ids(record, "", "", self._service_name)
            return True
        try:
            if own_work.going_on and not is_telemetry(record.name):
                return False
            sender, handing = self._sender, in_thread.handing
            if sender is not None and record.levelno >= self._level:
                known = _was_written_by_structlog(record) or (handing & LOGURU and inside_of(LOGURU))
                if not known and sender.wants(record.name) and not (logger.handlers and _is_hidden(logger, record)):
                    _send(sender, record)
            if not handing & STDLIB:
                in_thread.handing = handing | STDLIB
            _add_ids(record, *current_ids(), self._service_name)
        except Exception as error:  # noqa: BLE001 - logging goes on whatever happens here
            swallow("send a record of stdlib logging", error)
        return True


def _ids_are_printed() -> bool:
    handlers = [each() for each in logging._handlerList]  # type: ignore[attr-defined]  # noqa: SLF001 - weak references
    formats = [getattr(getattr(handler, "formatter", None), "_fmt", None) for handler in handlers]
    return any(name in format_ for format_ in formats if isinstance(format_, str) for name in _IDS)


def _is_hidden(logger: logging.Logger, record: logging.LogRecord) -> bool:
    """Tell whether a logger of Jupyter has a record that is not meant to be seen.

    Applications of traitlets have loggers that take everything, and leave the choice to the level of their handler. A
    notebook's kernel hands them all code and all output at DEBUG.
    """
    if record.levelno >= logging.WARNING:
        return False
    formatters = {type(handler.formatter).__module__ for handler in logger.handlers}
    return formatters <= _OF_TRAITLETS and all(record.levelno < handler.level for handler in logger.handlers)


def _was_written_by_structlog(record: logging.LogRecord) -> bool:
    passed_on = in_thread.passed_on
    if passed_on:
        in_thread.passed_on = ""
    return passed_on == record.name


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
    if type(record).getMessage is logging.LogRecord.getMessage and "getMessage" not in record.__dict__:
        if not record.args:
            return record.msg if type(record.msg) is str else printed(record.msg)
        # without the values: they stand in the text, and have no names
        attributes[MESSAGE_TEMPLATE] = text_of(record.msg)
    try:
        return record.getMessage()  # the application's own may redact the text: then its template is not sent either
    except Exception as error:  # noqa: BLE001 - stdlib's handlers report it to the developer
        attributes[MESSAGE_ERROR] = text_of(f"{type(error).__name__}: {error}")
        return text_of(record.msg)
