"""The process-wide providers of OpenTelemetry's API: set them, and take them back.

The API lets each be set once. Taking back is for ``shutdown`` followed by ``configure``, and for tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass.sdk.private.published import HOLDERS, current, take_back

if TYPE_CHECKING:
    from spanglass.sdk.providers import Providers

__all__ = ["SCOPE", "current", "publish", "take_back"]

#: Name of the instrumentation scope of whatever Spanglass itself measures and sends.
SCOPE = "spanglass"


def publish(providers: Providers) -> None:
    """Set the providers that nobody has set; what was set before stays."""
    for holder, set_provider, ours in zip(HOLDERS, current(), providers, strict=True):
        if set_provider is None:
            holder.publish(ours)
