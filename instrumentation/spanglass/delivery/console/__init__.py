"""Traces printed in a terminal. Whether they may be is known here, before anything that prints them is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from spanglass.settings.table import Settings


def may_print(settings: Settings, stream: TextIO | None) -> bool:
    """Tell by the setting: ``auto`` prints to a terminal only. ``stream`` is None where a process has none."""
    if stream is None or stream.closed or settings.console == "off":
        return False
    return settings.console == "on" or stream.isatty()
