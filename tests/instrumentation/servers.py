"""A private PostgreSQL and a private Redis for the tests: one of each per worker, on ports of their own, then removed.

Nothing they write survives. Where a binary is missing the test is skipped with the command that installs it, and fails
where everything has to be there (SPANGLASS_REQUIRE_ALL=1).
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loadgen.server import free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: Where Debian and Ubuntu, Fedora, and Homebrew put the server's programs, besides PATH.
POSTGRES_HOMES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
START_LIMIT_S = 120  # only a failure waits so long: a busy machine must not fail
ATTEMPTS = 3  # a port that was free a moment ago may be taken

# Durability and speed of a disk are not what the tests are about.
POSTGRES_OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "16MB",
    "max_connections": "40",
    "listen_addresses": "127.0.0.1",
}


@dataclass(frozen=True)
class Postgres:
    """A running cluster; the superuser ``postgres`` may connect without a password."""

    port: int
    pid: int

    def dsn(self, database: str = "postgres") -> str:
        """Return the connection string of one of its databases."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"


@dataclass(frozen=True)
class Redis:
    """A running Redis without persistence."""

    port: int
    pid: int

    def url(self, database: int = 0) -> str:
        """Return the address of one of its 16 databases."""
        return f"redis://127.0.0.1:{self.port}/{database}"


def missing(reason: str) -> None:
    """Skip the test for a reason, or fail it where everything has to be there."""
    if os.environ.get("SPANGLASS_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def postgres_home() -> Path | None:
    """Return the directory of ``initdb`` and ``postgres``, of the newest version that is installed."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    found = [path for pattern in POSTGRES_HOMES for path in Path("/").glob(pattern.lstrip("/"))]
    return max((path for path in found if (path / "initdb").exists()), default=None)


def other_user() -> dict[str, int]:
    """Return Popen's arguments that run a program as somebody else than root, which PostgreSQL refuses to run as."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid}
    pytest.fail("running as root, and there is neither a user postgres nor nobody to run PostgreSQL as")


@contextlib.contextmanager
def directory(owner: dict[str, int]) -> Iterator[Path]:
    """Make a directory with a short name, as a socket's path needs, that ``owner`` may enter."""
    with tempfile.TemporaryDirectory(prefix="spanglass-", ignore_cleanup_errors=True) as made:
        if owner:
            os.chown(made, owner["user"], owner["group"])
        yield Path(made)


@contextlib.contextmanager
def process(
    command: Callable[[int], Sequence[str | Path]], is_up: Callable[[int], bool], home: Path, **popen: int
) -> Iterator[tuple[int, int]]:
    """Run ``command(port)`` until the block ends, on a free port; gives the port and the process's id."""
    log = home / "log"
    for _ in range(ATTEMPTS):
        (port,) = free_ports(1)
        with log.open("wb") as output:
            running = subprocess.Popen(command(port), cwd=home, stdout=output, stderr=subprocess.STDOUT, **popen)
        deadline = time.monotonic() + START_LIMIT_S
        while running.poll() is None and not is_up(port):
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.02)
        if running.poll() is None:
            break
    else:
        pytest.fail(log.read_text(errors="replace"))
    try:
        yield port, running.pid
    finally:
        running.send_signal(signal.SIGINT)  # PostgreSQL: do not wait for clients
        running.wait(START_LIMIT_S)


@contextlib.contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run a new cluster until the block ends."""
    binaries = postgres_home()
    if binaries is None:
        missing("PostgreSQL's initdb is nowhere to be found: on Debian and Ubuntu, apt install postgresql")
    owner = other_user()
    with directory(owner) as home:
        data = home / "data"
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"],
            check=True, capture_output=True, cwd=home, **owner,
        )  # fmt: skip
        options = [part for name, value in POSTGRES_OPTIONS.items() for part in ("-c", f"{name}={value}")]

        def command(port: int) -> list[str | Path]:
            return [binaries / "postgres", "-D", data, "-k", home, "-p", str(port), *options]

        def is_up(port: int) -> bool:
            asked = subprocess.run([binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], check=False)
            return asked.returncode == 0

        with process(command, is_up, home, **owner) as (port, pid):
            yield Postgres(port, pid)


@contextlib.contextmanager
def running_redis() -> Iterator[Redis]:
    """Run an empty Redis until the block ends."""
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:
        missing("redis-server is not on PATH: on Debian and Ubuntu, apt install redis-server")
    from redis import ConnectionError as NotUp  # noqa: PLC0415 - only tests that need it import it
    from redis import Redis as Client  # noqa: PLC0415

    def is_up(port: int) -> bool:
        with Client(port=port) as client, contextlib.suppress(NotUp):
            return client.ping()
        return False

    with directory({}) as home:
        options = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(home))
        with process(lambda port: [binary, "--port", str(port), *options], is_up, home) as (port, pid):
            yield Redis(port, pid)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL that the worker's tests share: each makes what it needs under names of its own."""
    with running_postgres() as running:
        yield running


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[Redis]:
    """A Redis that the worker's tests share; ``redis_server`` gives it empty."""
    with running_redis() as running:
        yield running


@pytest.fixture
def redis_server(shared_redis: Redis) -> Redis:
    """Return an empty Redis: what an earlier test left there is gone."""
    from redis import Redis as Client  # noqa: PLC0415 - only tests that need it import it

    with Client(port=shared_redis.port) as client:
        client.flushall()
    return shared_redis
