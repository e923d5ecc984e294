"""Begins the requests of one framework: the tracer, the instruments and what OpenTelemetry's variables ask for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context, get_current
from opentelemetry.instrumentation.propagators import get_global_response_propagator
from opentelemetry.instrumentation.utils import is_http_instrumentation_enabled
from opentelemetry.propagate import extract
from opentelemetry.semconv.attributes import http_attributes as http
from opentelemetry.semconv.schemas import Schemas
from opentelemetry.trace import INVALID_SPAN, SpanKind, get_current_span
from opentelemetry.util.http import (
    OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS,
    OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST,
    OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE,
    SanitizeValue,
    get_custom_headers,
    get_excluded_urls,
    normalise_request_header_name,
    normalise_response_header_name,
)

from spanglass.instrumentors.web.conventions import old_request, stated_names
from spanglass.instrumentors.web.instruments import Instruments
from spanglass.instrumentors.web.request import KEY, ServerRequest, surrounding
from spanglass.process import forking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.propagators.textmap import Getter
    from opentelemetry.trace import Tracer, TracerProvider

    from spanglass.instrumentors.web.conventions import Attributes

    Headers = list[tuple[str, str]]

_METHOD = "REQUEST_METHOD"  # is in every environ of WSGI
_OLD_SCHEMA = "https://opentelemetry.io/schemas/1.11.0"


class Framework:
    """What the requests of one framework are begun with. Made when its instrumentation is turned on."""

    def __init__(
        self,
        name: str,
        version: str,
        *,
        tracer_provider: TracerProvider,
        meter_provider: MeterProvider,
        message_spans: bool = False,
    ) -> None:
        """``name`` is the instrumentation's; ``message_spans`` has ASGI's messages be spans too."""
        self._names = stated_names()
        schema = Schemas.V1_21_0.value if self._names.new else _OLD_SCHEMA
        scope = (f"opentelemetry.instrumentation.{name}", version, schema)
        self.tracer: Tracer = tracer_provider.get_tracer(scope[0], scope[1], schema_url=schema)
        self._instruments = Instruments(meter_provider.get_meter(scope[0], scope[1], schema), self._names)
        self._forget = forking.in_child(self._instruments.forget_open)
        self.message_spans = message_spans
        excluded = get_excluded_urls(name.upper())
        self._is_excluded: Callable[[str], bool] | None = excluded.url_disabled if excluded._excluded_urls else None  # noqa: SLF001 - whether there are any
        self._request_headers = get_custom_headers(OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST)
        self._response_headers = get_custom_headers(OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE)
        self._sanitize = SanitizeValue(get_custom_headers(OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS))

    def close(self) -> None:
        """Forget what was registered."""
        self._forget()

    def excludes(self, url: Callable[[], str]) -> bool:
        """Whether a request is to have no span: by its URL, or because telemetry is suppressed around it."""
        if get_current() and not is_http_instrumentation_enabled():
            return True
        return self._is_excluded is not None and self._is_excluded(url())

    def begin(
        self, carrier: MutableMapping[str, Any], getter: Getter[Any], attributes: Attributes, host: str
    ) -> ServerRequest:
        """Begin a request with its attributes, which have the new names; ``host`` is as its header has it.

        Below a span of this process, such as that of a test, it goes on in that one's trace.
        """
        current: Context = get_current()
        alone = get_current_span(current) is INVALID_SPAN
        parent = extract(carrier, current, getter) if alone else current
        method = str(attributes.get(http.HTTP_REQUEST_METHOD, ""))
        shown = "HTTP" if method == "_OTHER" else method
        given = attributes
        if self._names.old:
            old = old_request(attributes, host)
            given = {**old, **attributes} if self._names.new else old
        kind = SpanKind.SERVER if alone else SpanKind.INTERNAL
        began_s = time.perf_counter()
        span = self.tracer.start_span(shown or "websocket", parent, kind, given)
        made = ServerRequest((self.tracer, self._instruments, began_s), span, parent, attributes, shown)
        made.is_wsgi = _METHOD in carrier
        return made

    def captures_request_headers(self) -> bool:
        """Whether any are asked for."""
        return bool(self._request_headers)

    def received(self, request: ServerRequest, headers: Mapping[str, list[str]]) -> None:
        """Put the headers on the span that OpenTelemetry's variable names."""
        found = self._sanitize.sanitize_header_values(headers, self._request_headers, normalise_request_header_name)
        request.span.set_attributes(found)

    def answered(self, request: ServerRequest, status: int, headers: Callable[[], Headers]) -> Headers:
        """Tell the answer's status; gives headers to add to it, nearly always none."""
        request.status = status
        if self._response_headers and request.span.is_recording():
            by_name: dict[str, list[str]] = {}
            for name, value in headers():
                by_name.setdefault(name.lower(), []).append(value)
            found = self._sanitize.sanitize_header_values(
                by_name,
                self._response_headers,
                normalise_response_header_name,
            )
            request.span.set_attributes(found)
        propagator = get_global_response_propagator()  # type: ignore[no-untyped-call]
        if propagator is None:
            return []
        more: dict[str, str] = {}
        propagator.inject(more, context=request.context)
        return list(more.items())


def nested(carrier: MutableMapping[str, Any]) -> ServerRequest | None:
    """Return the request that an application is mounted in: the same carrier's, or the one that is being served."""
    found = carrier.get(KEY)
    if found is None:
        found = surrounding(get_current(), is_wsgi=_METHOD in carrier)
        if found is not None:
            carrier[KEY] = found
    return found if isinstance(found, ServerRequest) else None


def split_host(host: str) -> tuple[str, int | None]:
    """Divide the Host header into name and port."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        return host.strip("[]"), None
    return (name.strip("[]"), int(port)) if port.isdecimal() else (host, None)
