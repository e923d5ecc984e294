"""The catalog's database: forty optical instruments with 200 000 reviews, and the questions asked of it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from shop import database

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

MAKES = ("Brass", "Oak", "Clear", "Pocket", "Grand")
KINDS = ("telescope", "spyglass", "prism", "sextant", "monocle", "lantern", "compass", "lens")
REVIEW_COUNT = 200_000
FULL_SHELF = 500

SCHEMA = """
DROP TABLE IF EXISTS products;
DROP TABLE IF EXISTS reviews;
CREATE TABLE products (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, price_cents INTEGER NOT NULL, weight TEXT NOT NULL, stock INTEGER NOT NULL
);
CREATE TABLE reviews (id INTEGER PRIMARY KEY, product_id TEXT NOT NULL, stars INTEGER NOT NULL);
"""
INDEX = "CREATE INDEX reviews_by_product ON reviews (product_id, stars)"

# One statement, one pass over the index; NOT INDEXED is what a forgotten migration does to it.
SEARCH = """
SELECT p.id, p.name, p.price_cents, p.stock,
       (SELECT round(avg(r.stars), 2) FROM reviews AS r WHERE r.product_id = p.id) AS rating
FROM products AS p WHERE p.name LIKE ? ORDER BY rating DESC LIMIT 20
"""
SEARCH_WITHOUT_INDEX = SEARCH.replace("reviews AS r", "reviews AS r NOT INDEXED")
SEARCH_IDS = "SELECT p.id FROM products AS p WHERE p.name LIKE ? LIMIT 20"
SEARCH_ONE = """
SELECT p.id, p.name, p.price_cents, p.stock,
       (SELECT round(avg(r.stars), 2) FROM reviews AS r WHERE r.product_id = p.id) AS rating
FROM products AS p WHERE p.id = ?
"""
ONE = "SELECT id, name, price_cents, weight, stock FROM products WHERE id = ?"
PRICES = "SELECT id, price_cents FROM products WHERE id IN (SELECT value FROM json_each(?))"
# The shelf fills itself up again, so that a demo can run for days.
RESERVE = "UPDATE products SET stock = CASE WHEN stock < :n THEN :full ELSE stock - :n END WHERE id = :id"


def fill() -> None:
    """Write the catalog anew, the same one every time."""
    chance = random.Random(13)
    products = [
        (f"p-{number:02}", f"{make} {kind}", chance.randrange(900, 40_000, 50), f"{chance.randrange(80, 4000)} g")
        for number, (make, kind) in enumerate(((make, kind) for make in MAKES for kind in KINDS), start=1)
    ]
    ids = [product[0] for product in products]
    reviews = zip(chance.choices(ids, k=REVIEW_COUNT), chance.choices((3, 4, 5), k=REVIEW_COUNT), strict=True)
    connection = database.create("catalog", SCHEMA)
    with connection:
        rows = [(*product, FULL_SHELF) for product in products]
        connection.executemany("INSERT INTO products VALUES (?, ?, ?, ?, ?)", rows)
        connection.executemany("INSERT INTO reviews (product_id, stars) VALUES (?, ?)", reviews)
        connection.execute(INDEX)
    connection.close()


def search(connection: sqlite3.Connection, words: str, *, indexed: bool = True) -> list[dict[str, Any]]:
    """Find up to twenty products by a part of their name, best rated first."""
    return database.run(connection, SEARCH if indexed else SEARCH_WITHOUT_INDEX, (f"%{words}%",))


def search_one_by_one(connection: sqlite3.Connection, words: str) -> list[dict[str, Any]]:
    """Find the same with one query for the ids and one more for each product: the classic mistake."""
    found = database.run(connection, SEARCH_IDS, (f"%{words}%",))
    return [row for product in found for row in database.run(connection, SEARCH_ONE, (product["id"],))]


def product(connection: sqlite3.Connection, product_id: str) -> dict[str, Any] | None:
    """Return one product, or None."""
    rows = database.run(connection, ONE, (product_id,))
    return rows[0] if rows else None


def prices_cents(connection: sqlite3.Connection, product_ids_json: str) -> dict[str, int]:
    """Return the price of each product that exists, from a JSON list of ids, in one query."""
    return {row["id"]: row["price_cents"] for row in database.run(connection, PRICES, (product_ids_json,))}


def reserve(connection: sqlite3.Connection, items: Mapping[str, int]) -> None:
    """Take items (product id to quantity) off the shelf."""
    for product_id, quantity in items.items():
        database.run(connection, RESERVE, {"id": product_id, "n": quantity, "full": FULL_SHELF})
