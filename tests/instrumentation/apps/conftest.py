"""Unmodified programs under ``spanglass run``, and a real server that their telemetry goes to."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loadgen.process import tree
from loadgen.server import HOST, SPANGLASS, ServerProcess, free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

PROGRAMS = Path(__file__).with_name("programs")
BIN = Path(sys.executable).parent
LAUNCHERS = {True: (SPANGLASS, "run"), False: (sys.executable,), None: ()}
LIMIT_S = 180.0  # only a failure waits so long

# Quick enough for a test: the defaults are for production.
QUICK = {"SPANGLASS_METRIC_INTERVAL": "500ms", "SPANGLASS_CONSOLE": "off", "OTEL_BSP_SCHEDULE_DELAY": "100"}
# uvicorn kills a worker that is not there after 5 s, again and again: on a loaded machine none ever is.
PATIENT = {"UVICORN_TIMEOUT_WORKER_HEALTHCHECK": "60"}


class Receiver:
    """The server, asked about one thing at a time."""

    def __init__(self, server: ServerProcess) -> None:
        self.url = server.url
        self._server = server

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement; none while it names an attribute that was not received yet."""
        answer = self._server.request(
            "POST", "/api/v1/sql", json.dumps({"sql": statement}).encode(), {"Content-Type": "application/json"}
        )
        if answer.status != http.client.OK:
            return []
        return [tuple(row) for row in answer.json()["rows"]]

    def until(self, statement: str, holds: Callable[[list[tuple[Any, ...]]], bool]) -> list[tuple[Any, ...]]:
        """Ask until the rows are as they should be; gives the last ones, so that the caller's assertion shows them."""
        deadline = time.monotonic() + LIMIT_S
        rows = self.sql(statement)
        while not holds(rows) and time.monotonic() < deadline:
            time.sleep(0.1)
            rows = self.sql(statement)
        return rows

    def pids(self, view: str, service: str, wanted: set[int]) -> set[int]:
        """Return the processes of a service that sent records to a view, as soon as the wanted ones are among them."""
        rows = self.until(
            f"""SELECT DISTINCT "process.pid" FROM {view} WHERE service_name = '{service}'""",  # noqa: S608 - ours
            lambda rows: wanted <= {row[0] for row in rows},
        )
        return {int(row[0]) for row in rows}


class Program:
    """A program of ``programs/``, or of another folder, in a process of its own."""

    def __init__(
        self, words: Sequence[str], environ: Mapping[str, str], log: Path, port: int, folder: Path = PROGRAMS
    ) -> None:
        self.port = port
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                words, cwd=folder, env=dict(environ), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    @property
    def output(self) -> str:
        """What it has written."""
        return self.log.read_text(errors="replace")

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Any:
        """GET as soon as it listens, and give the JSON of the answer."""
        return json.loads(self.read(path, headers) or b"null")

    def read(self, path: str, headers: Mapping[str, str] | None = None) -> bytes:
        """GET as soon as it listens, and give the answer."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            connection = http.client.HTTPConnection(HOST, self.port, timeout=LIMIT_S)
            try:
                connection.request("GET", path, headers=dict(headers or {}))
                return connection.getresponse().read()
            except ConnectionError:
                assert self.process.poll() is None, self.output
                assert time.monotonic() < deadline, self.output
                time.sleep(0.05)
            finally:
                connection.close()

    def pids_serving(self, path: str, count: int) -> set[int]:
        """GET until so many workers have answered; gives their process ids."""
        deadline = time.monotonic() + LIMIT_S
        seen: set[int] = set()
        while len(seen) < count:
            seen.add(self.get(path)["pid"])
            assert time.monotonic() < deadline, self.output
        return seen

    def finish(self) -> str:
        """Wait for its own end; gives what it wrote."""
        assert self.process.wait(LIMIT_S) == 0, self.output
        return self.output

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it as a supervisor does; gives the exit code."""
        self.process.send_signal(number)
        return self.process.wait(LIMIT_S)

    def kill(self) -> None:
        """End it and all that it started."""
        family = tree(self.process.pid) if self.process.poll() is None else []
        for member in family:
            if member.is_running():
                member.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """Start one server for the tests of a worker; each test's service has a name of its own."""
    with ServerProcess(tmp_path_factory.mktemp("receiver") / "data") as server:
        yield Receiver(server)


@pytest.fixture
def environ(receiver: Receiver) -> dict[str, str]:
    """Return an environment in which the programs send to the server, and failures of ours are loud."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPANGLASS_", "OTEL_"))}
    path = os.pathsep.join([str(BIN), kept.get("PATH", "")])
    ours = {"SPANGLASS_ENDPOINT": receiver.url, "SPANGLASS_STRICT": "1", "PYTHONPATH": str(PROGRAMS), "PATH": path}
    return kept | QUICK | PATIENT | ours


@pytest.fixture
def run(tmp_path: Path, environ: dict[str, str]) -> Iterator[Callable[..., Program]]:
    """Start programs: ``run("gunicorn", "web:app", service="x")``; "{port}" becomes a free port; all end with the test.

    ``spanglass=False`` gives the words to the interpreter; None runs them as they are, with the interpreter's folder
    first on PATH; ``variables`` are added to the environment. ``folder`` is another working folder than ``programs/``,
    ``port`` the port of a program whose words do not have it.
    """
    made: list[Program] = []

    def start(
        *words: str,
        service: str,
        spanglass: bool | None = True,
        variables: Mapping[str, str] | None = None,
        folder: Path = PROGRAMS,
        port: int = 0,
    ) -> Program:
        port = port or free_ports(1)[0]
        filled = [word.replace("{port}", str(port)) for word in words]
        filled = [*LAUNCHERS[spanglass], *filled]
        surroundings = environ | {"SPANGLASS_SERVICE_NAME": service, "PORT": str(port)} | dict(variables or {})
        made.append(Program(filled, surroundings, tmp_path / f"{service}-{len(made)}.log", port, folder))
        return made[-1]

    yield start
    for program in made:
        program.kill()
        print(f"--- {program.log.name}\n{program.output}")  # noqa: T201 - pytest shows it when the test failed
