"""The application that is measured: one route with one SQL query, by the standard library or through SQLAlchemy.

APP_DATABASE is the file; APP_QUERY is sqlite3 or sqlalchemy; APP_SETUP names what turns telemetry on from code.
"""

import logging
import os
import sqlite3
import sys

_SETUP = os.environ.get("APP_SETUP", "")
if _SETUP == "spanglass":
    import spanglass

    spanglass.configure(service_name="shop")
elif _SETUP == "sentry":
    import sentry_sdk

    sentry_sdk.init(dsn=os.environ["SENTRY_DSN"], traces_sample_rate=1.0, enable_logs=True)

from fastapi import FastAPI  # noqa: E402 - telemetry comes first, as its documentations say

_TEXT = "SELECT id, name, price FROM product WHERE id = ?"
_PATH = os.environ["APP_DATABASE"]

_log = logging.getLogger("shop")
_log.addHandler(logging.NullHandler())  # instead of stderr, which all variants would pay for

app = FastAPI()

if os.environ.get("APP_QUERY") == "sqlalchemy":
    import sqlalchemy

    _engine = sqlalchemy.create_engine(f"sqlite:///{_PATH}", poolclass=sqlalchemy.StaticPool)
    _statement = sqlalchemy.text("SELECT id, name, price FROM product WHERE id = :id")

    def _product(number: int) -> tuple[int, str, float]:
        with _engine.connect() as connection:
            return tuple(connection.execute(_statement, {"id": number}).one())
else:
    _connection = sqlite3.connect(_PATH, check_same_thread=False)

    def _product(number: int) -> tuple[int, str, float]:
        return _connection.cursor().execute(_TEXT, (number,)).fetchone()


@app.get("/products/{number}")
async def product(number: int) -> dict[str, object]:
    """Give one product."""
    key, name, price = _product(number)
    if number % 10 == 0:
        _log.warning("price of %s asked", name)
    return {"id": key, "name": name, "price": price}


@app.get("/modules")
async def modules() -> dict[str, object]:
    """Say how many modules are loaded."""
    return {"count": len(sys.modules)}
