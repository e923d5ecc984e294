"""Where the manual API sends to: tracer, meter and logger of scope ``spanglass``, from OpenTelemetry's globals.

They are looked up at each use, for providers come and go: ``configure`` may run after a module that traces was
imported, and ``shutdown`` followed by ``configure`` sets new ones. The look-up is one comparison while nothing has
changed. Where nothing is set the no-op ones serve: the API's proxies would stay with the first provider for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from opentelemetry import _logs, metrics, trace
from opentelemetry._logs import Logger
from opentelemetry.metrics import Meter
from opentelemetry.trace import Tracer

from spanglass.sdk.private.published import is_proxy
from spanglass.sdk.published import SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["logger", "meter", "tracer"]

Given = TypeVar("Given", Tracer, Meter, Logger)


class _OfPresentProvider(Generic[Given]):
    """Gives what the present provider gives for our scope; ``nothing`` where none is set."""

    def __init__(self, provider: Callable[[], Any], nothing: Given, ask: Callable[[Any], Given]) -> None:
        self._provider = provider
        self._nothing: Given = nothing
        self._ask: Callable[[Any], Given] = ask
        # provider and what it gave, in one object: threads see both or neither
        self._cached: tuple[Any, Given] | None = None

    def __call__(self) -> Given:
        provider, cached = self._provider(), self._cached
        if cached is None or cached[0] is not provider:
            given = self._nothing if is_proxy(provider) else self._ask(provider)
            cached = self._cached = (provider, given)
        return cached[1]


tracer = _OfPresentProvider[Tracer](
    trace.get_tracer_provider,
    trace.NoOpTracer(),
    lambda found: found.get_tracer(SCOPE),
)
meter = _OfPresentProvider[Meter](
    metrics.get_meter_provider,
    metrics.NoOpMeter(SCOPE),
    lambda found: found.get_meter(SCOPE),
)
logger = _OfPresentProvider[Logger](
    _logs.get_logger_provider, _logs.NoOpLogger(SCOPE), lambda found: found.get_logger(SCOPE)
)
