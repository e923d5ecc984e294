"""Running a program for one message: JSON on its input, its output cut, and an end to it and all that it started."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_READ_BYTES = 65_536
_AFTER_S = 1.0  # how long output may come once the program has ended: something that it started may hold it open


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is run. ``environment`` is all that it gets; its directory is ``/``."""

    argv: Sequence[str]
    given: bytes = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    timeout_s: float
    most_bytes: int = 65_536


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended; ``code`` is None for one that did not end in time, negative for one that a signal ended."""

    code: int | None
    output: bytes


async def run(program: Program) -> Ended:
    """Run a program to its end. Raises ``OSError`` if it can't be started; may be cancelled, and then ends it."""
    process = await asyncio.create_subprocess_exec(
        *program.argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=dict(program.environment),
        cwd="/",
        start_new_session=True,
    )
    output = bytearray()
    reading = asyncio.create_task(_read(process, output, program.most_bytes))
    writing = asyncio.create_task(_write(process, program.given))
    code: int | None = None
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(program.timeout_s):
                code = await process.wait()
        if code is not None:
            await asyncio.wait([reading], timeout=_AFTER_S)
    finally:
        if code is None or not reading.done():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for task in (reading, writing):
            task.cancel()
        await asyncio.gather(reading, writing, return_exceptions=True)
        await process.wait()
        _close(process)
    return Ended(code, bytes(output))


async def _read(process: asyncio.subprocess.Process, output: bytearray, most: int) -> None:
    stream = process.stdout
    while stream is not None and (part := await stream.read(_READ_BYTES)):
        output += part[: most - len(output)]  # what is more is read, so that the program does not wait


async def _write(process: asyncio.subprocess.Process, given: bytes) -> None:
    stream = process.stdin
    if stream is None:
        return
    with suppress(ConnectionError):  # it may end, or close its input, before it has read all
        stream.write(given)
        await stream.drain()
    stream.close()


def _close(process: asyncio.subprocess.Process) -> None:
    """Close its pipes, which something that it started may hold open."""
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()
