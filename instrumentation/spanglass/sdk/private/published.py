"""Where OpenTelemetry's API keeps the process-wide providers, which it lets be set once and never unset."""

from __future__ import annotations

import sys
from collections.abc import Callable  # noqa: TC003 - a NamedTuple's field
from importlib import import_module
from types import ModuleType  # noqa: TC003 - a NamedTuple's field
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import _logs, context, metrics, trace

from spanglass.sdk.private.features import ENTRY_POINTS, PROVIDERS, SUPPRESSION, TEST_CLOCK, lose, optional

if TYPE_CHECKING:
    from collections.abc import Iterable

try:
    # every distribution is read once a process
    from opentelemetry.util._importlib_metadata import entry_points
except ImportError as gone:
    from importlib.metadata import entry_points  # type: ignore[assignment]

    lose(ENTRY_POINTS, gone)

__all__ = ["HOLDERS", "SUPPRESS_KEY", "Holder", "current", "entry_points", "is_proxy", "put", "take_back",
           "time_readers", "turn_proxy_meters"]  # fmt: skip

_ABSENT = object()

#: The key in the context that keeps instrumentations from telling of our own calls.
SUPPRESS_KEY = "suppress_instrumentation"  # which instrumentations of OpenTelemetry look at too
with optional(SUPPRESSION):
    SUPPRESS_KEY = context._SUPPRESS_INSTRUMENTATION_KEY  # noqa: SLF001


class Holder(NamedTuple):
    """How one provider is asked for and set, and the names in the API's module of the provider and of "was set"."""

    ask: Callable[[], Any]
    publish: Callable[[Any], None]
    provider: str
    once: str

    @property
    def module(self) -> ModuleType:
        """The module in which the API keeps it."""
        return _home(self.publish)


def _home(function: Any) -> ModuleType:
    """Return the module that a function was written in; its ``__module__`` is the one that exports it."""
    return sys.modules[function.__globals__["__name__"]]


HOLDERS = (
    Holder(trace.get_tracer_provider, trace.set_tracer_provider, "_TRACER_PROVIDER", "_TRACER_PROVIDER_SET_ONCE"),
    Holder(metrics.get_meter_provider, metrics.set_meter_provider, "_METER_PROVIDER", "_METER_PROVIDER_SET_ONCE"),
    Holder(_logs.get_logger_provider, _logs.set_logger_provider, "_LOGGER_PROVIDER", "_LOGGER_PROVIDER_SET_ONCE"),
)


def current() -> list[Any]:
    """Return the providers that were set for traces, metrics and logs; None where none was."""
    return [_current(holder) for holder in HOLDERS]


def _current(holder: Holder) -> Any:
    found = getattr(holder.module, holder.provider, _ABSENT)
    if found is _ABSENT:
        found = holder.ask()
        return None if is_proxy(found) else found
    return found


def is_proxy(provider: object) -> bool:
    """Whether this is what the API gives where nobody has set a provider."""
    kind = type(provider)
    return kind.__module__.startswith("opentelemetry.") and kind.__name__.lstrip("_").startswith("Proxy")


def take_back(providers: Iterable[object]) -> None:
    """Unset those of these providers that are set; the next one can be set as if none had been."""
    ours = [id(provider) for provider in providers]
    for holder, found in zip(HOLDERS, current(), strict=True):
        if id(found) in ours:
            with optional(PROVIDERS):
                once = type(getattr(holder.module, holder.once))
                put(holder, None)
                setattr(holder.module, holder.once, once())


def put(holder: Holder, provider: Any) -> None:
    """Have the API give this provider, None for none, without its note that one was set."""
    with optional(PROVIDERS):
        getattr(holder.module, holder.provider)
        setattr(holder.module, holder.provider, provider)


def turn_proxy_meters(provider: metrics.MeterProvider | None) -> None:
    """Have meters that were taken while no provider was set measure with this one; None: new ones are proxies again."""
    with optional(PROVIDERS):
        proxies = _home(metrics.set_meter_provider)._PROXY_METER_PROVIDER  # noqa: SLF001
        if provider is None:
            proxies._real_meter_provider = None  # noqa: SLF001
        else:
            proxies.on_set_meter_provider(provider)


def time_readers() -> list[ModuleType]:
    """Return the modules whose variable ``time_ns`` the SDK reads for spans, events and log records."""
    modules = []
    for name in TEST_CLOCK.names:
        with optional(TEST_CLOCK):
            module = import_module(name.partition(":")[0])
            if callable(module.time_ns):
                modules.append(module)
    return modules
