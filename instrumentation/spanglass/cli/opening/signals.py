"""Signals that ask us to end: they go to the program while it runs, else they end us, and what we have started."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)
BY_SIGNAL = 128  # what shells add to a signal's number


class SignalledError(Exception):
    """A signal asks us to end while no program runs."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.code = BY_SIGNAL + number


class Signals:
    """As a context manager, in the main thread: SIGINT, SIGTERM and SIGHUP are ours until its end.

    ``SignalledError``, or ``KeyboardInterrupt``, is raised wherever the main thread is; a second one of the first kind
    is not, so that it does not disturb the ending. What is ignored already (``nohup``) stays so, for the program too.
    """

    def __init__(self) -> None:
        self._before: dict[signal.Signals, object] = {}
        self._take: Callable[[int], None] | None = None
        self.asked_to_end = False

    def __enter__(self) -> Self:
        """Take them."""
        for number in (signal.SIGINT, *_ENDING):
            if signal.getsignal(number) is not signal.SIG_IGN:
                # A handler, and not SIG_IGN, which the program would inherit.
                self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, *_: object) -> None:
        """Let them act as before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what `signal.signal` gave

    @contextmanager
    def passed_to(self, take: Callable[[int], None]) -> Iterator[None]:
        """Hand them to a function until the block ends."""
        self._take = take
        try:
            yield
        finally:
            self._take = None

    def _received(self, number: int, _frame: FrameType | None) -> None:
        was_asked, self.asked_to_end = self.asked_to_end, self.asked_to_end or number in _ENDING
        if self._take is not None:
            self._take(number)
        elif number == signal.SIGINT:
            raise KeyboardInterrupt
        elif not was_asked:
            raise SignalledError(number)
