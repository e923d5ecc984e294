"""The real server, and the real Collector, as processes of their own for end-to-end tests."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from senders import SECOND_NS, SENDERS, Capture

from loadgen.server import ServerProcess

ROOT = Path(__file__).parents[2]
StartServer = Callable[..., ServerProcess]
CAPTURES = sorted({path.parent.name for path in SENDERS.glob("*/*.json")})
#: More than the longest capture lasts, and more than a bucket that a window is rounded to.
APART_NS = 600 * SECOND_NS


@contextmanager
def _servers(folder: Path) -> Iterator[StartServer]:
    made: list[ServerProcess] = []

    def make(name: str = "data", *, data: Path | None = None, **settings: str) -> ServerProcess:
        # these tests are about what comes in and is found: shipped rules would take a quarter of a second a start
        dotted = {"alerting.shipped": "false"} | {key.replace("__", "."): value for key, value in settings.items()}
        made.append(ServerProcess(data or folder / name, dotted, log=folder / f"{name}.log"))
        return made[-1]

    try:
        yield make
    finally:
        for server in made:
            server.kill()
            print(f"--- {server.log.name}\n{server.log_tail()}")  # noqa: T201 - pytest shows it when the test failed


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[StartServer]:
    """Make servers that are not started yet; what still runs at the end is killed, and every log is printed.

    ``new_server(name, data=..., settings=...)``: one name is one server; the data directory is named after it unless
    another is given.
    """
    with _servers(tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Start a server with an empty data directory that the tests of one module share."""
    with _servers(tmp_path_factory.mktemp("server")) as make:
        made = make()
        made.start()
        yield made


@pytest.fixture(scope="session")
def cases_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Start a server for all modules about cases and captures: none sees another's, by words or windows of its own."""
    with _servers(tmp_path_factory.mktemp("cases")) as make:
        made = make()
        made.start()
        yield made


@pytest.fixture(scope="session")
def sent(cases_server: ServerProcess) -> Callable[[str], Capture]:
    """Return the capture of a sender by name; the server of cases gets it when it is first asked for.

    Captures that name the same service stand apart in time, so none is counted in the window of another.
    """

    @cache
    def send(name: str) -> Capture:
        capture = Capture(name, time.time_ns() - CAPTURES.index(name) * APART_NS)
        capture.send(cases_server)
        return capture

    return send


@pytest.fixture
def server(new_server: StartServer) -> ServerProcess:
    """Start a server with an empty data directory."""
    made = new_server()
    made.start()
    return made


@pytest.fixture
def need() -> Callable[[str], None]:
    """Skip the test for a reason, or fail it where everything has to be there (SPANGLASS_REQUIRE_ALL=1)."""

    def missing(reason: str) -> None:
        if os.environ.get("SPANGLASS_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)

    return missing


@pytest.fixture(scope="session")
def collector_path() -> Path | None:
    """Where the built Collector is: SPANGLASS_TEST_COLLECTOR, or what tests/e2e/collector/build.sh has built."""
    named = os.environ.get("SPANGLASS_TEST_COLLECTOR")
    if named:
        return Path(named)
    found = subprocess.run(
        [ROOT / "tests/e2e/collector/build.sh", "--where"], capture_output=True, text=True, check=True
    )
    path = Path(found.stdout.strip())
    return path if path.exists() else None
