"""What the shops have in common: products out of the database of APP_DATABASE, read as APP_QUERY says."""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator

Product = tuple[int, str, float]

_TEXT = "SELECT id, name, price FROM product WHERE id = ?"
_PATH = os.environ["APP_DATABASE"]
#: Queries of a cart, and parts of an export.
CART = 10
PARTS = 20

_log = logging.getLogger("shop")
_log.addHandler(logging.NullHandler())  # instead of stderr, which all variants would pay for


def by_sqlite3() -> Callable[[int], Product]:
    """Return what reads a product through the standard library, by one connection."""
    connection = sqlite3.connect(_PATH, check_same_thread=False)

    def product(number: int) -> Product:
        return connection.cursor().execute(_TEXT, (number,)).fetchone()

    return product


def by_sqlalchemy() -> Callable[[int], Product]:
    """Return what reads a product through SQLAlchemy, by one connection."""
    import sqlalchemy  # noqa: PLC0415 - only where it is measured

    engine = sqlalchemy.create_engine(f"sqlite:///{_PATH}", poolclass=sqlalchemy.StaticPool)
    statement = sqlalchemy.text("SELECT id, name, price FROM product WHERE id = :id")

    def product(number: int) -> Product:
        with engine.connect() as connection:
            return tuple(connection.execute(statement, {"id": number}).one())

    return product


def chosen() -> Callable[[int], Product]:
    """Return the way that APP_QUERY names."""
    return by_sqlalchemy() if os.environ.get("APP_QUERY") == "sqlalchemy" else by_sqlite3()


def told(product: Product) -> dict[str, object]:
    """Return a product as it is answered; a tenth of them logs a warning."""
    key, name, price = product
    if key % 10 == 0:
        _log.warning("price of %s asked", name)
    return {"id": key, "name": name, "price": price}


def cart(product: Callable[[int], Product], number: int) -> dict[str, object]:
    """Return ten products, read one after the other."""
    return {"cart": number, "products": [told(product(1 + (number + each) % 100)) for each in range(CART)]}


def export(product: Callable[[int], Product], number: int) -> Iterator[bytes]:
    """Return one product in parts, as a stream."""
    row = told(product(number))
    for part in range(PARTS):
        yield f"{part} {row}\n".encode()
