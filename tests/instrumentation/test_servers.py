"""The servers that tests of the instrumentation layer run against."""

from __future__ import annotations

import psycopg
import redis


def test_postgres_answers(postgres):
    """A private PostgreSQL takes connections, and its superuser may do all."""
    with psycopg.connect(postgres.dsn()) as connection:
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,)


def test_redis_is_empty(redis_server):
    """Each test finds a Redis without keys."""
    with redis.Redis.from_url(redis_server.url(), decode_responses=True) as client:
        assert client.keys() == []
        client.set("left", "behind")


def test_redis_is_empty_again(redis_server):
    """What one test leaves, the next does not see."""
    with redis.Redis.from_url(redis_server.url(3)) as client:
        assert client.keys() == []
