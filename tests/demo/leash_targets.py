"""Targets that the tests put on a leash."""

from __future__ import annotations

import atexit
import signal


def announce_and_wait() -> None:
    """Print that we wait, wait for a signal, and print at the exit that the handlers ran."""
    atexit.register(print, "exit handler ran", flush=True)
    print("waiting", flush=True)  # noqa: T201  # the test reads it
    signal.pause()
