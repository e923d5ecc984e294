"""Redis clients, against a real server."""

from __future__ import annotations

import asyncio
import socket

import pytest
import redis
import redis.asyncio
from opentelemetry.instrumentation.utils import suppress_instrumentation

from spanglass.library_metrics.install import install_library_metrics
from spanglass.library_metrics.redis_commands import READS
from spanglass.settings.settings import load

COMMAND = "db.operation.name"
DURATION = "db.client.operation.duration"
HITS, MISSES = "spanglass.cache.hits", "spanglass.cache.misses"


@pytest.fixture(autouse=True)
def install(measured, request):
    """Measure libraries."""
    request.getfixturevalue("redis_server")  # that it is emptied is no part of what is measured
    uninstall = install_library_metrics(load({}, {}), meter_provider=measured.provider)
    yield
    uninstall()


@pytest.fixture
def client(redis_server):
    """Yield a client of an empty server that has one string, one hash."""
    with redis.Redis.from_url(redis_server.url()) as made:
        made.set("here", "1")
        made.hset("hash", "field", "1")
        yield made


def test_hits_and_misses_are_counted_by_command(measured, client):
    """What was asked for and there, and what was not; keys are no part of it."""
    client.get("here")
    client.get("gone")
    client.get("gone")
    client.mget("here", "gone", "here")
    client.hget("hash", "field")
    client.hgetall("nothing")
    client.hmget("hash", "field", "other")
    measured.collect()

    assert measured.values(HITS, COMMAND) == {"GET": 1, "MGET": 2, "HGET": 1, "HMGET": 1}
    assert measured.values(MISSES, COMMAND) == {"GET": 2, "MGET": 1, "HGETALL": 1, "HMGET": 1}
    assert {"db.system.name": "redis", COMMAND: "GET"} in measured.attributes(HITS)


def test_commands_are_timed_and_errors_named(measured, client):
    """Each command is one value; one that fails has the error's type, and is neither hit nor miss."""
    client.get("here")
    with pytest.raises(redis.ResponseError):
        client.get("hash")
    with pytest.raises(redis.ResponseError):
        client.execute_command("no such command")
    measured.collect()

    counts = measured.counts(DURATION, COMMAND, "error.type")
    assert counts == {
        ("SET", None): 1, ("HSET", None): 1, ("GET", None): 1, ("GET", "ResponseError"): 1, ("NO", "ResponseError"): 1,
    }  # fmt: skip
    assert measured.values(HITS, COMMAND) == {"GET": 1}
    assert MISSES not in measured.names


def test_a_pipeline_is_one_call_with_its_reads(measured, client):
    """Three commands at once: one duration, and the reads count as they do alone, also within a transaction."""
    pipeline = client.pipeline()
    pipeline.get("here").get("gone").set("other", 1)
    assert pipeline.execute() == [b"1", None, True]
    with client.pipeline() as transaction:
        transaction.watch("here")
        assert transaction.get("here") == b"1"
        transaction.multi()
        transaction.get("gone")
        transaction.execute()
    measured.collect()

    assert measured.values(HITS, COMMAND) == {"GET": 2}
    assert measured.values(MISSES, COMMAND) == {"GET": 2}
    assert measured.counts(DURATION, COMMAND)["PIPELINE"] == 2


def test_asynchronous_clients_are_measured(measured, redis_server):
    """The same for redis.asyncio, pipelines included."""

    async def main():
        async with redis.asyncio.Redis.from_url(redis_server.url()) as client:
            await client.set("here", "1")
            await client.get("here")
            async with client.pipeline() as pipeline:
                pipeline.get("gone")
                await pipeline.execute()
            with pytest.raises(redis.ResponseError):
                await client.hget("here", "field")

    asyncio.run(main())
    measured.collect()
    assert measured.counts(DURATION, COMMAND, "error.type") == {
        ("SET", None): 1, ("GET", None): 1, ("PIPELINE", None): 1, ("HGET", "ResponseError"): 1,
    }  # fmt: skip
    assert (measured.values(HITS, COMMAND), measured.values(MISSES, COMMAND)) == ({"GET": 1}, {"GET": 1})


def test_the_pool_of_connections_is_measured(measured, client, redis_server):
    """One connection, back in the pool: idle; its name is where it leads."""
    name = f"127.0.0.1:{redis_server.port}/0"
    client.get("here")
    seen = measured.collect().values(
        "db.client.connection.count", "db.client.connection.pool.name", "db.client.connection.state"
    )
    assert seen == {(name, "idle"): 1, (name, "used"): 0}


def test_servers_that_were_used_are_pinged(measured, client, redis_server):
    """One cycle later the server is up, with the time of its answer; one that refuses is down."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    client.get("here")
    with redis.Redis(port=closed, retry=None) as nobody, pytest.raises(redis.ConnectionError):
        nobody.get("here")

    while not (up := measured.collect().values("spanglass.db.up", "server.port")):
        pass
    assert up == {redis_server.port: 1, closed: 0}
    assert 0 < measured.values("spanglass.db.ping.duration", "server.port")[redis_server.port] < 60
    assert "PING" not in measured.counts(DURATION, COMMAND)


def test_what_spanglass_asks_itself_is_not_measured(measured, redis_server):
    """Commands with instrumentation suppressed, as those for lengths of queues: no duration, no hit, no pool."""
    with redis.Redis.from_url(redis_server.url()) as client, suppress_instrumentation():
        client.llen("mail")
        client.get("gone")
        with client.pipeline() as pipeline:
            pipeline.get("gone").execute()

    assert measured.collect().names == set()


def test_names_of_commands_are_bounded(measured, client):
    """Whatever is executed: at most 500 names and one for the rest."""
    for number in range(600):
        with pytest.raises(redis.ResponseError):
            client.execute_command(f"made-up-{number}")

    counts = measured.collect().counts(DURATION, COMMAND)
    assert len(counts) <= 501
    assert counts["_OTHER"] >= 100
    assert sum(counts.values()) == 602


def test_every_read_tells_hits_from_misses():
    """Whatever a client may give back for nothing."""
    nothing = {"GET": None, "MGET": [None], "HGETALL": {}, "HMGET": [None], "HGET": None, "GETEX": None, "GETDEL": None}
    assert {name: READS[name](answer) for name, answer in nothing.items()} == dict.fromkeys(READS, (0, 1))


def test_methods_are_given_back(measured):
    """Installed and taken back, the classes are as they were."""
    owners = [redis.Redis, redis.asyncio.Redis, redis.RedisCluster]
    before = [vars(owner)["execute_command"] for owner in owners]
    uninstall = install_library_metrics(load({}, {}), meter_provider=measured.provider)
    during = [vars(owner)["execute_command"] for owner in owners]
    uninstall()

    assert [vars(owner)["execute_command"] for owner in owners] == before
    assert all(was is not wrapped for was, wrapped in zip(before, during, strict=True))
