"""The shop as a Flask application."""

import sys

import telemetry  # noqa: F401 - first of all
from flask import Flask, Response
from products import cart, chosen, export, told

app = Flask(__name__)
_product = chosen()


@app.get("/products/<int:number>")
def product(number: int) -> dict[str, object]:
    """Return one product."""
    return told(_product(number))


@app.get("/carts/<int:number>")
def products_of_a_cart(number: int) -> dict[str, object]:
    """Return ten products."""
    return cart(_product, number)


@app.get("/exports/<int:number>")
def exported(number: int) -> Response:
    """Return one product in parts."""
    return Response(export(_product, number), mimetype="text/plain")


@app.get("/modules")
def modules() -> dict[str, object]:
    """Say how many modules are loaded."""
    return {"count": len(sys.modules)}
