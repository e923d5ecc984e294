"""Running a program that the settings file names, without a shell."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from spanglass_server.forms.secrets import SecretSource
from spanglass_server.health.checkers.outcome import Outcome, degraded, healthy, unhealthy

if TYPE_CHECKING:
    from spanglass_server.egress.egress import Egress
    from spanglass_server.health.check import Command

_MAX_OUTPUT: Final = 65_536
#: What a program is told of the server's environment, which holds secrets of others.
_PASSED_ON: Final = ("PATH", "LANG", "LC_ALL", "TZ", "HOME", "USER", "TMPDIR")


async def check_command(command: Command, _: Egress, __: float) -> Outcome:
    """Run it. Its first line of output is the detail. Killed with all its children when this is cancelled.

    Raises ``OSError`` for a program that can't be run, ``SecretError``.
    """
    process = await asyncio.create_subprocess_exec(
        *command.command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=_environment(command),
        cwd=command.directory or None,
        start_new_session=True,
    )
    try:
        output = await _output(process)
        code = await process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what it left behind goes too
        if process.returncode is None:
            await process.wait()
    text = next((line for line in output.decode("utf-8", "replace").splitlines() if line.strip()), "")
    if code == 0:
        return healthy(text or "exit code 0", exit_code=0)
    said = f": {text}" if text else ""
    outcome = degraded if code in command.degraded else unhealthy
    how = f"exit code {code}" if code > 0 else f"ended by signal {-code}"
    return outcome(f"{how}{said}", exit_code=code)


async def _output(process: asyncio.subprocess.Process) -> bytes:
    """The first of its output; the rest is read, so that it does not wait, and thrown away."""
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    kept = b""
    while more := await process.stdout.read(16_384):
        kept += more[: _MAX_OUTPUT - len(kept)]
    return kept


def _environment(command: Command) -> dict[str, str]:
    own = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    given = {
        name: value.reveal() if isinstance(value, SecretSource) else value
        for name, value in command.environment.items()
    }
    return own | given
