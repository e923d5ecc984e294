"""The process-wide providers of OpenTelemetry's API: set them, and take them back.

The API lets each be set once. Taking back is for ``shutdown`` followed by ``configure``, and for tests.
"""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - a NamedTuple's field
from types import ModuleType  # noqa: TC003 - a NamedTuple's field
from typing import TYPE_CHECKING, Any, NamedTuple

import opentelemetry._logs._internal as logs_api
import opentelemetry.metrics._internal as metrics_api
import opentelemetry.trace as traces_api
from opentelemetry.util._once import Once

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass.sdk.providers import Providers

#: Name of the instrumentation scope of whatever Spanglass itself measures and sends.
SCOPE = "spanglass"


class Holder(NamedTuple):
    """Where the API keeps one provider: its module, the variable, the one that says it was set, and the setter."""

    module: ModuleType
    provider: str
    once: str
    publish: Callable[[Any], None]


HOLDERS = (
    Holder(traces_api, "_TRACER_PROVIDER", "_TRACER_PROVIDER_SET_ONCE", traces_api.set_tracer_provider),
    Holder(metrics_api, "_METER_PROVIDER", "_METER_PROVIDER_SET_ONCE", metrics_api.set_meter_provider),
    Holder(logs_api, "_LOGGER_PROVIDER", "_LOGGER_PROVIDER_SET_ONCE", logs_api.set_logger_provider),
)


def current() -> list[Any]:
    """Return the providers that were set for traces, metrics and logs; None where none was."""
    return [getattr(holder.module, holder.provider) for holder in HOLDERS]


def publish(providers: Providers) -> None:
    """Set the providers that nobody has set; what was set before stays."""
    for holder, set_provider, ours in zip(HOLDERS, current(), providers, strict=True):
        if set_provider is None:
            holder.publish(ours)


def take_back(providers: Iterable[object]) -> None:
    """Unset those of these providers that are set."""
    ours = [id(provider) for provider in providers]
    for holder, set_provider in zip(HOLDERS, current(), strict=True):
        if id(set_provider) in ours:
            setattr(holder.module, holder.provider, None)
            setattr(holder.module, holder.once, Once())
