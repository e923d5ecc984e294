"""A program as a process of ours: it gets the signals that we get, and its end is ours."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING, Self

from spanglass.cli.errors import CliError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

_FORWARDED = (signal.SIGTERM, signal.SIGHUP)
_BY_SIGNAL = 128  # what shells add to a signal's number


class Program:
    """The running program. As a context manager it is started, and ended at the end if it still runs.

    Ctrl-C reaches it from the terminal, as it is of our process group; we only wait for what it makes of it. SIGTERM
    and SIGHUP are passed on.
    """

    def __init__(self, words: Sequence[str], environ: Mapping[str, str]) -> None:
        self._words = list(words)
        self._environ = dict(environ)
        self._process: subprocess.Popen[bytes] | None = None
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        """Start it; ``CliError`` when it can't be executed."""
        for number in (signal.SIGINT, *_FORWARDED):
            # A handler, and not SIG_IGN, which the program would inherit.
            self._before[number] = signal.signal(number, self._pass_on)
        try:
            self._process = subprocess.Popen(self._words, env=self._environ)  # noqa: S603 - running programs is our task
        except OSError as error:
            self.__exit__()
            raise CliError(f"{self._words[0]} can't be run: {error.strerror}") from None
        return self

    def __exit__(self, *_: object) -> None:
        """End it if it still runs, and let signals act as before."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what `signal.signal` gave

    def wait(self, seconds: float | None = None) -> int | None:
        """Return its exit code as a shell tells it, or None when it still runs after ``seconds``."""
        if self._process is None:
            return None
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        return code if code >= 0 else _BY_SIGNAL - code

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGINT and self._process and self._process.poll() is None:
            self._process.send_signal(number)
