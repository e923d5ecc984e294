"""SQLAlchemy's pools, with real engines: SQLite's files, and PostgreSQL through psycopg's asynchronous side."""

from __future__ import annotations

import asyncio
import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from spanglass.library_metrics.install import install_library_metrics
from spanglass.settings.settings import load

POOL = "db.client.connection.pool.name"
STATE = "db.client.connection.state"
COUNT = "db.client.connection.count"


@pytest.fixture
def install(measured, clock):
    """Measure libraries by a clock that stands still."""
    uninstall = install_library_metrics(load({}, {}), meter_provider=measured.provider, clock=clock)
    yield
    uninstall()


@pytest.fixture
def make_engine(tmp_path):
    """Make engines of a file, and end them."""
    made = []

    def make(**options):
        made.append(sa.create_engine(f"sqlite:///{tmp_path / 'shop.db'}", **options))
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()


@pytest.mark.usefixtures("install")
def test_connections_are_counted_by_state(measured, make_engine, tmp_path):
    """Of two connections that were opened one is in use; the pool's limits are there; the name is the database's."""
    engine = make_engine(pool_size=3, max_overflow=2)
    with engine.connect():
        with engine.connect():
            pass
        measured.collect()

    name = str(tmp_path / "shop.db")
    assert measured.values(COUNT, POOL, STATE) == {(name, "used"): 1, (name, "idle"): 1}
    assert measured.values("db.client.connection.max", POOL) == {name: 5}
    assert measured.values("db.client.connection.idle.max", POOL) == {name: 3}
    assert measured.values("db.client.connection.pending_requests", POOL) == {name: 0}
    assert measured.attributes("db.client.connection.max") == [{"db.system.name": "sqlite", POOL: name}]


@pytest.mark.usefixtures("install")
def test_engines_take_all_their_arguments(make_engine, caplog):
    """SQLAlchemy still finds the arguments of engines and pools, in the code of what makes them."""
    engine = make_engine(
        echo=True, echo_pool=True, hide_parameters=True, logging_name="orders", query_cache_size=5,
        pool_use_lifo=True, pool_recycle=60, isolation_level="AUTOCOMMIT", execution_options={"shop": 1},
    )  # fmt: skip
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))

    assert "SELECT 1" in caplog.text


@pytest.mark.usefixtures("install")
def test_times_are_measured(measured, make_engine, clock):
    """A connection in use for 3 s: one wait, one opening, one use of 3 s."""
    with make_engine(pool_logging_name="orders").connect():
        clock.move_s(3)
    measured.collect()

    assert measured.counts("db.client.connection.wait_time", POOL) == {"orders": 1}
    assert measured.counts("db.client.connection.create_time", POOL) == {"orders": 1}
    assert measured.sums("db.client.connection.use_time", POOL) == {"orders": 3.0}


@pytest.mark.usefixtures("install")
def test_who_waits_too_long_is_counted(measured, make_engine):
    """A full pool and a short patience: one timeout, and SQLAlchemy's own error."""
    engine = make_engine(pool_size=1, max_overflow=0, pool_timeout=0.01, pool_logging_name="small")
    with engine.connect(), pytest.raises(sa.exc.TimeoutError):
        engine.connect()

    assert measured.collect().values("db.client.connection.timeouts", POOL) == {"small": 1}


@pytest.mark.usefixtures("install")
def test_who_waits_is_pending(measured, make_engine):
    """While a thread waits for the only connection it is counted; when it has it, it is not."""
    engine = make_engine(pool_size=1, max_overflow=0, pool_logging_name="small")
    waiting = threading.Thread(target=lambda: engine.connect().close())
    with engine.connect():
        waiting.start()
        while measured.collect().value("db.client.connection.pending_requests") == 0:
            assert waiting.is_alive()
    waiting.join()

    assert measured.collect().value("db.client.connection.pending_requests") == 0


def test_engines_made_before_are_found(measured, make_engine, clock, tmp_path):
    """An engine that was there before is known by its database as soon as it connects."""
    engine = make_engine()
    uninstall = install_library_metrics(load({}, {}), meter_provider=measured.provider, clock=clock)
    with engine.connect():
        measured.collect()
    uninstall()

    name = str(tmp_path / "shop.db")
    assert measured.values(COUNT, POOL, STATE) == {(name, "used"): 1, (name, "idle"): 0}
    assert measured.counts("db.client.connection.wait_time", POOL) == {name: 1}


@pytest.mark.usefixtures("install")
def test_a_pool_that_was_made_anew_goes_on(measured, make_engine):
    """After dispose() the engine has another pool: that one is counted."""
    engine = make_engine(pool_logging_name="orders")
    with engine.connect():
        pass
    engine.dispose()
    with engine.connect():
        measured.collect()

    assert measured.values(COUNT, POOL, STATE) == {("orders", "used"): 1, ("orders", "idle"): 0}


@pytest.mark.usefixtures("install")
def test_the_file_of_sqlite_has_a_size(measured, make_engine, tmp_path):
    """Its size on disk, without a question to the database."""
    engine = make_engine()
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE orders (id INTEGER)"))
    file = tmp_path / "shop.db"

    sizes = measured.collect().values("spanglass.db.size", "db.system.name", "db.namespace")
    assert sizes == {("sqlite", str(file)): file.stat().st_size}


@pytest.mark.usefixtures("install")
def test_asynchronous_engines_are_measured(measured, postgres):
    """The same metrics for an engine of asyncio."""

    async def main():
        engine = create_async_engine(postgres.dsn().replace("postgresql:", "postgresql+psycopg:"))
        async with engine.connect() as connection:
            await connection.execute(sa.text("SELECT 1"))
            measured.collect()
        await engine.dispose()

    asyncio.run(main())
    name = f"127.0.0.1:{postgres.port}/postgres"
    assert measured.values(COUNT, POOL, STATE) == {(name, "used"): 1, (name, "idle"): 0}
    assert measured.attributes("db.client.connection.max") == [{"db.system.name": "postgresql", POOL: name}]


def test_all_is_given_back(measured, make_engine):
    """Methods are SQLAlchemy's own again, and an engine is no longer measured."""
    owners = (sa.Engine, "raw_connection"), (sa.pool.QueuePool, "_do_get")
    before = [getattr(*owner) for owner in owners]
    uninstall = install_library_metrics(load({}, {}), meter_provider=measured.provider)
    during = [getattr(*owner) for owner in owners]
    uninstall()
    with make_engine().connect():
        measured.collect()

    assert [getattr(*owner) for owner in owners] == before
    assert all(was is not wrapped for was, wrapped in zip(before, during, strict=True))
    assert measured.names == set()
