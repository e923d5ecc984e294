"""One request while it is served: its span, what is known of its answer, and how it ends.

A request is begun by the outermost of our hooks and ended once, by whichever comes first: the end of the body, its
close, or an exception. Frameworks inside of it, mounted applications, only add to it: the route, an exception.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from opentelemetry.context import Context, get_value, set_value
from opentelemetry.semconv.attributes import http_attributes as http
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.url_attributes import URL_SCHEME
from opentelemetry.trace import Status, StatusCode, get_current_span, set_span_in_context

from spanglass.exceptions.expected import is_expected
from spanglass.guard import guarded
from spanglass.values import class_name, text_of

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

    from spanglass.instrumentors.web.conventions import Attributes
    from spanglass.instrumentors.web.instruments import Instruments

#: Where a request is found again: in the ASGI scope, in the WSGI environ, in OpenTelemetry's context.
KEY = "spanglass.request"

_SERVER_ERROR = 500
_EMPTY = Context()
_MEASURED = (http.HTTP_REQUEST_METHOD, URL_SCHEME, "network.protocol.version")


class ServerRequest:
    """A request that is served. Used by one thread or task at a time."""

    __slots__ = (
        "__weakref__",
        "_began_s",
        "_error",
        "_failure",
        "_finished",
        "_instruments",
        "_method",
        "attributes",
        "context",
        "ended",
        "is_wsgi",
        "kind",
        "left",
        "measured",
        "prefix",
        "raised",
        "route",
        "sizes",
        "span",
        "status",
        "tracer",
    )

    def __init__(
        self, tools: tuple[Tracer, Instruments, float], span: Span, parent: Context, attributes: Attributes, method: str
    ) -> None:
        """``attributes`` has the new names, whichever are sent; ``method`` begins the span's name, if not empty.

        The number in ``tools`` is the beginning by ``perf_counter``, in seconds.
        """
        self.span = span
        self.context = set_span_in_context(span, set_value(KEY, self, parent))
        self.attributes = attributes
        self.measured: Attributes = {key: attributes[key] for key in _MEASURED if key in attributes}
        self.kind = (str(attributes.get(http.HTTP_REQUEST_METHOD, "")), str(attributes.get(URL_SCHEME, "")))
        self.is_wsgi = False
        self.prefix: str | None = None  # of the route: what is mounted, and below which path
        self.route: str | None = None
        self.status: int | None = None
        self.sizes: tuple[int | None, int | None] = (None, None)  # bytes of the request's body and of the answer's
        self.raised: BaseException | None = None  # an exception that a middleware may still handle
        self.left: BaseException | None = None  # what the server raised when the client had left
        self.ended = False
        self._method = method
        self._error: BaseException | None = None
        self._failure = ""
        self._finished: tuple[int, float] | None = None
        self.tracer, self._instruments, self._began_s = tools
        if method:  # a websocket lasts as long as it likes
            self._instruments.open.add(self)

    @property
    def name(self) -> str:
        """The span's name: method and route, as far as they are known."""
        return f"{self._method} {self.route or ''}".strip() or "websocket"

    def routed(self, route: str) -> None:
        """Tell which route serves the request; of mounted applications the innermost has the last word."""
        if route == self.route:
            return
        self.route = route
        if self.span.is_recording():
            self.span.update_name(self.name)  # the attribute is set with those of the end, at once

    def failed(self, error: BaseException) -> None:
        """Tell that nothing in the application handled an exception; control flow is no failure."""
        if self.ended or self._error is error or self._has_left(error) or is_expected(error):
            return
        self._error = error
        self._failure = class_name(type(error))
        with guarded("record the exception of a request"):
            if self.span.is_recording():
                self.span.record_exception(error)
                self.span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {text_of(error)}"))

    def _has_left(self, error: BaseException) -> bool:
        """Whether an exception, or all of a group, says that the client has left."""
        if isinstance(error, BaseExceptionGroup):
            return all(map(self._has_left, error.exceptions))
        return error is self.left

    def finished(self) -> None:
        """Tell that the last byte was sent. What comes now is not the client's concern, and not in the duration.

        An exception may follow: one that a framework has made an answer of, or that left the body below a middleware.
        Then the request ends when the application returns.
        """
        self._finished = time.time_ns(), time.perf_counter()
        if (self.status or 0) < _SERVER_ERROR and self.raised is None:
            self.end()

    def end(self) -> None:
        """End the request, if it has not ended; never raises."""
        if self.ended:
            return
        if self.raised is not None and (self.status or 0) >= _SERVER_ERROR:
            self.failed(self.raised)  # whatever made the answer: this is why
        self.ended = True
        with guarded("end a request"):
            self._end()
        # what keeps the context, such as a thread that goes on, keeps this; and a cycle would wait for the collector
        self._error = self.raised = self.left = None
        self.context = _EMPTY

    def _end(self) -> None:
        end_ns, ended_s = self._finished or (None, time.perf_counter())
        ends = self._ends()
        if self._method:
            self._instruments.open.discard(self)
            self._instruments.ended(self, max(ended_s - self._began_s, 0), ends)
        span = self.span
        if span.is_recording():
            span.set_attributes(self._instruments.named(ends))
            if self._error is None and ERROR_TYPE in ends:
                span.set_status(Status(StatusCode.ERROR))
        span.end(end_ns)

    def _ends(self) -> Attributes:
        ends: Attributes = {}
        if self.route is not None:
            ends[http.HTTP_ROUTE] = self.route
        if self.status is not None:
            ends[http.HTTP_RESPONSE_STATUS_CODE] = self.status
        if self.status is not None and self.status >= _SERVER_ERROR:
            ends[ERROR_TYPE] = str(self.status)
        elif self._failure:
            ends[ERROR_TYPE] = self._failure
        return ends


def surrounding(current: Context, *, is_wsgi: bool) -> ServerRequest | None:
    """Return the request that an application of the other interface is mounted in, of ASGI for one of WSGI.

    A call within the process is another matter: it goes through a client's span, or from one interface to the same.
    """
    found = get_value(KEY, current) if current else None
    if not isinstance(found, ServerRequest) or found.ended or found.is_wsgi is is_wsgi:
        return None
    return found if get_current_span(current) is found.span else None
