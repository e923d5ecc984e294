"""Health checks. Importing this imports nothing of them: what runs them and asyncio take 15 ms to import."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from spanglass.patching.imports import when_imported

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["run_checks_when_used"]


def run_checks_when_used() -> Callable[[], None]:
    """Run the default monitor's checks from the first use of health checks on; returns what stops that."""
    undo = ExitStack()

    def begin(_monitor: ModuleType) -> None:
        from spanglass.api.health.runner import start_health_runner  # noqa: PLC0415 - as above

        undo.callback(start_health_runner())

    undo.callback(when_imported("spanglass.api.health.monitor", begin, doing="run health checks"))
    return undo.close
