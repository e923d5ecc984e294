"""The health checks of one server, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.health import book

if TYPE_CHECKING:
    from spanglass_server.settings.settings import Settings


def problems_of(settings: Settings) -> list[str]:
    """What is wrong with the checks of the settings file, without a data directory."""
    return book.problems_of(settings.file)
