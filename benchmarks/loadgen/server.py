"""A real server as a process of its own, on free loopback ports and a data directory of the caller's."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from loadgen.process import tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOST = "127.0.0.1"
#: The console script that stands beside the interpreter in use.
SPANGLASS = str(Path(sys.executable).with_name("spanglass"))
_PORTS = (10_000, 20_000)  # above, demo/shop/ports.py draws
#: Sockets that hold the ports which were given away last, and how many: as many a process has in its hands at most.
_HELD: deque[int] = deque()
_MOST_HELD = 100


class ServerFailedError(Exception):
    """The server ended or did not become ready; the message carries the end of its log."""


class Answer:
    """An HTTP answer, read whole."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self) -> Any:
        """Decode the body as JSON."""
        return json.loads(self.body)


class ServerProcess:
    """``spanglass serve`` on one data directory; it keeps its ports when it is started again.

    ``settings`` are dotted names (``storage.flush_interval``) and become environment variables; ``program`` is the
    console script of another build. As a context manager it starts at once and is stopped at the end, also when it
    hangs.
    """

    def __init__(
        self,
        data: Path,
        settings: Mapping[str, str] | None = None,
        *,
        log: Path | None = None,
        program: str = SPANGLASS,
    ) -> None:
        self.data, self.settings = data, dict(settings or {})
        self.log = log or data.with_name(f"{data.name}.log")
        self.program = program
        self.port, self.grpc_port = free_ports(2)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Base URL of OTLP/HTTP, the API and the pages."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the server that was started last."""
        if self.process is None:
            raise ServerFailedError("the server was not started")
        return self.process.pid

    def command(self) -> Sequence[str]:
        """Return the command line that starts this server."""
        ports = ["--port", str(self.port), "--grpc-port", str(self.grpc_port)]
        return [self.program, "serve", "--data", str(self.data), *ports]

    def environment(self) -> dict[str, str]:
        """Return this process's environment with the settings given here and no other.

        Bytecode is written where it is missing, as it is for users: compiling all modules takes 0.9 s a start.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SPANGLASS_")}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        named = {f"SPANGLASS_{name.upper().replace('.', '_')}": value for name, value in self.settings.items()}
        return kept | named

    def start(self, *, timeout_s: float = 120.0, ready: bool = True) -> float:
        """Start it and wait until it is ready, or answers at all; returns how many seconds that took."""
        begun = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment()
            )
        while time.monotonic() - begun < timeout_s:
            if self.process.poll() is not None:
                raise ServerFailedError(f"the server ended with {self.process.returncode}:\n{self.log_tail()}")
            if self.is_ready() if ready else self.answers():
                return time.monotonic() - begun
            time.sleep(0.02)
        self.kill()
        raise ServerFailedError(f"the server was not ready after {timeout_s} s:\n{self.log_tail()}")

    def is_ready(self) -> bool:
        """Ask whether the server answers and is ready."""
        return self._readiness() == http.HTTPStatus.OK

    def answers(self) -> bool:
        """Ask whether the server answers, be it ready or not."""
        return self._readiness() is not None

    def _readiness(self) -> int | None:
        try:
            return self.request("GET", "/readyz", timeout_s=5).status
        except OSError:
            return None

    def stop(self, *, timeout_s: float = 60.0) -> int:
        """Ask it to end (SIGTERM) and return its exit code; a server that hangs is killed and reported."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailedError(f"still running {timeout_s} s after SIGTERM:\n{self.log_tail()}") from None

    def kill(self) -> None:
        """End it at once (SIGKILL), with the processes it started."""
        if self.process is None:
            return
        family = tree(self.process.pid)[1:]
        self.process.kill()
        self.process.wait()
        for child in family:
            if child.is_running():
                child.kill()

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        timeout_s: float = 60.0,
    ) -> Answer:
        """Send one HTTP request on a connection of its own."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=timeout_s)
        try:
            connection.request(method, path, body, dict(headers or {}))
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path: str, **parameters: object) -> Any:
        """GET a path of the API and return its JSON; an error's body is in the exception."""
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        answer = self.request("GET", f"/api/v1{path}{query}")
        if answer.status != http.HTTPStatus.OK:
            raise ServerFailedError(f"GET {path}{query}: {answer.status} {answer.body[:500]!r}")
        return answer.json()

    def log_tail(self) -> str:
        """Return the last lines the server wrote."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-40:])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()


def free_ports(count: int) -> list[int]:
    """Return ports that were free a moment ago, all different, and that no other process is given meanwhile.

    They lie below the range from which systems take ports for outgoing connections (32768 and up on Linux): a server
    that is stopped and started again finds its ports still free, however many connections were opened meanwhile.
    """
    draw = random.SystemRandom()
    ports: set[int] = set()
    while len(ports) < count:
        port = draw.randrange(*_PORTS)
        if _is_free(port):
            ports.add(port)
    return list(ports)


def _is_free(port: int) -> bool:
    """Whether nobody listens at a port or was given it; from now on it is given away.

    Tests in several processes draw hundreds of ports, each seconds before a program listens there: of ten thousand, two
    would sooner or later be the same. So who draws one holds the number for UDP, which nothing here speaks.
    """
    held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        held.bind((HOST, port))
        socket.create_server((HOST, port)).close()
    except OSError:
        held.close()
        return False
    _HELD.append(held.detach())
    if len(_HELD) > _MOST_HELD:
        os.close(_HELD.popleft())
    return True
