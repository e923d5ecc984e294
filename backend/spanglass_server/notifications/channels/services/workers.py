"""Processes that answer one line with another, kept for the next line; one that does not answer in time is ended."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_IDLE = 4  # as many as a channel has messages under way, see notifications.concurrency
_MOST_LINE = 1_048_576


class Workers:
    """The processes of one channel, on one event loop. Each is asked one thing at a time; more start as needed."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = argv
        self._idle: list[asyncio.subprocess.Process] = []

    async def ask(self, question: bytes, timeout_s: float) -> bytes:
        """The answer to a line, b"" from one that broke. Raises ``TimeoutError``, ``OSError``; may be cancelled."""
        process = await self._take()
        try:
            async with asyncio.timeout(timeout_s):
                answer = await _exchange(process, question)
        except BaseException:
            await _end(process)
            raise
        if answer.endswith(b"\n") and len(self._idle) < _MOST_IDLE:
            self._idle.append(process)
        else:
            await _end(process)
        return answer

    async def close(self) -> None:
        """End all that wait."""
        while self._idle:
            await _end(self._idle.pop())

    async def _take(self) -> asyncio.subprocess.Process:
        while self._idle:
            process = self._idle.pop()
            if process.returncode is None:
                return process
            await _end(process)  # it ends itself when nothing is asked for a while
        return await asyncio.create_subprocess_exec(
            *self._argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
            cwd="/",
            limit=_MOST_LINE,
            start_new_session=True,
        )


async def _exchange(process: asyncio.subprocess.Process, question: bytes) -> bytes:
    if process.stdin is None or process.stdout is None:
        return b""
    with suppress(ConnectionError):
        process.stdin.write(question + b"\n")
        await process.stdin.drain()
    return await process.stdout.readline()


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    if process.stdin is not None:
        process.stdin.close()
