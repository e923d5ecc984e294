"""The two clocks of a computer, as one argument: what time it is, and how much has passed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


class Clock(NamedTuple):
    """``unix_ns``: since 1970, comparable between hosts, may jump. ``monotonic_ns``: for durations, never goes back."""

    unix_ns: Callable[[], int] = time.time_ns
    monotonic_ns: Callable[[], int] = time.monotonic_ns


SYSTEM = Clock()
