"""W3C headers of callers, read as the recommendations have it where OpenTelemetry's reading falls short.

Baggage is one list, in however many headers it comes (RFC 9110, section 5.3), and what follows a value after ``;`` are
properties of it, which OpenTelemetry (1.45) takes for its end. What is wrong in a header is logged, and a header may
have 8 kB in each request: in those lines it is cut.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.textmap import default_getter

from spanglass.guard import swallow
from spanglass.patching.patches import Replacement, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

__all__ = ["install_headers"]

_BAGGAGE = "baggage"
#: What logs about headers.
_LOGGERS = ("opentelemetry.baggage", "opentelemetry.baggage.propagation", "opentelemetry.trace.span",
            "opentelemetry.trace.propagation.tracecontext")  # fmt: skip
_MAX_SHOWN = 100  # characters of a header in a line of the log


def install_headers() -> Callable[[], None]:
    """Replace the reading of baggage, and shorten what is logged of headers; returns what takes both back."""
    undo = ExitStack()
    undo.callback(replace(W3CBaggagePropagator, "extract", _extract))
    shorten = _Shorten()
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.addFilter(shorten)
        undo.callback(logger.removeFilter, shorten)
    return undo.close


def _extract(replaced: Replacement) -> Callable[..., Context]:
    def extract(
        self: W3CBaggagePropagator, carrier: Any, context: Context | None = None, getter: Any = default_getter
    ) -> Context:
        """Read the baggage of a request."""
        if replaced.active:
            try:
                carrier, getter = _one_header(getter.get(carrier, _BAGGAGE)), default_getter
            except Exception as error:  # noqa: BLE001 - a getter of somebody's own making
                swallow("read baggage", error)
        found: Context = replaced.original(self, carrier, context, getter)
        return found

    return extract


def _one_header(headers: list[str] | None) -> dict[str, str]:
    """Return all members as one header, without their properties."""
    if not headers:
        return {}
    text = ",".join(headers)
    if ";" in text:
        text = ",".join(member.partition(";")[0] for member in text.split(","))
    return {_BAGGAGE: text}


class _Shorten(logging.Filter):
    """Cuts the values of a line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Cut them, and keep the line."""
        if isinstance(record.args, tuple):
            record.args = tuple(_cut(value) for value in record.args)
        return True


def _cut(value: object) -> object:
    return (
        f"{value[:_MAX_SHOWN]}… ({len(value)} characters)" if type(value) is str and len(value) > _MAX_SHOWN else value
    )
