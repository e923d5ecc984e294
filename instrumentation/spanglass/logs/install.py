"""Puts the sending of the application's logs to work, and takes it back."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from spanglass.guard import guarded
from spanglass.logs.loguru import install_loguru
from spanglass.logs.sending import Sender
from spanglass.logs.stdlib import install_stdlib
from spanglass.logs.structlog import install_structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry._logs import LoggerProvider

    from spanglass.exceptions.capture import Capture
    from spanglass.settings.settings import Settings

__all__ = ["install_logging", "sends_logs"]

#: What sends logs in this process: the sender of each configuration that is in force and does.
_senders: list[Sender] = []

#: OpenTelemetry's own handlers, which would send everything a second time.
_OTHER_HANDLERS = frozenset({"opentelemetry.instrumentation.logging.handler", "opentelemetry.sdk._logs._internal"})


def install_logging(
    settings: Settings, *, logger_provider: LoggerProvider, capture: Capture | None
) -> Callable[[], None]:
    """Have the logs of stdlib, loguru and structlog sent, and trace ids added to the application's own output.

    With the setting ``logs`` off only trace ids are added; without ``capture`` exceptions are described as
    OpenTelemetry does. Returns what takes all back.
    """
    resource = getattr(logger_provider, "resource", None)
    service_name = str(resource.attributes.get("service.name", "")) if resource is not None else settings.service_name
    sender = Sender(logger_provider, capture) if settings.logs else None
    level = logging.getLevelNamesMapping()[settings.logger_level.upper()]
    undo = ExitStack()
    undo.callback(_remove_other_handlers())
    undo.callback(install_stdlib(sender, level, service_name))
    undo.callback(install_loguru(sender, level))
    undo.callback(install_structlog(sender, level))
    if sender is not None:
        _senders.append(sender)
        undo.callback(_senders.remove, sender)

    def uninstall() -> None:
        with guarded("take back the sending of logs"):
            undo.close()

    return uninstall


def sends_logs() -> bool:
    """Return whether a configuration sends the application's logs already."""
    return bool(_senders)


def _remove_other_handlers() -> Callable[[], None]:
    """Take OpenTelemetry's handlers off the root logger: ``opentelemetry-instrument`` may have put one there."""
    root = logging.getLogger()
    others: list[Any] = [each for each in root.handlers if type(each).__module__ in _OTHER_HANDLERS]
    for each in others:
        root.removeHandler(each)

    def put_back() -> None:
        for each in others:
            root.addHandler(each)

    return put_back
