"""A FastAPI application that knows nothing of telemetry."""

from fastapi import FastAPI
from work import work

app = FastAPI()


@app.get("/orders/{number}")
def do_work(number: int):
    """Work, in the thread pool."""
    return work()


@app.get("/leaf")
async def leaf():
    """Be called."""
    return {}


@app.get("/broken")
async def broken():
    """Fail."""
    raise LookupError("nothing there")
