"""The runner of health checks, once the application has some: its modules and asyncio take 15 ms to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass.patching.imports import when_imported

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


__all__ = ["run_checks_when_used"]


def run_checks_when_used() -> Callable[[], None]:
    """Run the default monitor's checks from the import of ``spanglass.api.health`` on; returns what stops that."""
    undo: list[Callable[[], None]] = []

    def begin(_health: ModuleType) -> None:
        from spanglass.api.health_runner import start_health_runner  # noqa: PLC0415 - as above

        undo.append(start_health_runner())

    undo.append(when_imported("spanglass.api.health", begin, doing="run health checks"))

    def stop() -> None:
        while undo:
            undo.pop()()

    return stop
