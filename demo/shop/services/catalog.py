"""catalog: products, prices and stock. Flask and SQLite, new semantic conventions."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from flask import abort, request
from opentelemetry import trace

from shop import catalog_rows, database, layout, telemetry
from shop.faults import CURSED_PRODUCT, Switches
from shop.http_flask import make_app, serve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

BURST = 20
DETAILS_S = 0.05
"""How long the archive takes to find one thing about a product."""
RECALCULATION_S = 0.3

logger = logging.getLogger("shop.catalog")
tracer = trace.get_tracer("shop.catalog")


def build(switches: Switches) -> Flask:
    """Make the app over a catalog that has been filled."""
    app = make_app("catalog")
    prices = PriceLock()

    @app.get("/products")
    def search() -> dict[str, Any]:
        words = request.args.get("q", "")
        if switches.is_on("log_errors"):
            _complain_about_stock_feed()
        if switches.is_on("lock_contention"):
            prices.recalculate()
        with database.transaction("catalog") as connection:
            if switches.is_on("n_plus_one"):
                found = catalog_rows.search_one_by_one(connection, words)
            else:
                found = catalog_rows.search(connection, words, indexed=not switches.is_on("slow_query"))
        logger.info("Search for %r found %d products", words, len(found))
        return {"products": found}

    @app.get("/products/<product_id>")
    def product(product_id: str) -> dict[str, Any]:
        trace.get_current_span().set_attribute("shop.product.id", product_id)
        if switches.is_on("lock_contention"):
            prices.wait()
        with database.transaction("catalog") as connection:
            found = catalog_rows.product(connection, product_id)
        if found is None:
            logger.warning("No product %r", product_id)
            abort(404)
        if product_id == CURSED_PRODUCT and switches.is_on("product_failure"):
            found["weight"] = "n/a"
        return found | {"weight_g": grams(found["weight"])}

    _add_details(app)
    _add_sales(app)
    return app


def _add_details(app: Flask) -> None:
    @app.get("/products/<product_id>/<any(reviews, stock, prices):part>")
    def details(product_id: str, part: str) -> dict[str, Any]:
        time.sleep(DETAILS_S)
        return {"product": product_id, part: "from the archive"}


def _add_sales(app: Flask) -> None:
    @app.post("/quotes")
    def quote() -> dict[str, Any]:
        items: Mapping[str, int] = request.get_json()["items"]
        with database.transaction("catalog") as connection:
            prices = catalog_rows.prices_cents(connection, json.dumps(list(items)))
        unknown = sorted(set(items) - set(prices))
        if unknown:
            abort(422, f"unknown products: {', '.join(unknown)}")
        return {"total_cents": sum(prices[product_id] * quantity for product_id, quantity in items.items())}

    @app.post("/reservations")
    def reserve() -> dict[str, Any]:
        items: Mapping[str, int] = request.get_json()["items"]
        with database.transaction("catalog") as connection:
            catalog_rows.reserve(connection, items)
        return {"reserved": sum(items.values())}


class PriceLock:
    """One lock for all that has to do with prices, held while they are recalculated."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait until nobody recalculates."""
        with tracer.start_as_current_span("wait for the price lock"):
            self._lock.acquire()
        self._lock.release()

    def recalculate(self) -> None:
        """Do it, alone."""
        with tracer.start_as_current_span("wait for the price lock"):
            self._lock.acquire()
        try:
            with tracer.start_as_current_span("recalculate prices"):
                time.sleep(RECALCULATION_S)
        finally:
            self._lock.release()


def grams(weight: str) -> int:
    """Read a weight as the supplier writes it, `120 g`. ValueError for anything else."""
    number, _, unit = weight.partition(" ")
    if unit != "g":
        message = f"weight {weight!r} is not in grams"
        raise ValueError(message)
    return int(number)


def _complain_about_stock_feed() -> None:
    for line in range(1, BURST + 1):
        try:
            json.loads('{"sku": ')
        except ValueError:
            logger.exception("Stock feed: line %d cannot be read, keeping the old stock", line)


def main() -> None:
    """Fill the database and serve."""
    telemetry.set_up(layout.service("catalog"))
    catalog_rows.fill()
    serve(build(Switches(layout.switches_file())), "catalog")
