"""Channels that do not work are asked by one message at a time, with pauses that grow.

A thousand messages that each try a sink that is down would cost the processor and the log a thousand attempts a minute,
and the sink, once it is back, all of them at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spanglass_server.times import NS_PER_SECOND

_IN_A_ROW: Final = 3  # failures after which a channel does not work; one or two may be those of their messages
_FIRST_NS: Final = 1 * NS_PER_SECOND
_MOST_NS: Final = 30 * NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Down:
    """How often a channel failed in a row, with what, and until when nothing is tried."""

    failures: int
    error: str
    until_ns: int


class Breaker:
    """What is known of the last attempts over each channel; for one event loop."""

    def __init__(self) -> None:
        self._down: dict[str, Down] = {}

    def failed(self, channel: str, error: str, now_ns: int) -> None:
        """An attempt failed that may be made again."""
        failures = self._down[channel].failures + 1 if channel in self._down else 1
        pause_ns = min(_FIRST_NS * 2 ** min(failures - _IN_A_ROW, 30), _MOST_NS) if failures >= _IN_A_ROW else 0
        self._down[channel] = Down(failures, error, now_ns + int(pause_ns))

    def answered(self, channel: str) -> None:
        """The sink took a message, or refused this one."""
        self._down.pop(channel, None)

    def error(self, channel: str) -> str:
        """The error of a channel whose last attempt failed, else ""."""
        return self._down[channel].error if channel in self._down else ""

    def places(self, channel: str, most: int) -> int:
        """How many messages may be under way."""
        down = self._down.get(channel)
        return most if down is None or down.failures < _IN_A_ROW else 1

    def paused(self, now_ns: int) -> dict[str, int]:
        """Until when which channels are not tried; a pause longer than any comes from a clock that was set back."""
        untils = {channel: down.until_ns for channel, down in self._down.items()}
        return {channel: until_ns for channel, until_ns in untils.items() if 0 < until_ns - now_ns <= _MOST_NS}
