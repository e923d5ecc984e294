"""Structured log records: ``info("{user} paid {amount}", user=name, amount=3.5)``.

The record's body is the finished text, the template and each value are attributes, so that one message is one group
whatever was put into it. An f-string is finished text before it comes here: it has no template and no values.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from opentelemetry._logs import SeverityNumber

from spanglass.api import scope
from spanglass.guard import swallow
from spanglass.values import MAX_NAME, attributes_of, text_of
from spanglass_core.attribute_names import MESSAGE_ERROR, MESSAGE_TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType, FrameType, TracebackType
    from typing import TypeAlias

    from opentelemetry.util.types import AnyValue

    ExceptionInfo: TypeAlias = (
        bool | BaseException | tuple[type[BaseException] | None, BaseException | None, TracebackType | None] | None
    )

__all__ = ["debug", "error", "event", "fatal", "info", "warning"]

_TEXTS = {
    SeverityNumber.DEBUG: "DEBUG",
    SeverityNumber.INFO: "INFO",
    SeverityNumber.WARN: "WARN",
    SeverityNumber.ERROR: "ERROR",
    SeverityNumber.FATAL: "FATAL",
}


def debug(
    message: str,
    /,
    *,
    exc_info: ExceptionInfo = None,
    attributes: Mapping[str, object] | None = None,
    **values: object,
) -> None:
    """Send a log record of severity DEBUG; see ``info``."""
    _send(SeverityNumber.DEBUG, message, attributes, values, exc_info=exc_info or False)


def info(
    message: str,
    /,
    *,
    exc_info: ExceptionInfo = None,
    attributes: Mapping[str, object] | None = None,
    **values: object,
) -> None:
    """Send a log record: ``message`` with ``values`` put in, as ``str.format`` does.

    Values become attributes under their keywords; ``attributes`` takes names with dots, which no text needs. Without
    values the message is taken as it is, braces and all. A placeholder without a value leaves the text as it is, and
    ``spanglass.message.error`` says why. ``exc_info`` is an exception, or True for the one being handled.
    """
    _send(SeverityNumber.INFO, message, attributes, values, exc_info=exc_info or False)


def warning(
    message: str,
    /,
    *,
    exc_info: ExceptionInfo = None,
    attributes: Mapping[str, object] | None = None,
    **values: object,
) -> None:
    """Send a log record of severity WARN; see ``info``."""
    _send(SeverityNumber.WARN, message, attributes, values, exc_info=exc_info or False)


def error(
    message: str,
    /,
    *,
    exc_info: ExceptionInfo = None,
    attributes: Mapping[str, object] | None = None,
    **values: object,
) -> None:
    """Send a log record of severity ERROR; in an ``except`` block with its exception, unless ``exc_info`` is False."""
    _send(SeverityNumber.ERROR, message, attributes, values, exc_info=True if exc_info is None else exc_info)


def fatal(
    message: str,
    /,
    *,
    exc_info: ExceptionInfo = None,
    attributes: Mapping[str, object] | None = None,
    **values: object,
) -> None:
    """Send a log record of severity FATAL, with the exception being handled as ``error`` does."""
    _send(SeverityNumber.FATAL, message, attributes, values, exc_info=True if exc_info is None else exc_info)


def event(
    name: str,
    /,
    *,
    user_id: str | None = None,
    session_id: str | None = None,
    attributes: Mapping[str, object] | None = None,
    **values: object,
) -> None:
    """Send what a user did, ``event("signup", user_id="u1", plan="pro")``: a log record with this event name.

    ``user_id`` and ``session_id`` become ``user.id`` and ``session.id``; without them, baggage brings the current ones.
    Choose few names, and put what differs into the attributes.
    """
    who = {"user.id": user_id, "session.id": session_id, **(attributes or {})}
    _send(SeverityNumber.INFO, name, who, values, event_name=name)


def _send(
    severity: SeverityNumber,
    message: str,
    attributes: Mapping[str, object] | None,
    values: Mapping[str, object],
    *,
    exc_info: ExceptionInfo = None,
    event_name: str | None = None,
) -> None:
    """Send one record, for the function that called our caller."""
    try:
        logger = scope.logger()
        if not logger.enabled(severity_number=severity, event_name=event_name):
            return
        found = _code_attributes(sys._getframe(2))  # noqa: SLF001 - what stdlib logging uses too
        found.update(attributes_of(attributes, values) or {})
        logger.emit(
            timestamp=time.time_ns(),
            severity_number=severity,
            severity_text=_TEXTS[severity],
            body=text_of(message) if event_name or not values else _formatted(message, values, found),
            attributes=found,
            event_name=None if event_name is None else text_of(event_name, MAX_NAME),
            exception=_exception(exc_info),
        )
    except Exception as ours:  # noqa: BLE001 - log processors run in here
        swallow("send a log record", ours)


def _formatted(template: str, values: Mapping[str, object], attributes: dict[str, AnyValue]) -> str:
    """Put the values in, and say in the attributes what the text came from."""
    attributes[MESSAGE_TEMPLATE] = text_of(template)
    try:
        return text_of(template.format_map(values))
    except Exception as problem:  # noqa: BLE001 - also a value's own __format__
        attributes[MESSAGE_ERROR] = text_of(f"{type(problem).__name__}: {problem}")
        return text_of(template)


def _code_attributes(frame: FrameType) -> dict[str, AnyValue]:
    code: CodeType = frame.f_code
    return {
        "code.function.name": f"{frame.f_globals.get('__name__', '')}.{code.co_qualname}",
        "code.file.path": text_of(code.co_filename),
        "code.line.number": frame.f_lineno,
    }


def _exception(exc_info: Any) -> BaseException | None:
    """Return the exception that ``exc_info`` means, in all the forms that stdlib logging takes."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exception() if exc_info else None
