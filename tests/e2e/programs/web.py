"""Flask and FastAPI applications whose handlers fail, called as their servers call them."""

from __future__ import annotations

import contextlib
import logging

from fastapi import FastAPI
from fastapi.testclient import TestClient
from flask import Flask
from opentelemetry import trace

tracer = trace.get_tracer("shop")
logger = logging.getLogger("shop")
flask_app = Flask("shop")
fastapi_app = FastAPI()


def find(way: str) -> None:
    """Fail in a span of the application."""
    with tracer.start_as_current_span("take"):
        raise LookupError(way)


def find_and_log(way: str) -> None:
    """Fail, log it and pass it on."""
    try:
        find(way)
    except LookupError:
        logger.exception("it failed")
        raise


@flask_app.get("/broken")
def flask_broken() -> None:
    """Fail."""
    find("flask")


@flask_app.get("/logged")
def flask_logged() -> None:
    """Fail and log."""
    find_and_log("flask_logged")


@fastapi_app.get("/broken")
async def fastapi_broken() -> None:
    """Fail."""
    find("fastapi")


@fastapi_app.get("/logged")
def fastapi_logged() -> None:
    """Fail and log, in a thread."""
    find_and_log("fastapi_logged")


#: What fails, and how often.
WAYS = {"flask": 1, "flask_logged": 1, "fastapi": 1, "fastapi_logged": 1}


def main() -> None:
    """Call each handler once."""
    for path in ("/broken", "/logged"):
        with contextlib.suppress(LookupError):
            flask_app.test_client().get(path)
        TestClient(fastapi_app, raise_server_exceptions=False).get(path)
