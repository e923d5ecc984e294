"""pika and Elasticsearch: one span a call, of the right kind, and an answer that says "not there" is no error."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanKind, Status, StatusCode

from spanglass.patching.patches import Replacement, replace
from spanglass.values import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

_NOT_FOUND = 404
_HELPERS = "helpers."  # names of what makes several calls, each with a span of its own


def pika(instrumentor: Any, options: dict[str, Any], *, late: bool) -> Callable[[], None]:  # noqa: ARG001 - one signature for all
    """Turn the instrumentation of pika on; gives what takes that back.

    Upstream instruments a blocking channel and the channel below it, so that a message has two spans on either side.
    """
    instrumentor.instrument(skip_dep_check=True, **options)
    undo = ExitStack()
    undo.callback(instrumentor.uninstrument)
    undo.callback(replace(type(instrumentor), "instrument_channel", _instrument_channel))
    return undo.close


def _instrument_channel(replacement: Replacement) -> Any:
    def instrument_channel(channel: Any, *args: Any, **kwargs: Any) -> None:
        replacement.original(channel, *args, **kwargs)
        below = getattr(channel, "_impl", None)
        if replacement.active and below is not None:
            for name in ("basic_publish", "basic_consume"):
                vars(below).pop(name, None)  # upstream's, which hid the method of the class

    return staticmethod(instrument_channel)


def elasticsearch(module: ModuleType) -> Callable[[], None]:
    """Correct the spans that Elasticsearch's client makes; gives what takes that back."""
    tracer = vars(module).get("_tracer")  # of no one else, and held by clients that were made before
    if tracer is None:
        return lambda: None
    return replace(tracer, "start_as_current_span", _calls)


def _calls(replacement: Replacement) -> Callable[..., Any]:
    original = replacement.original

    @contextmanager
    def start_as_current_span(name: str, *args: Any, **kwargs: Any) -> Iterator[Any]:
        if not replacement.active or name.startswith(_HELPERS):
            with original(name, *args, **kwargs) as span:
                yield span
            return
        ours = {"kind": SpanKind.CLIENT, "record_exception": False, "set_status_on_exception": False}
        with original(name, *args, **{**kwargs, **ours}) as span:
            try:
                yield span
            except Exception as error:
                if getattr(error, "status_code", None) != _NOT_FOUND:
                    span.record_exception(error)
                    span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {text_of(error)}"))
                raise

    return start_as_current_span
