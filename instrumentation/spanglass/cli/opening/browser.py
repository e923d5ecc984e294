"""A page shown in the reader's browser, where there is one that does not take over the terminal."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Say = Callable[[str], None]


def show(url: str, say: Say) -> threading.Thread | None:
    """Open a page without waiting for the browser, which may run until it is closed; returns the thread that does."""
    if not has_window(os.environ, sys.platform):
        say("no browser is opened: there is no display here (the variable BROWSER names a program to open it with)")
        return None
    opening = threading.Thread(target=_open, args=(url, say), name="spanglass-browser", daemon=True)
    opening.start()
    return opening


def has_window(environ: Mapping[str, str], platform: str) -> bool:
    """Whether a browser would open a window: without a display, text browsers take over the terminal."""
    if platform in {"darwin", "win32"}:
        return True
    return any(environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _open(url: str, say: Say) -> None:
    try:
        if not webbrowser.open(url):
            say("no browser is found: open the address yourself")
    except (webbrowser.Error, OSError) as error:
        say(f"the browser can't be started: {error}")
