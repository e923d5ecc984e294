"""Targets that the tests put on a leash."""

from __future__ import annotations

import atexit
import threading


def wait_for_ever() -> None:
    """Wait for a signal in pieces: one that comes just before an endless wait begins would not end it."""
    while True:
        threading.Event().wait(0.05)


def announce_and_wait() -> None:
    """Print that we wait, wait for a signal, and print at the exit that the handlers ran."""
    atexit.register(print, "exit handler ran", flush=True)
    print("waiting", flush=True)  # noqa: T201  # the test reads it
    wait_for_ever()
