"""What is measured of a framework's requests, under old names, new ones, or both."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.semconv.attributes import http_attributes as http
from opentelemetry.semconv.attributes.url_attributes import URL_SCHEME

from spanglass.instrumentors.web.conventions import old_duration, renamed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.metrics import Histogram, Meter

    from spanglass.instrumentors.web.conventions import Attributes, Names
    from spanglass.instrumentors.web.request import ServerRequest

#: Bounds of durations in seconds, as the conventions have them.
_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
#: Pairs of method and scheme that active requests are counted by; methods and schemes are few.
_MAX_KINDS = 100


class Instruments:
    """The instruments of one framework, and the requests that are open.

    Open requests are a set that is looked at when metrics are collected: adding to it is one step for the interpreter,
    where an up-down counter takes 10 us to begin and as long to end.
    """

    def __init__(self, meter: Meter, names: Names) -> None:
        self._names = names
        self._seconds: Histogram | None = None
        self._milliseconds: Histogram | None = None
        self._sizes: list[tuple[Histogram, Histogram]] = []
        self.open: set[ServerRequest] = set()
        self._kinds: set[tuple[str, str]] = set()
        if names.new:
            self._seconds = meter.create_histogram(
                "http.server.request.duration",
                "s",
                "Duration of HTTP server requests.",
                explicit_bucket_boundaries_advisory=_BOUNDS_S,
            )
            self._sizes.append(_sizes(meter, "http.server.request.body.size", "http.server.response.body.size"))
        if names.old:
            self._milliseconds = meter.create_histogram(
                "http.server.duration", "ms", "Duration of HTTP server requests."
            )
            self._sizes.append(_sizes(meter, "http.server.request.size", "http.server.response.size"))
        meter.create_observable_up_down_counter(
            "http.server.active_requests", [self._active], "{request}", "Number of active HTTP server requests."
        )

    def forget_open(self) -> None:
        """Begin with no open request, in a forked child."""
        self.open = set()

    def _active(self, _options: CallbackOptions) -> Iterable[Observation]:
        counted = Counter(each.kind for each in self.open.copy())
        if len(self._kinds) < _MAX_KINDS:
            self._kinds.update(counted)
        return [Observation(counted[kind], self._kind(kind)) for kind in self._kinds]

    def _kind(self, kind: tuple[str, str]) -> Attributes:
        attributes: Attributes = {http.HTTP_REQUEST_METHOD: kind[0], URL_SCHEME: kind[1]}
        return self.named(attributes)

    def named(self, attributes: Attributes) -> Attributes:
        """Return attributes under the names that are asked for."""
        if not self._names.old:
            return attributes
        return {**renamed(attributes), **attributes} if self._names.new else renamed(attributes)

    def ended(self, request: ServerRequest, duration_s: float, ends: Attributes) -> None:
        """Measure a request that has ended; ``ends`` is what its end adds to its attributes."""
        attributes: Attributes = {**request.measured, **ends}
        old = old_duration(request.attributes, ends) if self._milliseconds is not None else {}
        if self._seconds is not None:
            self._seconds.record(duration_s, attributes, request.context)
        if self._milliseconds is not None:
            self._milliseconds.record(round(duration_s * 1000), old, request.context)
        for pair, given in zip(self._sizes, self._named(attributes, old), strict=True):
            for histogram, size in zip(pair, request.sizes, strict=True):
                if size is not None:
                    histogram.record(size, given, request.context)

    def _named(self, attributes: Attributes, old: Attributes) -> Iterator[Attributes]:
        if self._names.new:
            yield attributes
        if self._names.old:
            yield old


def _sizes(meter: Meter, received: str, sent: str) -> tuple[Histogram, Histogram]:
    return (
        meter.create_histogram(received, "By", "Size of HTTP server request bodies."),
        meter.create_histogram(sent, "By", "Size of HTTP server response bodies."),
    )
