"""checkout: takes orders. FastAPI, httpx, SQLite and the queue, new semantic conventions."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
import uuid
from collections import defaultdict
from typing import Any, Literal

import httpx
from fastapi import FastAPI, HTTPException
from opentelemetry import metrics, trace
from pydantic import BaseModel, Field

from shop import database, layout, messaging, telemetry
from shop.faults import CANARY, SLOW_TENANT, STABLE, Switches
from shop.http_fastapi import CALL_TIMEOUT_S, make_app, serve
from shop.queue_table import Queue

ATTEMPTS = 6
CONTRACT_S = 0.5
KEPT_ORDERS = 5000
"""Older ones are deleted, so that the demo does not grow with its age."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, email TEXT NOT NULL, total_cents INTEGER NOT NULL, state TEXT NOT NULL
)
"""
INSERT = "INSERT INTO orders (id, email, total_cents, state) VALUES (?, ?, ?, 'paid')"
FORGET = "DELETE FROM orders WHERE number <= (SELECT max(number) FROM orders) - ?"
FIND = "SELECT id, total_cents, state FROM orders WHERE id = ?"
SHIPPED = "UPDATE orders SET state = 'shipped' WHERE id = ?"

logger = logging.getLogger("shop.checkout")
tracer = trace.get_tracer("shop.checkout")
orders: defaultdict[str, itertools.count[int]] = defaultdict(lambda: itertools.count(1))
"""Of each tenant, so that every second order of each of them gets the new release, whatever chance brings."""
meter = metrics.get_meter("shop.checkout")
orders_counter = meter.create_counter("shop.orders", "{order}", "Orders by card and outcome.")
revenue = meter.create_counter("shop.revenue", "EUR", "Money taken.")
order_value = meter.create_histogram("shop.order.value", "EUR", "Value of an order.")


class Order(BaseModel):
    """What a customer sends: items as product id to quantity."""

    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    card: Literal["visa", "mastercard", "amex"]
    items: dict[str, int] = Field(min_length=1)
    tenant: str = Field(default="birch", pattern=r"^[a-z]+$")


async def _post(client: httpx.AsyncClient, url: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(url, json=body)
    answer.raise_for_status()
    return dict(answer.json())


def save_order(order_id: str, email: str, total_cents: int) -> None:
    """Write a paid order."""
    with database.transaction("checkout") as connection:
        database.run(connection, INSERT, (order_id, email, total_cents))
        database.run(connection, FORGET, (KEPT_ORDERS,))


async def _charge(client: httpx.AsyncClient, charge: dict[str, Any], attempts: int) -> dict[str, Any]:
    """Charge a card; one that is refused for now is tried again at once, as no client should."""
    for _ in range(attempts - 1):
        try:
            return await _post(client, f"{layout.url('payment')}/charges", charge)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                raise
    return await _post(client, f"{layout.url('payment')}/charges", charge)


async def _price(order: Order, release: str) -> None:
    """Look up what the tenant has agreed on."""
    with tracer.start_as_current_span("price by contract"):
        if release == CANARY and order.tenant == SLOW_TENANT:
            await asyncio.sleep(CONTRACT_S)


async def place(client: httpx.AsyncClient, queue: Queue, order: Order, switches: Switches) -> dict[str, Any]:
    """Quote, charge, save and hand over to fulfilment, in this order."""
    order_id = uuid.uuid4().hex[:12]
    items = {"items": order.items}
    release = CANARY if switches.is_on("tenant_release") and next(orders[order.tenant]) % 2 else STABLE
    trace.get_current_span().set_attributes(
        {
            "shop.order.id": order_id,
            "shop.card.brand": order.card,
            "shop.tenant": order.tenant,
            "shop.pricing.release": release,
        }
    )
    await _price(order, release)
    quote = await _post(client, f"{layout.url('catalog')}/quotes", items)
    total_cents: int = quote["total_cents"]
    charge = items | {"order_id": order_id, "amount_cents": total_cents, "card": order.card}
    receipt = await _charge(client, charge, ATTEMPTS if switches.is_on("retry_storm") else 1)
    await asyncio.to_thread(save_order, order_id, order.email, total_cents)
    await asyncio.to_thread(messaging.send, queue, items | {"order_id": order_id, "email": order.email})
    revenue.add(total_cents / 100, {"shop.card.brand": order.card})
    order_value.record(total_cents / 100, {"shop.card.brand": order.card})
    logger.info("Order %s placed: %d items, %d cents", order_id, sum(order.items.values()), total_cents)
    return {"id": order_id, "total_cents": total_cents} | receipt


def build(queue: Queue, switches: Switches) -> FastAPI:
    """Make the app over a database that exists."""
    app = make_app("checkout")
    client = httpx.AsyncClient(timeout=CALL_TIMEOUT_S)

    @app.post("/orders", status_code=201)
    async def place_order(order: Order) -> dict[str, Any]:
        outcome = "failed"
        try:
            placed = await place(client, queue, order, switches)
            outcome = "placed"
        except httpx.TransportError as error:
            logger.exception("Order not placed: a service does not answer")
            raise HTTPException(503, "we cannot take orders now, please try again later") from error
        except httpx.HTTPStatusError as error:
            if error.response.is_client_error:
                raise HTTPException(422, "the shop does not have these items") from error
            # Answered, not raised on: after an exception uvicorn closes the connection that web wants to use again.
            logger.exception("Order not placed: %s failed", error.request.url.path)
            raise HTTPException(502, "your order could not be placed") from error
        else:
            return placed
        finally:
            orders_counter.add(1, {"shop.card.brand": order.card, "shop.outcome": outcome})

    @app.get("/orders/{order_id}")
    def find_order(order_id: str) -> dict[str, Any]:
        with database.transaction("checkout") as connection:
            found = database.run(connection, FIND, (order_id,))
        if not found:
            raise HTTPException(404, f"no order {order_id!r}")
        return found[0]

    @app.post("/orders/{order_id}/shipped")
    def mark_shipped(order_id: str) -> dict[str, str]:
        with database.transaction("checkout") as connection:
            database.run(connection, SHIPPED, (order_id,))
        return {"id": order_id, "state": "shipped"}

    return app


def main() -> None:
    """Make the databases and serve."""
    telemetry.set_up(layout.service("checkout"))
    database.create("checkout", SCHEMA).close()
    queue = Queue(layout.state_dir() / "queue.db", "orders", time.time)
    serve(build(queue, Switches(layout.switches_file())), "checkout")
