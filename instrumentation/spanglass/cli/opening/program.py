"""A program as a process of ours: it gets the signals that we get, and its end is ours."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING, Self

from spanglass.cli.errors import CliError
from spanglass.cli.opening.signals import BY_SIGNAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Program:
    """The running program. As a context manager it is started, and ended at the end if it still runs."""

    def __init__(self, words: Sequence[str], environ: Mapping[str, str]) -> None:
        self._words = list(words)
        self._environ = dict(environ)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it; ``CliError`` when it can't be executed."""
        try:
            self._process = subprocess.Popen(self._words, env=self._environ)  # noqa: S603 - running programs is our task
        except OSError as error:
            raise CliError(f"{self._words[0]} can't be run: {error.strerror}") from None
        return self

    def __exit__(self, *_: object) -> None:
        """End it if it still runs."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()

    def wait(self, seconds: float | None = None) -> int | None:
        """Return its exit code as a shell tells it, or None when it still runs after ``seconds``."""
        if self._process is None:
            return None
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        return code if code >= 0 else BY_SIGNAL - code

    def take(self, number: int) -> None:
        """Take a signal of ours: SIGTERM and SIGHUP are passed on.

        Ctrl-C reaches it from the terminal, as it is of our process group; we only wait for what it makes of it.
        """
        if number != signal.SIGINT and self._process and self._process.poll() is None:
            self._process.send_signal(number)
