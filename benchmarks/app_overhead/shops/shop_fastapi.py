"""The shop as a FastAPI application."""

import sys

import telemetry  # noqa: F401 - first of all
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from products import cart, chosen, export, told

app = FastAPI()
_product = chosen()


@app.get("/products/{number}")
async def product(number: int) -> dict[str, object]:
    """Return one product."""
    return told(_product(number))


@app.get("/carts/{number}")
async def products_of_a_cart(number: int) -> dict[str, object]:
    """Return ten products."""
    return cart(_product, number)


@app.get("/exports/{number}")
async def exported(number: int) -> StreamingResponse:
    """Return one product in parts."""

    async def parts():  # noqa: ANN202 - a generator of bytes; a plain one would run in threads
        for part in export(_product, number):
            yield part

    return StreamingResponse(parts(), media_type="text/plain")


@app.get("/modules")
async def modules() -> dict[str, object]:
    """Say how many modules are loaded."""
    return {"count": len(sys.modules)}
