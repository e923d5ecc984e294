"""One process of the demo: started on a leash, asked when it is ready, stopped."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
"""Above the leash's grace and the 10 s in which the server promises to drain."""

TAIL_LINES = 15


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to do."""


class Child:
    """A process that runs `target` (`package.module:function`) with its output in `log`.

    `launcher`: what is put before the module to run, such as `spanglass run`.
    """

    def __init__(
        self,
        name: str,
        target: str,
        arguments: Sequence[str],
        env: Mapping[str, str],
        log: Path,
        launcher: Sequence[str] = (),
    ) -> None:
        self.name = name
        self._command = [sys.executable, *launcher, "-m", "shop.leash", target, *arguments]
        self._env = dict(env)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process. Its standard input is the leash: when we end, it ends."""
        with self._log.open("wb") as output:
            # A session of its own: Ctrl-C reaches only the supervisor, which stops the processes in order.
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and modules
                self._command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._env,
                start_new_session=True,
            )

    @property
    def pid(self) -> int | None:
        """Process id, or None when it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def has_ended(self) -> bool:
        """True when it was started and is not there any more."""
        return self._process is not None and self._process.poll() is not None

    def wait_until_ready(self, url: str) -> None:
        """Return when `url` answers 200. DemoError when the process ends or takes too long."""
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not _answers(url):
            if self.has_ended:
                raise DemoError(self.obituary())
            if time.monotonic() > deadline_s:
                raise DemoError(f"{self.name} is not ready after {START_TIMEOUT_S:.0f} s. Its output: {self._log}")
            time.sleep(0.05)

    def obituary(self) -> str:
        """Say how the process ended, with the end of its output."""
        code = self._process.returncode if self._process else None
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join(
            [f"{self.name} ended with code {code}. The end of {self._log}:", *(f"  {line}" for line in lines)]
        )

    def ask_to_stop(self) -> None:
        """Send SIGTERM and close the leash; do not wait."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
        if self._process and self._process.stdin:
            self._process.stdin.close()

    def stop(self) -> None:
        """Stop the process, by force when it does not listen, and forget it."""
        self.ask_to_stop()
        if self._process:
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  # our own http URL on the loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
