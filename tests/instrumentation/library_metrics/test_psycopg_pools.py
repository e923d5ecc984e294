"""psycopg_pool's pools and PostgreSQL from inside, with a real server."""

from __future__ import annotations

import asyncio
import threading

import psycopg
import psycopg_pool
import pytest

from spanglass.library_metrics.databases.postgres import measure, watch_postgres, watched
from spanglass.library_metrics.install import install_library_metrics
from spanglass.settings.settings import load

POOL = "db.client.connection.pool.name"
STATE = "db.client.connection.state"
COUNT = "db.client.connection.count"


@pytest.fixture(autouse=True)
def install(measured, clock):
    """Measure libraries by a clock that stands still."""
    uninstall = install_library_metrics(load({}, {}), meter_provider=measured.provider, clock=clock)
    yield
    uninstall()


def test_a_pool_is_measured(measured, clock, postgres):
    """Counts by state, limits, a wait and a use of 2 s."""
    with psycopg_pool.ConnectionPool(postgres.dsn(), min_size=2, max_size=4, name="shop") as pool:
        pool.wait()
        with pool.connection():
            measured.collect()
            clock.move_s(2)

        assert measured.values(COUNT, POOL, STATE) == {("shop", "used"): 1, ("shop", "idle"): 1}
        assert measured.values("db.client.connection.max", POOL) == {"shop": 4}
        assert measured.values("db.client.connection.idle.min", POOL) == {"shop": 2}
        assert measured.values("db.client.connection.pending_requests", POOL) == {"shop": 0}
        measured.collect()
    assert measured.counts("db.client.connection.wait_time", POOL) == {"shop": 1}
    assert measured.sums("db.client.connection.use_time", POOL) == {"shop": 2.0}
    assert measured.collect().values(COUNT) == {}  # closed


def test_who_waits_too_long_is_counted(measured, postgres):
    """One timeout, and the pool's own error."""
    with psycopg_pool.ConnectionPool(postgres.dsn(), min_size=1, max_size=1, name="small") as pool:
        with pool.connection(), pytest.raises(psycopg_pool.PoolTimeout), pool.connection(timeout=0.05):
            pass
        assert measured.collect().values("db.client.connection.timeouts", POOL) == {"small": 1}


def test_an_asynchronous_pool_is_measured(measured, clock, postgres):
    """The same metrics."""

    async def main():
        async with psycopg_pool.AsyncConnectionPool(postgres.dsn(), min_size=1, max_size=1, name="async") as pool:
            async with pool.connection():
                measured.collect()
                clock.move_s(1)
            with pytest.raises(psycopg_pool.PoolTimeout):
                async with pool.connection(), pool.connection(timeout=0.05):
                    pass

    asyncio.run(main())
    assert measured.values(COUNT, POOL, STATE) == {("async", "used"): 1, ("async", "idle"): 0}
    measured.collect()
    assert measured.counts("db.client.connection.wait_time", POOL) == {"async": 3}
    assert measured.sums("db.client.connection.use_time", POOL) == {"async": 1.0}
    assert measured.values("db.client.connection.timeouts", POOL) == {"async": 1}


def test_a_database_is_seen_from_inside(postgres, clock):
    """Size, sessions and health; a session that waits for a lock is counted while it does."""
    with psycopg.connect(postgres.dsn(), autocommit=True) as owner:
        owner.execute("CREATE TABLE watched_stock (id int)")
        owner.execute("BEGIN")
        owner.execute("LOCK TABLE watched_stock")
        waiting = threading.Thread(target=lambda: touch(postgres.dsn()))
        waiting.start()
        while ask(postgres, clock)["spanglass.db.lock.waiting"] == 0:
            assert waiting.is_alive()
        seen = ask(postgres, clock)
        owner.execute("COMMIT")
        waiting.join()
        size = owner.execute("SELECT pg_database_size('postgres')").fetchone()[0]

    assert seen["spanglass.db.lock.waiting"] == 1
    assert seen["spanglass.db.lock.longest_wait"] >= 0
    assert seen["spanglass.db.session.count"] >= 2
    assert seen["spanglass.db.size"] == pytest.approx(size, rel=0.2)
    assert seen["spanglass.db.up"] == 1
    assert ask(postgres, clock)["spanglass.db.lock.waiting"] == 0


def touch(dsn):
    """Wait for whoever holds the table."""
    with psycopg.connect(dsn) as connection:
        connection.execute("DELETE FROM watched_stock")


def ask(postgres, clock):
    """Measure once; sessions of all states together."""
    seen = {}
    for metric, value, attributes in measure(lambda: psycopg.connect(postgres.dsn(), autocommit=True), "shop", clock):
        assert attributes["server.address"] == "shop"
        seen[metric.name] = seen.get(metric.name, 0) + value
    return seen


def test_a_watched_database_is_asked_with_each_collection(measured, postgres):
    """The answers of one cycle are part of the next, with a server that is down beside one that is up."""
    watch_postgres(postgres.dsn(), "shop")
    watch_postgres("postgresql://127.0.0.1:1/none", "gone")
    try:
        first = measured.collect().names
        from_second = up_after_waiting(measured)
    finally:
        watched.clear()

    assert "spanglass.db.up" not in first
    assert from_second == {"shop": 1, "gone": 0}


def up_after_waiting(measured):
    """Collect until the thread that asks has answered."""
    while True:
        if up := measured.collect().values("spanglass.db.up", "server.address"):
            return up
