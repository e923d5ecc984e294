"""A PostgreSQL database seen from inside: its size, sessions, who waits for a lock, and whether it answers.

    watch_postgres("postgresql://localhost/shop")

Asked for with each collection of metrics, on a connection of its own that is open only then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass.clock import NS_PER_S, SYSTEM, Clock
from spanglass.library_metrics.databases.sqlalchemy_pools import SIZE
from spanglass.library_metrics.polled import PING, UP
from spanglass.runtime_metrics.groups import Kind, Metric
from spanglass_core.attribute_names import DB_SESSION_STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spanglass.runtime_metrics.groups import Collector, Reading

SESSIONS = Metric(
    "spanglass.db.session.count", Kind.UP_DOWN_COUNTER, "{session}", "Sessions of the database, by state."
)
LOCK_WAITS = Metric(
    "spanglass.db.lock.waiting", Kind.UP_DOWN_COUNTER, "{session}", "Sessions that wait for a lock now."
)
LONGEST_WAIT = Metric("spanglass.db.lock.longest_wait", Kind.GAUGE, "s", "Longest of these waits so far.")

METRICS = (SESSIONS, LOCK_WAITS, LONGEST_WAIT)

_SIZE = "SELECT current_database(), pg_database_size(current_database())"
_SESSIONS = """
SELECT coalesce(state, 'unknown'), count(*)
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() GROUP BY 1
"""
_LOCK_WAITS = """
SELECT count(*), coalesce(extract(epoch FROM max(clock_timestamp() - query_start)), 0)::float8
FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
_TIMEOUT = "SET statement_timeout = '2s'"

#: What ``watch_postgres`` was called with: by name, how to ask.
watched: dict[str, Collector] = {}


def watch_postgres(connect: str | Callable[[], Any], name: str = "postgresql", *, clock: Clock = SYSTEM) -> None:
    """Measure a database; ``connect`` is what ``psycopg.connect`` takes, or a function that makes a connection.

    ``name`` is told by ``server.address``, and is unique: watching another under the same name ends the first. Takes
    effect with ``configure()``, or at once after it. The role needs no rights but to connect; with ``pg_monitor`` it
    sees other roles' sessions.
    """
    opened = _psycopg(connect) if isinstance(connect, str) else connect
    watched[name] = lambda: measure(opened, name, clock)


def _psycopg(dsn: str) -> Callable[[], Any]:
    def opened() -> Any:
        import psycopg  # noqa: PLC0415 - only who watches a database needs it

        return psycopg.connect(dsn, connect_timeout=2, autocommit=True)

    return opened


def measure(connect: Callable[[], Any], name: str, clock: Clock) -> Iterator[Reading]:
    """Ask a database once."""
    place = {"db.system.name": "postgresql", "server.address": name}
    begin_ns = clock.monotonic_ns()
    try:
        connection = connect()
    except Exception:  # noqa: BLE001 - each driver has its own; whatever it is, the database is not there for us
        yield UP, 0, place
        return
    try:
        yield UP, 1, place
        yield PING, (clock.monotonic_ns() - begin_ns) / NS_PER_S, place
        yield from _inside(connection.cursor(), place)
    finally:
        connection.close()


def _inside(cursor: Any, place: dict[str, str]) -> Iterator[Reading]:
    cursor.execute(_TIMEOUT)
    cursor.execute(_SIZE)
    database, size = cursor.fetchone()
    of_database = {**place, "db.namespace": database}
    yield SIZE, size, of_database
    cursor.execute(_SESSIONS)
    for state, count in cursor.fetchall():
        yield SESSIONS, count, {**of_database, DB_SESSION_STATE: state}
    cursor.execute(_LOCK_WAITS)
    waiting, longest_s = cursor.fetchone()
    yield LOCK_WAITS, waiting, of_database
    yield LONGEST_WAIT, longest_s, of_database


def ask_all() -> Iterator[Reading]:
    """Ask every database that is watched."""
    for collector in list(watched.values()):
        yield from collector()
