"""Templates that people write, filled in by a process of their own: one that hangs or eats memory costs itself only."""

from __future__ import annotations

import hashlib
import os
import select
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_server.notifications.messages.rendering.environment import Escaping

_CHILD = "spanglass_server.notifications.messages.rendering.child"
#: Of the processor's time, so that a machine that is busy fails no template.
_CPU_S = 1.0
#: By the wall clock: far above the processor's time that a template has, for machines that are busy.
_PATIENCE_S = 10.0
#: A template that took too long is not tried again for so long: others wait while it runs.
_PAUSE_S = 300.0
_SLOW = ("it takes too long", "it did not end")
_MOST_BAD = 1_000
_READ_BYTES = 65_536


class TemplateFailedError(Exception):
    """Why a template can't be filled in, with the line where that is known."""


class Sandbox:
    """The process, started with the first template and again after one that broke it. Any thread may call.

    ``clock_s`` never goes back.
    """

    def __init__(
        self, clock_s: Callable[[], float] = time.monotonic, cpu_s: float = _CPU_S, patience_s: float = _PATIENCE_S
    ) -> None:
        self._clock_s = clock_s
        self._cpu_s = cpu_s
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._slow: dict[bytes, tuple[float, str]] = {}

    def render(self, template: str, escaping: Escaping, facts: Mapping[str, Any], most: int) -> str:
        """The text, of at most so many characters; ``TemplateFailedError``."""
        digest = hashlib.sha256(f"{escaping} {template}".encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            until_s, reason = self._slow.get(digest, (0.0, ""))
            if self._clock_s() < until_s:
                raise TemplateFailedError(reason)
            question = {
                "template": template, "escaping": escaping, "facts": facts, "most": most, "cpu_s": self._cpu_s
            }  # fmt: skip
            found = self._ask(orjson.dumps(question) + b"\n")
            error = found.get("error")
            if error is None:
                return str(found["text"])
            line = f"line {found['line']}: " if found.get("line") else ""
            if str(error).startswith(_SLOW):
                self._remember(digest, f"{line}{error}")
            raise TemplateFailedError(f"{line}{error}")

    def _remember(self, digest: bytes, reason: str) -> None:
        if len(self._slow) >= _MOST_BAD:
            self._slow.clear()
        self._slow[digest] = (self._clock_s() + _PAUSE_S, reason)

    def _ask(self, question: bytes) -> dict[str, Any]:
        process = self._process
        if process is None or process.poll() is not None:
            self._stop()
            process = self._process = _start()
        answer: dict[str, Any] | None = None
        with suppress(OSError):  # it has ended
            answer = self._exchange(process, question)
        if answer is None or answer.get("ends"):
            self._stop()
        return answer or {"error": "it did not end, or broke the process that fills it in", "line": 0}

    def _exchange(self, process: subprocess.Popen[bytes], question: bytes) -> dict[str, Any] | None:
        """The answer; None if there is none in time."""
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            return None
        stdin.write(question)
        stdin.flush()
        deadline_s, parts = self._clock_s() + self._patience_s, bytearray()
        while not parts.endswith(b"\n"):
            left_s = deadline_s - self._clock_s()
            if left_s <= 0 or not select.select([stdout], [], [], left_s)[0]:
                return None
            read = os.read(stdout.fileno(), _READ_BYTES)
            if not read:
                return None
            parts += read
        found: dict[str, Any] = orjson.loads(parts)
        return found

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what could not be written to a process that is gone
                    pipe.close()
        process.wait()

    def close(self) -> None:
        """End the process; another one starts with the next template."""
        with self._lock:
            self._stop()


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own module, no words from outside
        [sys.executable, "-I", "-m", _CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
    )
