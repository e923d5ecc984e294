"""fulfilment: takes orders from the queue, reserves stock, writes e-mails. Flask and requests, old conventions."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import requests
from opentelemetry import metrics
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.metrics import CallbackOptions, Observation

from shop import layout, messaging, telemetry
from shop.faults import Switches
from shop.http_flask import make_app, serve
from shop.queue_table import Queue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CALL_TIMEOUT_S = 10
POLL_S = 0.1
RETRY_S = 2.0
LAG_S = 5.0
"""Time the worker wastes on each order while `queue_lag` is on."""

logger = logging.getLogger("shop.fulfilment")
meter = metrics.get_meter("shop.fulfilment")
emails = meter.create_counter("shop.emails", "{email}", "E-mails written to customers.")


def ship(session: requests.Session, order: dict[str, Any]) -> None:
    """Do the work of one order. requests.RequestException when a service does not answer."""
    reserved = session.post(
        f"{layout.url('catalog')}/reservations", json={"items": order["items"]}, timeout=CALL_TIMEOUT_S
    )
    reserved.raise_for_status()
    marked = session.post(f"{layout.url('checkout')}/orders/{order['order_id']}/shipped", timeout=CALL_TIMEOUT_S)
    marked.raise_for_status()
    emails.add(1, {"shop.email.template": "shipped"})
    logger.info("E-mail 'shipped' written to %s for order %s", order["email"], order["order_id"])


def work(queue: Queue, switches: Switches, pause: Callable[[float], object]) -> None:
    """Work on the queue for ever, one order after the other."""
    session = requests.Session()

    def handle(order: dict[str, Any]) -> None:
        if switches.is_on("queue_lag"):
            logger.warning("The label printer is slow, waiting %.0f s for order %s", LAG_S, order["order_id"])
            pause(LAG_S)
        ship(session, order)

    while True:
        try:
            if not messaging.process_next(queue, handle, time.time):
                pause(POLL_S)
        except sqlite3.Error:
            # A full disk or a long lock must not end the worker: what it held comes back when its lease is over.
            logger.exception("The queue cannot be read, trying again")
            pause(RETRY_S)


def watch_length(queue: Queue) -> None:
    """Report the length of the queue with every export of the metrics, under the name that Spanglass knows."""

    def observe(_options: CallbackOptions) -> Iterable[Observation]:
        yield Observation(
            queue.length(), {"messaging.system": messaging.SYSTEM, "messaging.destination.name": queue.name}
        )

    meter.create_observable_gauge("spanglass.queue.length", [observe], "{message}", "Orders that wait for the worker.")


def main() -> None:
    """Start the worker and serve what it can tell about itself."""
    telemetry.set_up(layout.service("fulfilment"))
    queue = Queue(layout.state_dir() / "queue.db", "orders", time.time)
    watch_length(queue)
    arguments = (queue, Switches(layout.switches_file()), time.sleep)
    threading.Thread(target=work, args=arguments, name="worker", daemon=True).start()
    app = make_app("fulfilment")
    FlaskInstrumentor().instrument_app(app)  # type: ignore[no-untyped-call]  # it has no types
    app.add_url_rule("/queue", "queue", lambda: {"length": queue.length()})
    serve(app, "fulfilment")
