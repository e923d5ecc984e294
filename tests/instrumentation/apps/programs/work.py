"""What a request does, whatever framework took it: log, a query of ``STORE``, a call to itself by ``CLIENT``."""

import logging
import os
import sqlite3
import urllib.request

logger = logging.getLogger("shop.work")


def query() -> int:
    """Ask the store that the environment names for a number."""
    return STORES[os.environ["STORE"]]()


def call(path: str) -> None:
    """GET a path of this very application by the client that the environment names."""
    CLIENTS[os.environ["CLIENT"]](f"http://127.0.0.1:{os.environ['PORT']}{path}")


def work() -> dict[str, int]:
    """Do all three; blocking."""
    logger.warning("at work")
    number = query()
    call("/leaf")
    return {"pid": os.getpid(), "number": number}


def _sqlite3() -> int:
    with sqlite3.connect(":memory:") as database:
        return database.cursor().execute("SELECT 41 + ?", (1,)).fetchone()[0]


def _sqlalchemy() -> int:
    import sqlalchemy

    with sqlalchemy.create_engine("sqlite://").connect() as connection:
        return connection.execute(sqlalchemy.text("SELECT 41 + :n"), {"n": 1}).scalar_one()


def _psycopg() -> int:
    import psycopg

    with psycopg.connect(os.environ["DSN"]) as connection:
        return connection.execute("SELECT 41 + %s::int", (1,)).fetchone()[0]


def _redis() -> int:
    import redis

    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    client.set("answer", 42)
    return int(client.get("answer"))


def _httpx(url: str) -> None:
    import httpx

    httpx.get(url)


def _requests(url: str) -> None:
    import requests

    requests.get(url, timeout=30)


def _urllib(url: str) -> None:
    urllib.request.urlopen(url, timeout=30).close()


STORES = {"sqlite3": _sqlite3, "sqlalchemy": _sqlalchemy, "psycopg": _psycopg, "redis": _redis}
CLIENTS = {"httpx": _httpx, "requests": _requests, "urllib": _urllib}
