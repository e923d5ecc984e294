"""Telling of alerts: handlers by type, channels by name, the server; each in time, none in the way of another."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from typing import TYPE_CHECKING, Any

from spanglass.errors import NotificationError
from spanglass.monitoring.alerts import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass.monitoring.alerts import Alert

    Tell = Callable[[Alert], Any]

__all__ = ["ANY_TYPE", "call", "deliver", "function_of", "log_alert"]

#: The type under which a handler for all types that have none is registered.
ANY_TYPE = "*"

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR, "critical": logging.CRITICAL}
_logger = logging.getLogger("spanglass.monitoring")


def log_alert(alert: Alert) -> None:
    """The handler until others are registered: one line of the log ``spanglass.monitoring``."""
    level = _LEVELS[alert.severity.value] if alert.is_open else logging.INFO
    _logger.log(level, "alert %s: %s (%s)", alert.status.value, alert.title, alert.severity.value)


async def deliver(alert: Alert, receivers: Mapping[tuple[str, str], Tell], timeout_s: float) -> tuple[Delivery, ...]:
    """Tell all receivers at once; one that fails or takes longer than ``timeout_s`` is a delivery with an error."""
    told = [_tell(alert, to, name, receiver, timeout_s) for (to, name), receiver in receivers.items()]
    return tuple(await asyncio.gather(*told))


async def _tell(alert: Alert, to: str, name: str, receiver: Tell, timeout_s: float) -> Delivery:
    began = time.monotonic()
    error = None
    try:
        await asyncio.wait_for(call(receiver, alert), timeout_s)
    except TimeoutError:
        error = NotificationError(f"{to} {name!r} took longer than {timeout_s:g} s")
    except Exception as cause:  # noqa: BLE001 - whatever the application's function raises
        error = NotificationError(f"{to} {name!r} failed: {type(cause).__name__}: {cause}")
        error.__cause__ = cause
    return Delivery(to, name, time.monotonic() - began, error)


def function_of(given: Any, *methods: str) -> Callable[..., Any] | None:
    """What to call of a function, of an object with one of these methods, or of a class of either; None of others."""
    made = given() if isinstance(given, type) else given
    for name in methods:
        found = getattr(made, name, None)
        if callable(found):
            return found  # type: ignore[no-any-return] # asked for just that
    return made if callable(made) else None


async def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Await a coroutine function, or call any other one in a thread, so that it can't block the loop."""
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004
        return await function(*arguments)
    found = await asyncio.to_thread(function, *arguments)
    return await found if inspect.isawaitable(found) else found
