"""How far a transfer is, on the terminal's last line; nothing where there is no terminal."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

from spanglass.terminal import show

if TYPE_CHECKING:
    from typing import Self

_EVERY_S = 0.2


class Progress:
    """Counts records, of any thread. ``expected`` is about how many there will be, 0 if nobody knows."""

    def __init__(self, doing: str, expected: int) -> None:
        self._doing = doing
        self._expected = expected
        self._shows = sys.stderr.isatty()
        self._lock = threading.Lock()
        self._began_s = self._shown_s = time.monotonic()
        self.records = 0
        self.bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shows:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    @property
    def elapsed_s(self) -> float:
        """How long it has taken, in seconds."""
        return time.monotonic() - self._began_s

    def add(self, records: int, size: int) -> None:
        """Count records that are done, and bytes; both may be less than zero for what has to be done again."""
        with self._lock:
            self.records += records
            self.bytes += size
            now_s = time.monotonic()
            if self._shows and now_s - self._shown_s >= _EVERY_S:
                self._shown_s = now_s
                print(f"\r\033[K{self._line()}", end="", file=sys.stderr, flush=True)

    def _line(self) -> str:
        share = f" of about {self._expected:,} ({self.records / self._expected:.0%})" if self._expected else ""
        rate = self.records / max(self.elapsed_s, 1e-3)
        return f"{self._doing} {self.records:,}{share} records, {show.size(self.bytes)}, {rate:,.0f} a second"
