"""Puts the capture of exceptions to work in this process, and takes it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass.exceptions import telling
from spanglass.exceptions.hooks import install_hooks
from spanglass.exceptions.recording import install_recording

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass.exceptions.capture import Capture
    from spanglass.settings.settings import Settings

__all__ = ["install_exceptions"]


def install_exceptions(settings: Settings, capture: Capture) -> Callable[[], None]:
    """Install hooks and replacements, if the setting ``capture_exceptions`` is on; returns what takes all back.

    ``capture_exception`` of the application works in either case.
    """
    undo = [telling.use(capture, unhandled=settings.capture_exceptions)]
    if settings.capture_exceptions:
        undo += [install_recording(capture), install_hooks(capture)]

    def uninstall() -> None:
        while undo:
            undo.pop()()

    return uninstall
