"""How each service of the shop gets its telemetry: the three ways that a real estate has side by side."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler

import spanglass
from shop import layout, plain_opentelemetry

LOG_FILE_BYTES = 1_000_000

# A line for each request, from libraries that are traced anyway.
CHATTY_LOGGERS = ("httpx", "httpcore", "urllib3", "werkzeug", "uvicorn.access")


def set_up(service: layout.Service) -> None:
    """Send traces, metrics and logs of this process. Call once, before the app is made.

    Where to send and how often come from OTEL_* variables, which the supervisor sets. What is still waiting is sent
    when the interpreter ends.
    """
    if service.way is layout.Way.CONFIGURE:
        spanglass.configure(
            service_name=service.name,
            service_namespace="shop",
            release=service.release,
            environment="demo",
            semconv="new" if service.semconv == layout.NEW_NAMES else "old",
        )
    elif service.way is layout.Way.OPENTELEMETRY:
        plain_opentelemetry.set_up(service)
    # Way.RUN: `spanglass run` has done it before our first line
    log_to_file(service.name)


def log_to_file(name: str) -> None:
    """Keep a readable copy of the log beside the data, bounded, for when the telemetry itself is what fails."""
    handler = RotatingFileHandler(
        layout.state_dir() / f"{name}.log", maxBytes=LOG_FILE_BYTES, backupCount=1, encoding="utf-8"
    )
    logging.basicConfig(
        level=logging.INFO, handlers=[handler], format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for chatty in CHATTY_LOGGERS:
        logging.getLogger(chatty).setLevel(logging.WARNING)
