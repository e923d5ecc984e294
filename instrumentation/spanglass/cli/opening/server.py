"""The server that a program sends to: found, or started beside the program and stopped after it."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.metadata import entry_points
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from spanglass.cli.client import Client, UnreachableError
from spanglass.cli.errors import CliError, Exit, missing

if TYPE_CHECKING:
    from collections.abc import Mapping

_ASK_S = 2.0  # one answer, on the machine itself
_START_S = 60.0  # imports from a cold disk take longest; two seconds are usual
_STOP_S = 20.0  # the server itself promises to end within 10 s
_PAUSE_S = 0.1
_TAIL_LINES = 15
_READY = 200


def find(url: str, environ: Mapping[str, str]) -> Client:
    """Make the client of a server; ``environ`` may hold a read token. It is not asked yet."""
    return Client(url, environ.get("SPANGLASS_READ_TOKEN", ""), "SPANGLASS_READ_TOKEN", timeout_s=_ASK_S)


def answers(client: Client) -> bool:
    """Whether a server is there; ``CliError`` when something is there that does not let us read."""
    try:
        client.get("/status")
    except UnreachableError:
        return False
    return True


class LocalServer:
    """``spanglass serve`` at an address of this machine, as a process of ours. Its output goes to ``log``.

    As a context manager it is started and ready, and stopped at the end. It has a session of its own: Ctrl-C reaches
    the program alone, whose last telemetry still finds the server.
    """

    def __init__(self, client: Client, environ: Mapping[str, str]) -> None:
        self._client = client
        self._environ = dict(environ)
        self.data = Path(environ.get("SPANGLASS_DATA_DIR") or "spanglass-data")
        self.log = self.data / "serve.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it; ``CliError`` when it can't be started here, ends, or is not ready in a minute."""
        host, port = _local(self._client.url)
        if not entry_points(group="spanglass.commands", name="serve"):
            raise missing(f"no server answers at {self._client.url}, and none is installed here", "server")
        command = [sys.executable, "-m", "spanglass.cli.main", "serve", "--host", host, "--port", port]
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            with self.log.open("wb") as output:
                self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and command
                    [*command, "--grpc-port", "0", "--data", str(self.data)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=self._environ,
                    start_new_session=True,
                )
        except OSError as error:
            raise CliError(f"the server can't be started in {self.data}: {error.strerror}") from None
        try:
            self._wait(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def wait(self) -> None:
        """Return when it has ended by itself, or by somebody else."""
        if self._process:
            self._process.wait()

    def stop(self) -> None:
        """Ask it to end, and end it when it does not listen."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        until_s = time.monotonic() + _START_S
        while not self._is_ready():
            if process.poll() is not None:
                raise CliError(f"the server ended with code {process.returncode}", *self._tail())
            if time.monotonic() > until_s:
                raise CliError(f"the server is not ready after {_START_S:.0f} s", f"its output is in {self.log}")
            time.sleep(_PAUSE_S)

    def _is_ready(self) -> bool:
        try:
            return self._client.request("GET", "/readyz").status == _READY
        except UnreachableError:
            return False

    def _tail(self) -> list[str]:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
        return [*lines, f"its output is in {self.log}"]


def _local(url: str) -> tuple[str, str]:
    """Return host and port of an address at which we may start a server."""
    target = urlsplit(url)
    host = target.hostname or ""
    try:
        is_here = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        is_here = False
    if not is_here or target.scheme != "http" or target.path.rstrip("/"):
        hint = "start it there, or leave the endpoint out: then one is started on this machine"
        raise CliError(f"no server answers at {url}", hint, code=Exit.FAILED)
    return "127.0.0.1" if host == "localhost" else host, str(target.port or 80)
